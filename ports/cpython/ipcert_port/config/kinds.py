"""What a setting's value may look like: one function for each kind, from what the file says to what is used.

Each takes the setting's name, the value as TOML gives it, and the folder that relative paths begin in. It raises
LocalError("config") with one sentence that names the setting and says what to write.
"""

from __future__ import annotations

import os

from ipcert import limits
from ipcert.errors import LocalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Optional, TypeVar

    T = TypeVar("T")
    Endpoint = tuple[Optional[str], int]  # host, None for every address, and port

_UNITS = {"s": 1, "m": limits.MINUTE, "h": limits.HOUR, "d": limits.DAY, "w": 7 * limits.DAY}


def _typed(name: str, value: Any, wanted: type[T], noun: str) -> T:
    if type(value) is not wanted:
        raise LocalError("config", "%s must be %s." % (name, noun))
    words = value if isinstance(value, list) else [value]
    if isinstance(value, list) and [one for one in words if not isinstance(one, str)]:
        raise LocalError("config", "%s must be %s." % (name, noun))
    if [one for one in words if isinstance(one, str) and "\0" in one]:
        raise LocalError("config", "%s holds a null character; remove it." % name)
    return value


def text(name: str, value: Any, folder: str = "") -> str:
    """Text."""
    return _typed(name, value, str, "text in quotes")


def flag(name: str, value: Any, folder: str = "") -> bool:
    """True or False."""
    return _typed(name, value, bool, "true or false")


def number(name: str, value: Any, folder: str = "") -> int:
    """A whole number."""
    return _typed(name, value, int, "a whole number")


def texts(name: str, value: Any, folder: str = "") -> list[str]:
    """A list of texts."""
    return _typed(name, value, list, "a list of texts in quotes")


def choice(name: str, value: Any, choices: Mapping[str, Any]) -> Any:
    """What `choices`, a dictionary, has for the text. An empty text among them is a choice that needs no telling."""
    if text(name, value) not in choices:
        words = ['"%s"' % word for word in choices if word]
        raise LocalError("config", "%s must be %s or %s." % (name, ", ".join(words[:-1]), words[-1]))
    return choices[value]


def duration(name: str, value: Any, folder: str = "") -> int:
    """Seconds from "90s", "15m", "6h", "14d" or "2w"."""
    if (
        isinstance(value, str)
        and value[:-1].isdigit()
        and len(value) < 10
        and value[-1] in _UNITS
        and value.isascii()
    ):
        return int(value[:-1]) * _UNITS[value[-1]]
    raise LocalError("config", '%s must be a time such as "90s", "15m", "6h" or "14d".' % name)


def contacts(name: str, value: Any, folder: str = "") -> tuple[str, ...]:
    """A tuple of URLs; a bare mail address becomes one."""
    return tuple([one if ":" in one else "mailto:" + one for one in texts(name, value)])


def path(name: str, value: Any, folder: str) -> str:
    """An absolute path. A relative one is seen from the file, so it means the same wherever the command is started."""
    if not text(name, value):
        raise LocalError("config", "%s: the path is empty; write a folder or file." % name)
    return os.path.normpath(os.path.join(folder, os.path.expanduser(value)))


def endpoint(name: str, value: str, least: int = 1) -> Endpoint:
    """(host, port) from "0.0.0.0:80", "[::]:80" or "*:80" (every address: host None).

    `least` 0 allows port 0, which stands for any free one.
    """
    host, _, port = value.rpartition(":")
    if host[:1] == "[" and host[-1:] == "]":
        host = host[1:-1]
    elif ":" in host:
        host = ""
    if not host or not (port.isascii() and port.isdigit() and len(port) < 6 and least <= int(port) < 65536):
        raise LocalError(
            "config", '%s: %r must look like "*:80", "192.0.2.7:80" or "[::]:80".' % (name, value)
        )
    return None if host == "*" else host, int(port)


def endpoints(name: str, value: Any, folder: str = "") -> list[Endpoint]:
    """A list of what `endpoint` gives."""
    return [endpoint(name, one) for one in texts(name, value)]


def server(name: str, value: Any, folder: str = "") -> tuple[str, int]:
    """(address, port) from "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:5353"; 53 where no port is given."""
    import ipaddress

    host, port = text(name, value), "53"
    if value[:1] == "[" and "]" in value:
        host, _, port = value[1:].partition("]")
        port = port[1:] if port else "53"
    elif value.count(":") == 1:
        host, port = value.split(":")
    try:
        number = int(port) if port.isascii() and port.isdigit() else 0
        if 0 < number < 65536:
            return str(ipaddress.ip_address(host)), number
    except ValueError:
        pass
    raise LocalError(
        "config", '%s: %r must be an address, such as "192.0.2.53" or "192.0.2.53:5353".' % (name, value)
    )


def servers(name: str, value: Any, folder: str = "") -> list[tuple[str, int]]:
    """A list of what `server` gives."""
    return [server(name, one) for one in texts(name, value)]
