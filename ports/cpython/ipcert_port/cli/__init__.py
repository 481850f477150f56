"""The commands of `ipcert`, one module each, and what they print."""
