"""What the tools share. It is imported by the system's Python, before any environment is made."""

import sys

if sys.version_info < (3, 11):  # Debian 12's; ipcert itself supports 3.9
    sys.exit(f"The tools need Python 3.11 or newer; this is {sys.version.split()[0]}.")
