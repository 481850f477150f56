"""Free ports on loopback, and a wait until somebody listens on one."""

import contextlib
import os
import random
import socket
import time

_FIRST, _LAST = 12000, 32000  # the kernel's own range begins at 32768


def ask_directly():
    """Have no proxy of the environment asked for what is on loopback, by this process and by what it starts."""
    if not any(os.environ.get(name) for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")):
        return
    for name in ("no_proxy", "NO_PROXY"):
        there = os.environ.get(name, "").strip()
        if there != "*" and (there or name == "NO_PROXY"):
            os.environ[name] = ",".join(filter(None, [there, "localhost", "127.0.0.1", "::1"]))


def has_ipv6():
    """True when ::1 can be bound."""
    return socket.has_ipv6 and _free(socket.AF_INET6, "::1", 0)


def free_ports(count):
    """`count` different ports that are free for TCP and UDP on 127.0.0.1 and, where there is one, ::1.

    They come from below the range from which the kernel takes ports for outgoing connections, so that only another
    run like this one could take them before they are used. The workers of one pytest run take from ranges of their own.
    """
    # pytest-xdist numbers its workers gw0, gw1 and so on.
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    width = (_LAST - _FIRST) // workers
    first = _FIRST + worker * width
    addresses = [(socket.AF_INET, "127.0.0.1")]
    if has_ipv6():
        addresses.append((socket.AF_INET6, "::1"))
    found = []
    draw = random.SystemRandom()
    while len(found) < count:
        port = draw.randrange(first, first + width)
        kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM)
        if port not in found and all(
            _free(family, host, port, kind) for family, host in addresses for kind in kinds
        ):
            found.append(port)
    return found


def answers(port, host="127.0.0.1"):
    """True when a TCP connection to the port is accepted."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(condition, seconds, step=0.02):
    """Call `condition()` until it is true or `seconds` have passed. Returns what it returned last."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(step)


def _free(family, host, port, kind=socket.SOCK_STREAM):
    with contextlib.suppress(OSError), socket.socket(family, kind) as probe:
        probe.bind((host, port))
        return True
    return False
