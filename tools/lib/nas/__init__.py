"""The NAS that is emulated as a board: its image, its machine, its demonstration."""
