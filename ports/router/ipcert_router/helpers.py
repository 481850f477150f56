"""Runs the firmware's small shell programs, each for a bounded time. MicroPython knows no fork, only a shell."""

import os

from ipcert.errors import LocalError

_SECONDS = 60
_OUTPUT = 8192  # bytes that are read of what one prints
# What is started must not hold our sockets open when we are gone, the lock first of all. A shell closes these by number.
_SHUT = "3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-"
_SCRIPT = """%s %s & p=$!
(trap 'kill $s; exit' TERM; sleep %d %s & s=$!; wait $s; kill $p) >/dev/null 2>&1 &
w=$!; wait $p; r=$?; kill $w 2>/dev/null; exit $r"""


def say(text):
    """Print a line. That nobody can read it, the log's reader gone or a disk full, ends nothing (MicroPython raises OSError)."""
    try:
        print(text)
    except OSError:
        pass


def quote(word):
    """A word as a POSIX shell reads it back."""
    return "'" + word.replace("'", "'\\''") + "'"


def public_folder(path):
    """Have a folder that everybody may pass through, and those above it; our umask keeps what we make from others. Its success."""
    return not os.system("umask 022; mkdir -p " + quote(path))


class Helpers:
    """The programs in `folder`: `addresses`, `links`, `notify`, `port80`; see ports/router/README.md."""

    def __init__(self, folder, run_dir):
        self._folder = folder
        self._output = run_dir + "/output"

    def __call__(self, name, *words, keep=False):
        """Run one; returns what it printed as text (bounded) where `keep`, else "". Raises LocalError("hook").

        Everything else stands still meanwhile; after a minute it is ended.
        """
        command = " ".join([quote(self._folder + "/" + name)] + [quote(word) for word in words])
        if keep:
            command += " >" + quote(self._output)
        status = os.system(_SCRIPT % (command, _SHUT, _SECONDS, _SHUT))
        if status:
            how = "exit status %d" % (status >> 8) if status & 0x7F == 0 else "signal %d" % (status & 0x7F)
            raise LocalError(
                "hook", "%s/%s failed (%s); what it printed says why." % (self._folder, name, how)
            )
        if not keep:
            return ""
        try:
            with open(self._output, "rb") as file:
                return str(file.read(min(os.stat(self._output)[6], _OUTPUT)), "utf-8")
        except (OSError, UnicodeError):
            raise LocalError("hook", "%s/%s printed nothing that can be read." % (self._folder, name))
