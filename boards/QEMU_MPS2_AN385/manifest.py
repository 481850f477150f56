# What is frozen into the image besides ipcert itself, which tools/lib/board/firmware.py adds from the one list of its files.
include("$(MPY_DIR)/extmod/asyncio")
freeze("modules")
freeze("../common/python")
module("main.py")
