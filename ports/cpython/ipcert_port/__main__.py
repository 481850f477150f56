"""`python -m ipcert_port` is `ipcert`."""

from .cli import main

main()
