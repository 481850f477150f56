"""`python -m ipcert_port` is `ipcert`."""

from .cli.commands import main

main()
