"""The configuration's longer sections, checked: [dns], and the external account binding."""

from __future__ import annotations

from ipcert.errors import LocalError

from . import kinds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..solvers.dns.providers import Provider
    from ..solvers.dns.queries import Dns

_SECRET = 4096  # bytes of a file that holds one


class DnsOptions:
    """The section [dns]. `make()` gives what the DNS challenges need; secrets are read then, not before.

    timeout   seconds until every server must show a record
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._table = {name[len("dns.") :]: values[name] for name in values if name.startswith("dns.")}
        self.timeout = values["dns.timeout"]
        self._server = ("", 0)
        kind = values["dns.provider"]
        if kind == "rfc2136":
            self._need("server", "key_name", "key_file")
            self._server = kinds.server("dns.server", values["dns.server"])
            from ..solvers.dns.providers import ALGORITHMS

            if values["dns.algorithm"] not in ALGORITHMS:
                raise LocalError("config", "dns.algorithm must be one of %s." % ", ".join(ALGORITHMS))
        elif kind == "webhook":
            self._need("url")
            if not values["dns.url"].startswith("https://"):
                raise LocalError(
                    "config", "dns.url must be an https URL: what it is told must not be changed on its way."
                )
        elif kind == "exec":
            self._need("command")

    def _need(self, *keys: str) -> None:
        for key in keys:
            if not self._table[key]:
                raise LocalError(
                    "config", 'dns.provider = "%s" needs dns.%s.' % (self._table["provider"], key)
                )

    @property
    def resolvers(self) -> list[tuple[str, int]]:
        """List of (address, port) of the resolvers to ask, [] for the system's."""
        return list(self._table["resolvers"])

    def files(self) -> list[str]:
        """The paths of the files that hold secrets."""
        return [self._table[key] for key in ("key_file", "token_file") if self._table[key] is not None]

    def make(self) -> tuple[Dns, Provider | None]:
        """(`dnsask.Dns`, a `dnsprovider` or None)."""
        from ..solvers.dns import providers
        from ..solvers.dns.queries import Dns

        table = self._table
        ask = Dns(table["resolvers"], table["authoritative"])
        kind = table["provider"]
        if kind == "rfc2136":
            secret = read_secret("dns.key_file", table["key_file"])
            return ask, providers.Rfc2136(
                self._server, ask, table["key_name"], secret, table["algorithm"], table["zone"]
            )
        if kind == "webhook":
            token = read_secret("dns.token_file", table["token_file"]) if table["token_file"] else ""
            return ask, providers.Webhook(table["url"], table["roots"], token)
        return ask, providers.Exec(table["command"]) if kind == "exec" else None


def read_secret(name: str, path: str) -> str:
    """The one line of text in a file, which should be readable by nobody else. Raises LocalError("config")."""
    try:
        with open(path, encoding="ascii") as file:
            text = file.read(_SECRET).strip()
    except OSError as e:
        raise LocalError(
            "config", "Cannot read %s, %s: %s." % (name, path, (e.strerror or "").lower())
        ) from None
    except UnicodeDecodeError:
        text = ""
    if not text or "\n" in text:
        raise LocalError("config", "%s, %s, must hold one line: the secret." % (name, path))
    return text


def binding(kid: str, path: str | None, directory: str) -> bytes:
    """The external account binding's key as bytes, b"" where there is none. Raises LocalError("config")."""
    import base64

    from . import directories

    if bool(kid) != bool(path):
        raise LocalError("config", "An external account binding needs both ca.eab_kid and ca.eab_key_file.")
    if not kid or path is None:
        if directories.needs_binding(directory):
            text = "%s gives accounts to its customers only: set ca.eab_kid and ca.eab_key_file to what it gave you."
            raise LocalError("config", text % directories.name(directory))
        return b""
    text = read_secret("ca.eab_key_file", path)
    try:
        key = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", True)
    except ValueError:
        raise LocalError(
            "config", "ca.eab_key_file must hold the key in base64url, as the CA shows it."
        ) from None
    if len(key) < 16:
        raise LocalError("config", "The key in ca.eab_key_file is shorter than 16 bytes; copy all of it.")
    return key
