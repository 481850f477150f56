"""What is built from pinned sources: MicroPython, the native module, packages, locks."""
