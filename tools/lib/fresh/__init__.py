"""A bare Debian tree, and commands run in it as on a machine that never had anything installed."""

import contextlib
import signal


@contextlib.contextmanager
def finishing():
    """Let SIGINT and SIGTERM wait until the end of a `with` block, for what must be undone whatever happens."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
