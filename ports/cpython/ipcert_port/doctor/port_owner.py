"""Which program listens on a port, as far as this user may know."""

from __future__ import annotations

import os

_LISTEN = "0A"  # TCP_LISTEN in /proc/net/tcp
_MOST = 65536  # lines


def holder(port: int) -> tuple[int, str]:
    """(process number, something like "nginx (process 812)"); (0, "") where it cannot be known."""
    sockets = _sockets(port)
    try:
        pids = [name for name in os.listdir("/proc") if name.isdigit()] if sockets else []
    except OSError:
        return 0, ""
    for pid in pids:
        folder = "/proc/%s/fd" % pid
        try:
            for fd in os.listdir(folder):
                if os.readlink(os.path.join(folder, fd)) in sockets:
                    with open("/proc/%s/comm" % pid) as file:
                        return int(pid), "%s (process %s)" % (file.read().strip(), pid)
        except OSError:
            continue  # another user's, or gone
    return 0, ""


def _sockets(port: int) -> set[str]:
    """What the listening sockets on `port` are called among a process's files."""
    out = set()
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(name) as file:
                for line, _ in zip(file, range(_MOST)):
                    words = line.split()
                    if len(words) > 9 and words[3] == _LISTEN and int(words[1].split(":")[1], 16) == port:
                        out.add("socket:[%s]" % words[9])
        except (OSError, ValueError):
            continue
    return out
