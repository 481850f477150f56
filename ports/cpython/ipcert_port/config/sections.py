"""The configuration's longer sections, checked: [dns], and the external account binding."""

from ipcert.errors import LocalError

PROVIDERS = ("", "rfc2136", "webhook", "exec")
_SECRET = 4096  # bytes of a file that holds one


class DnsOptions:
    """The section [dns]. `make()` gives what the DNS challenges need; secrets are read then, not before.

    timeout   seconds until every server must show a record
    """

    KEYS = {
        "provider": (str, ""),
        "server": (str, ""),
        "zone": (str, ""),
        "key_name": (str, ""),
        "key_file": (str, None),
        "algorithm": (str, "hmac-sha256"),
        "url": (str, ""),
        "roots": (str, None),
        "token_file": (str, None),
        "command": (list, ()),
        "timeout": ("duration", 300),
        "resolvers": (list, ()),
        "authoritative": (list, ()),
    }

    def __init__(self, table, file):
        self._table = table
        self.timeout = table["timeout"]
        kind = table["provider"]
        if kind not in PROVIDERS:
            raise LocalError("config", 'dns.provider must be "rfc2136", "webhook" or "exec".')
        self._resolvers = [_server("dns.resolvers", one) for one in table["resolvers"]]
        self._authoritative = [_server("dns.authoritative", one) for one in table["authoritative"]]
        self._server = None
        if kind == "rfc2136":
            self._need("server", "key_name", "key_file")
            self._server = _server("dns.server", table["server"])
            from ..solvers.dns.providers import ALGORITHMS

            if table["algorithm"] not in ALGORITHMS:
                raise LocalError("config", "dns.algorithm must be one of %s." % ", ".join(ALGORITHMS))
        elif kind == "webhook":
            self._need("url")
            if not table["url"].startswith("https://"):
                raise LocalError(
                    "config", "dns.url must be an https URL: what it is told must not be changed on its way."
                )
        elif kind == "exec":
            self._need("command")
        self._files = {
            k: None if table[k] is None else file(table[k]) for k in ("key_file", "roots", "token_file")
        }

    def _need(self, *keys):
        for key in keys:
            if not self._table[key]:
                raise LocalError(
                    "config", 'dns.provider = "%s" needs dns.%s.' % (self._table["provider"], key)
                )

    @property
    def resolvers(self):
        """List of (address, port) of the resolvers to ask, [] for the system's."""
        return self._resolvers

    def files(self):
        """The paths of the files that hold secrets."""
        return [self._files[key] for key in ("key_file", "token_file") if self._files[key] is not None]

    def make(self):
        """(`dnsask.Dns`, a `dnsprovider` or None)."""
        from ..solvers.dns import providers
        from ..solvers.dns.queries import Dns

        table = self._table
        ask = Dns(self._resolvers, self._authoritative)
        kind = table["provider"]
        if kind == "rfc2136":
            secret = read_secret("dns.key_file", self._files["key_file"])
            return ask, providers.Rfc2136(
                self._server, ask, table["key_name"], secret, table["algorithm"], table["zone"]
            )
        if kind == "webhook":
            token = (
                read_secret("dns.token_file", self._files["token_file"]) if self._files["token_file"] else ""
            )
            return ask, providers.Webhook(table["url"], self._files["roots"], token)
        return ask, providers.Exec(table["command"]) if kind == "exec" else None


def read_secret(name, path):
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


def binding(kid, path, directory):
    """The external account binding's key as bytes, b"" where there is none. Raises LocalError("config")."""
    import base64

    from . import directories

    if bool(kid) != bool(path):
        raise LocalError("config", "An external account binding needs both ca.eab_kid and ca.eab_key_file.")
    if not kid:
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


def _server(name, text):
    """(address, port) from "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:5353"; 53 where no port is given."""
    import ipaddress

    host, port = text, "53"
    if text[:1] == "[" and "]" in text:
        host, _, port = text[1:].partition("]")
        port = port[1:] if port else "53"
    elif text.count(":") == 1:
        host, port = text.split(":")
    try:
        number = int(port) if port.isascii() and port.isdigit() else 0
        if 0 < number < 65536:
            return str(ipaddress.ip_address(host)), number
    except ValueError:
        pass
    raise LocalError(
        "config", '%s: %r must be an address, such as "192.0.2.53" or "192.0.2.53:5353".' % (name, text)
    )
