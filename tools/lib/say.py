"""How a tool speaks: progress on stderr, and one clear sentence when it has to stop."""

import errno
import signal
import sys

from tools.lib import loopback

DISK_FULL = (
    "The disk is full: make room, or set IPCERT_CACHE to a directory on another disk, and run this again."
)


class Stop(Exception):
    """The tool cannot go on. `str(error)` is one plain sentence that says what to do."""


def note(line):
    """Print a line of progress to stderr."""
    print(line, file=sys.stderr, flush=True)


def main(function):
    """Run `function()` as a command: its return value is the exit status, a `Stop` is one sentence and status 2."""
    signal.signal(signal.SIGTERM, _terminated)
    loopback.ask_directly()
    try:
        status = function()
    except Stop as error:
        note(f"{sys.argv[0]}: {error}")
        status = 2
    except KeyboardInterrupt:
        note("interrupted")
        status = 130
    except BrokenPipeError:
        sys.stderr.close()
        status = 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        note(f"{sys.argv[0]}: {DISK_FULL} ({error})")
        status = 2
    sys.exit(status or 0)


def _terminated(number, frame):
    """Unwind, so that whatever was started is ended too."""
    raise SystemExit(128 + number)
