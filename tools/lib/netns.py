"""Network namespaces of a test's own: what is done to their addresses and routes, nobody else sees."""

import contextlib
import ctypes
import os
import shutil
import subprocess

from tools.lib import debian, needs
from tools.lib.say import Stop

_CLONE_NEWNET = 0x40000000


def possible():
    """True where this process may make one: it is root, has ip(8), and the kernel lets it."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    if debian.is_debian():
        needs.install("ip")  # what is missing must be installed here, and no test be skipped for it
    if shutil.which("ip") is None:
        return False
    return subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0


def ip(words):
    """Run ip(8) in the namespace of this thread. Raises `Stop`."""
    done = subprocess.run(["ip", *words.split()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Stop(f"ip {words}: {done.stdout.strip()}.")


def _call(name, *arguments):
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments):
        raise Stop(f"{name}: {os.strerror(ctypes.get_errno())}.")


class Namespace:
    """A new one with its loopback up. `enter()` puts this thread, and what it starts, into it for a `with` block."""

    def __init__(self):
        with self._back():
            _call("unshare", _CLONE_NEWNET)
            self._fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            ip("link set lo up")

    @staticmethod
    @contextlib.contextmanager
    def _back():
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield
        finally:
            _call("setns", here, _CLONE_NEWNET)
            os.close(here)

    @contextlib.contextmanager
    def enter(self):
        """For as long as the block lasts this thread is in it."""
        with self._back():
            _call("setns", self._fd, _CLONE_NEWNET)
            yield

    def take(self, link):
        """Move a link of this thread's namespace into this one."""
        done = subprocess.run(
            ["ip", "link", "set", link, "netns", f"/proc/self/fd/{self._fd}"],
            pass_fds=[self._fd],
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise Stop(f"ip link set {link} netns: {done.stderr.strip()}.")

    def close(self):
        """Nothing of it is left when its last process ends."""
        os.close(self._fd)
