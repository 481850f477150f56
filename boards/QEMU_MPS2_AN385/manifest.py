# What is frozen into the image.
include("$(MPY_DIR)/extmod/asyncio")
freeze("modules")
