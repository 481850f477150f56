"""The owner's settings from /etc/config/ipcert, read strictly: a misspelt wish is never silently ignored."""

import binascii

from ipcert import identifiers, limits, policy
from ipcert.acme import challenge
from ipcert.errors import LocalError

from . import options, uci

DEFAULT = "/etc/config/ipcert"
_DIRECTORIES = {
    "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
    "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
_UNITS = {"s": 1, "m": limits.MINUTE, "h": limits.HOUR, "d": limits.DAY, "w": 7 * limits.DAY}
# No router's web server shows the certificates that tls-alpn-01 takes.
_CHALLENGES = tuple([row.name for row in challenge.TABLE if row.name != challenge.ALPN])
_YES = ("1", "yes", "on", "true", "enabled")
_NO = ("0", "no", "off", "false", "disabled")

# What only a router has: option -> (kind, default). A kind is a word, or pairs: what may stand there, and what it is used as.
# What a router shares with other machines is in `options`, which is made.
OPTIONS = {
    "enabled": ("flag", False),
    "interface": ("text", ""),
    "family": ((("ipv4", (4,)), ("ipv6", (6,)), ("both", (4, 6))), (4,)),
    "roots": ("text", "/etc/ssl/certs/ca-certificates.crt"),
    "eab_key": ("text", ""),
    "dns_webhook": ("text", ""),
    "dns_token": ("text", ""),
    "listen": ("texts", ("0.0.0.0", "::")),
    "port": ("number", 80),
    "webroot": ("text", ""),
    "wait_for_ntp": ("flag", True),
    "state_dir": ("text", "/etc/ipcert"),
    "cert_dir": ("text", "/etc/ssl/acme"),
    "run_dir": ("text", "/var/run/ipcert"),
    "helpers": ("text", "/usr/lib/ipcert"),
}
OPTIONS.update(options.SHARED)


def refuse_proxy(getenv):
    """Raise LocalError("config") where the environment names a proxy: a router asks none, and going past it would show what
    the owner may want hidden. `getenv`: os.getenv.
    """
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        if getenv(name):
            raise LocalError("config", "%s is set, but ipcert on a router asks no proxy; unset it." % name)


def _seconds(name, text):
    if text[:-1].isdigit() and len(text) < 10 and text[-1] in _UNITS:
        return int(text[:-1]) * _UNITS[text[-1]]
    raise LocalError("config", "%s must be a time such as 90s, 15m, 6h or 14d." % name)


def _value(name, kind, value):
    is_list = kind in ("texts", "contacts")
    if is_list != isinstance(value, list):
        raise LocalError(
            "config", "%s is %s." % (name, "a list: write 'list %s ...'" % name if is_list else "no list")
        )
    if isinstance(kind, tuple):
        for word, meaning in kind:
            if word == value:
                return meaning
        words = [word for word, _ in kind]
        raise LocalError("config", "%s must be %s or %s." % (name, ", ".join(words[:-1]), words[-1]))
    if kind == "flag":
        if value not in _YES + _NO:
            raise LocalError("config", "%s must be 1 or 0." % name)
        return value in _YES
    if kind == "number":
        if not value.isdigit() or len(value) > 9:
            raise LocalError("config", "%s must be a whole number." % name)
        return int(value)
    if kind == "duration":
        return _seconds(name, value)
    if kind == "contacts":
        return tuple([one if ":" in one else "mailto:" + one for one in value])
    return value


class Config:
    """What the file says, checked. Raises LocalError("config" | "identifier" | "not-public") with one sentence.

    names, addresses   lists of Identifier; interface: whose addresses to certify, "" where they are given
    families           those of 4 and 6 that an interface's addresses are taken from
    test               a private test CA: addresses that no public CA validates are allowed
    policy             `ipcert.policy.Policy`; directory: the CA's URL; other attributes are options' values
    """

    def __init__(self, values):
        for name in values:
            if name not in OPTIONS:
                raise LocalError(
                    "config", "there is no option %s; see ports/router/README.md for what there is." % name
                )
        for name in OPTIONS:
            kind, default = OPTIONS[name]
            setattr(self, name, _value(name, kind, values[name]) if name in values else default)
        self.directory = _DIRECTORIES.get(self.directory, self.directory)
        self.names = [self._identifier(text, 0) for text in self.names]
        self.addresses = [self._identifier(text, 1) for text in self.addresses]
        self.families = self.family
        if self.interface and self.addresses:
            raise LocalError(
                "config",
                "give either interface or addresses: one says where to look, the other what is there.",
            )
        if not (self.names or self.addresses or self.interface):
            raise LocalError("config", "there is nothing to certify: give names, an interface or addresses.")
        for c in self.interface:
            # It is handed to firmware's own shell functions, and not all of them quote.
            if not (c.isalpha() and c < "\x7f" or c.isdigit() or c in "_.@:-") or self.interface[0] == "-":
                raise LocalError("config", "interface must be the name of an interface, such as wan.")
        if not 0 < self.port < 65536 or not self.listen:
            raise LocalError("config", "port goes from 1 to 65535, and listen names at least one address.")
        if self.challenge_name not in _CHALLENGES:
            raise LocalError(
                "config",
                "challenge_name must be one of %s: nothing else is answered here." % ", ".join(_CHALLENGES),
            )
        row = challenge.find(self.challenge_name)
        if row.record and not row.lasting and not self.dns_webhook.startswith("https://"):
            raise LocalError(
                "config", "%s needs dns_webhook, an https URL that makes the record." % self.challenge_name
            )
        if self.profile_name == "shortlived":
            raise LocalError(
                "config",
                "the six-day profile is for addresses: it would renew the name far too often to hide.",
            )
        for name in ("roots", "state_dir", "cert_dir", "run_dir", "helpers"):
            if getattr(self, name)[:1] != "/":
                raise LocalError("config", "%s must be a path that begins with /." % name)
        choices = {parameter: getattr(self, options.POLICY[parameter]) for parameter in options.POLICY}
        self.policy = policy.Policy(eab_key=_eab(self.eab_key), **choices)

    def _identifier(self, text, address):
        found = identifiers.parse(text)
        if bool(found.family) != bool(address):
            other = "names" if address else "addresses"
            raise LocalError("config", "%s belongs in %s." % (found.value, other))
        identifiers.check_public(found, self.test)
        return found


def _eab(text):
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4))
    except ValueError:
        raise LocalError("config", "eab_key must be the CA's key in base64url.")


def load(path):
    """The Config in the UCI file `path`: its one section of type ipcert. Raises LocalError("config", ...)."""
    found = [section for section in uci.load(path) if section.kind == "ipcert"]
    if len(found) != 1:
        raise LocalError("config", "%s must have one section of type ipcert; it has %d." % (path, len(found)))
    try:
        return Config(found[0].values)
    except LocalError as e:
        raise LocalError(e.code, "%s: %s" % (path, e.text))
