"""The owner's configuration: one TOML file, read strictly, so that a misspelt wish is never silently ignored."""

import os

from ipcert import identifiers, limits, policy, split
from ipcert.errors import LocalError

from ..address.discovery import FAMILIES, SOURCES, Options
from .sections import DnsOptions, binding

DEFAULT = "/etc/ipcert.toml"
DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory"
_SIZE = 1 << 16  # a configuration is a page or two

_RECOVERY = {"fast": limits.HOUR, "balanced": 3 * limits.DAY, "private": 7 * limits.DAY}
_UNITS = {"s": 1, "m": limits.MINUTE, "h": limits.HOUR, "d": limits.DAY, "w": 7 * limits.DAY}

# section -> key -> (type, default). A list is one of strings; a duration is text such as "14d".
KEYS = {
    "ca": {
        "directory": (str, DIRECTORY),
        "roots": (str, None),
        "test": (bool, False),
        "contacts": (list, ()),
        "agree_terms": (bool, False),
        "eab_kid": (str, ""),
        "eab_key_file": (str, None),
    },
    "identifiers": {"names": (list, ()), "addresses": (list, ()), "combined": (bool, False)},
    "address": {"source": (str, "auto"), "interfaces": (list, ()), "command": (list, ())},
    "policy": {
        "urgent": (str, "ip"),
        "setting": (str, "home"),
        "first_delay": ("duration", None),
        "recovery": (str, "balanced"),
        "strict_ari": (bool, False),
        "min_ip_age": ("duration", limits.DAY),
        "profile_name": (str, ""),
        "profile_ip": (str, ""),
        "preferred_chain": (str, ""),
        "compress": (int, 1),
    },
    "challenge": {"name": (str, "http-01"), "address": (str, "http-01"), "accounturi": (bool, None)},
    "tlsalpn": {"listen": (list, ("*:443",)), "shared": (str, None)},
    "dns": DnsOptions.KEYS,
    "fleet": {"domain": (str, ""), "devices_per_week": (int, 0), "spread": ("duration", 0)},
    "state": {"dir": (str, "/var/lib/ipcert/state")},
    "http01": {"listen": (list, ("*:80",)), "webroot": (str, None)},
    "deploy": {
        "dir": (str, "/var/lib/ipcert/live"),
        "server": (str, ""),
        "server_config": (str, None),
        "group": (str, ""),
        "copy": (list, ()),
        "hook": (list, ()),
        "hook_timeout": ("duration", 2 * limits.MINUTE),
    },
    "serve": {"listen": (list, ()), "name_on": (str, "all")},
}
_NOUN = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    list: "a list of texts in quotes",
}


class Config:
    """What the file says, checked. Raises LocalError("config" | "identifier" | ...) with one sentence.

    With `public` False it does not ask whether a public CA can certify the identifiers.

    path          of the file itself
    directory     the CA's directory URL; roots: path of a PEM file, None for the system's roots
    policy        `ipcert.policy.Policy`; address: `address.Options`
    found         family -> address (text), for those that the file wants found
    state, deploy folders; listen, serve_listen: lists of (host, port); name_on "all" | "lan"
    hook          argument list, empty for none; hook_timeout in seconds
    server, server_config, group, copy    as `deploy.Deployer` takes them
    alpn_listen   list of (host, port); alpn_shared: the folder of a shared port 443, or None
    dns           `options.DnsOptions`; fleet: (domain or "", devices that enrol in a week or 0)
    """

    def __init__(self, path, data, public=True):
        self.path = os.path.abspath(path)
        table = _tables(path, data)
        ca, ids, pol = table["ca"], table["identifiers"], table["policy"]
        self.directory = _directory(ca["directory"])
        self.roots = None if ca["roots"] is None else self._file(ca["roots"])
        self.found = {}
        self._wanted = _identifiers(ids["names"], ids["addresses"])
        self.address = _address(table["address"], [w for w in self._wanted if type(w) is int], ca["test"])
        if public:
            for one in self.identifiers:
                identifiers.check_public(one, ca["test"])
        if pol["recovery"] not in _RECOVERY:
            raise LocalError("config", 'policy.recovery must be "fast", "balanced" or "private".')
        key_file = None if ca["eab_key_file"] is None else self._file(ca["eab_key_file"])
        self.eab_key_file = key_file
        self._choices = {
            "urgent": pol["urgent"],
            "spread": table["fleet"]["spread"],
            "setting": pol["setting"],
            "combined": ids["combined"],
            "first_delay": pol["first_delay"],
            "recovery": _RECOVERY[pol["recovery"]],
            "strict_ari": pol["strict_ari"],
            "min_ip_age": pol["min_ip_age"],
            "profile_name": pol["profile_name"],
            "profile_ip": pol["profile_ip"],
            "preferred_chain": pol["preferred_chain"],
            "challenge_name": table["challenge"]["name"],
            "challenge_ip": table["challenge"]["address"],
            "accounturi": table["challenge"]["accounturi"],
            "test_ca": ca["test"],
            "compress": pol["compress"],
            "contacts": tuple([c if ":" in c else "mailto:" + c for c in ca["contacts"]]),
            "agree_terms": ca["agree_terms"],
            "eab_kid": ca["eab_kid"],
            "eab_key": binding(ca["eab_kid"], key_file, self.directory),
        }
        self.override()
        self.dns = DnsOptions(table["dns"], self._file)
        self.alpn_listen = [endpoint("tlsalpn.listen", e) for e in table["tlsalpn"]["listen"]]
        self.alpn_shared = (
            None if table["tlsalpn"]["shared"] is None else self._file(table["tlsalpn"]["shared"])
        )
        self.fleet = table["fleet"]["domain"], table["fleet"]["devices_per_week"]
        self.state = self._file(table["state"]["dir"])
        self.deploy = self._file(table["deploy"]["dir"])
        self._deploying(table["deploy"])
        self.listen = [endpoint("http01.listen", e) for e in table["http01"]["listen"]]
        self.webroot = None if table["http01"]["webroot"] is None else self._file(table["http01"]["webroot"])
        self.serve_listen = [endpoint("serve.listen", e) for e in table["serve"]["listen"]]
        self.name_on = table["serve"]["name_on"]
        if self.name_on not in ("all", "lan"):
            raise LocalError("config", 'serve.name_on must be "all" or "lan".')
        if not self.listen:
            raise LocalError("config", 'http01.listen is empty: say where the CA finds us, such as ["*:80"].')
        if self.deploy == self.state:
            raise LocalError("config", "deploy.dir and state.dir must be two folders.")
        if not self.alpn_listen and self.alpn_shared is None:
            raise LocalError(
                "config", 'tlsalpn.listen is empty: say where the CA finds us, such as ["*:443"].'
            )

    @property
    def identifiers(self):
        """List of `ipcert.identifiers.Identifier`: what the file says, and of what is to be found what `found` has."""
        out = []
        for one in self._wanted:
            if type(one) is not int:
                out.append(one)
            elif one in self.found:
                out.append(identifiers.parse(self.found[one]))
        return out

    def certificates(self):
        """The certificates that the core is to keep: a list of `ipcert.split.Certificate`."""
        return split.certificates(self.identifiers, self.policy)

    def groups(self):
        """The identifiers as they share certificates: a list of texts, as in a record's `identifiers_text`."""
        return [one.text for one in self.certificates()]

    def group_of(self, name):
        """The group, as in `groups`, that a name or address is in. Raises LocalError("config")."""
        value = identifiers.parse(name, to_ascii).value
        for ids in self.groups():
            if value in ids.split(","):
                return ids
        raise LocalError("config", "%s is not in the configuration; add it there first." % value)

    def override(self, **choices):
        """Other choices than the file's for this run; names are `policy.Policy`'s. Raises LocalError("config")."""
        self._choices.update(choices)
        if self._choices["profile_name"] == "shortlived" and [i for i in self.identifiers if not i.family]:
            text = "The six-day profile is for addresses: for a name its many renewals would give readers of the logs more to match."
            raise LocalError("config", text)
        self.policy = policy.Policy(**self._choices)

    def secrets(self):
        """The paths of the files that hold secrets, as far as the owner gave us any."""
        own = [] if self.eab_key_file is None else [self.eab_key_file]
        return own + self.dns.files()

    def _deploying(self, table):
        from ..deploy import copies, folders, servers

        self.hook = list(table["hook"])
        self.hook_timeout = table["hook_timeout"]
        if self.hook and not self.hook[0]:
            raise LocalError(
                "config", 'deploy.hook must begin with a program, such as ["systemctl", "reload", "nginx"].'
            )
        self.group = table["group"]
        self.server = table["server"]
        self.server_config = None if table["server_config"] is None else self._file(table["server_config"])
        if self.server and self.server not in servers.NAMES:
            raise LocalError(
                "config", 'deploy.server must be "nginx" or "caddy"; for another one use deploy.hook.'
            )
        if self.server and not servers.can_quote(self.deploy):
            raise LocalError(
                "config",
                "deploy.dir has a character that means something to %s; choose another." % self.server,
            )
        self.copy = [copies.Copy(text, folders.FILES, self._file) for text in table["copy"]]

    def _file(self, name):
        if not name:
            raise LocalError("config", "A path is empty; write a folder or file.")
        # As seen from the file, so that it means the same wherever the command is started.
        return os.path.normpath(os.path.join(os.path.dirname(self.path), os.path.expanduser(name)))


def load(path, public=True):
    """Read and check the file at `path`; see `Config`. Raises LocalError("config", ...)."""
    try:
        with open(path, "rb") as file:
            data = file.read(_SIZE + 1)
    except FileNotFoundError:
        raise LocalError(
            "config",
            "There is no %s; 'ipcert init' writes one, --config names another." % path,
        ) from None
    except OSError as e:
        text = "Cannot read %s: %s; name the configuration's file with --config."
        raise LocalError("config", text % (path, (e.strerror or str(e)).lower())) from None
    if len(data) > _SIZE:
        raise LocalError("config", "%s is larger than %d bytes; is it the right file?" % (path, _SIZE))
    try:
        return Config(path, data, public)
    except LocalError as e:
        if path in e.text:
            raise
        raise LocalError(e.code, "%s: %s" % (path, e.text)) from None


def duration(name, text):
    """Seconds from "90s", "15m", "6h", "14d" or "2w". Raises LocalError("config")."""
    if (
        isinstance(text, str)
        and text[:-1].isdigit()
        and len(text) < 10
        and text[-1] in _UNITS
        and text.isascii()
    ):
        return int(text[:-1]) * _UNITS[text[-1]]
    raise LocalError("config", '%s must be a time such as "90s", "15m", "6h" or "14d".' % name)


def endpoint(name, text, least=1):
    """(host, port) from "0.0.0.0:80", "[::]:80" or "*:80" (every address: host None). Raises LocalError("config").

    `least` 0 allows port 0, which stands for any free one.
    """
    host, _, port = text.rpartition(":")
    if host[:1] == "[" and host[-1:] == "]":
        host = host[1:-1]
    elif ":" in host:
        host = ""
    if not host or not (port.isascii() and port.isdigit() and len(port) < 6 and least <= int(port) < 65536):
        raise LocalError(
            "config", '%s: %r must look like "*:80", "192.0.2.7:80" or "[::]:80".' % (name, text)
        )
    return None if host == "*" else host, int(port)


def _parse(path, data):
    try:
        import tomllib
    except ImportError:
        try:
            import tomli as tomllib
        except ImportError:
            raise LocalError(
                "config", "Python before 3.11 needs the package tomli; install it (Debian: python3-tomli)."
            ) from None
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise LocalError("config", "%s is not UTF-8 text; is it the right file?" % path) from None
    except tomllib.TOMLDecodeError as e:
        raise LocalError(
            "config", "%s is not valid TOML: %s; mend that line." % (path, str(e).rstrip("."))
        ) from None
    except RecursionError:
        raise LocalError("config", "%s is nested too deeply; is it the right file?" % path) from None


def _tables(path, data):
    """Every section with every key, defaults filled in."""
    given = _parse(path, data)
    for section in given:
        if section not in KEYS:
            raise _unknown(path, section, "[%s]" % section if isinstance(given[section], dict) else section)
        if not isinstance(given[section], dict):
            raise LocalError(
                "config", "%s: %s is a section; write [%s] on a line of its own." % (path, section, section)
            )
    out = {}
    for section in KEYS:
        out[section] = {}
        values = given.get(section, {})
        for key in values:
            if key not in KEYS[section]:
                raise _unknown(path, key, "%s.%s" % (section, key), section)
        for key in KEYS[section]:
            kind, default = KEYS[section][key]
            out[section][key] = (
                _value("%s.%s" % (section, key), kind, values[key]) if key in values else default
            )
    return out


def _value(name, kind, value):
    if kind == "duration":
        return duration(name, value)
    if type(value) is not kind or kind is list and [v for v in value if not isinstance(v, str)]:
        raise LocalError("config", "%s must be %s." % (name, _NOUN[kind]))
    if "\0" in (value if kind is str else "".join(value) if kind is list else ""):
        raise LocalError("config", "%s holds a null character; remove it." % name)
    return value


def _unknown(path, word, shown, section=None):
    """The error for a key nobody knows, with the nearest one that exists, sections and all."""
    import difflib

    known = {}
    for s in KEYS:
        known.setdefault(s, "[%s]" % s)
        for k in KEYS[s]:
            # The same section first: "dir" is in two.
            if k not in known or s == section:
                known[k] = "%s.%s" % (s, k)
    # Nobody meant a section where a key stands, unless the key is one exactly.
    names = [n for n in known if section is None or not known[n].startswith("[")]
    near = (
        [word] if word in names else difflib.get_close_matches(word.lower().replace("-", "_"), names, 1, 0.5)
    )
    advice = (
        "did you mean %s?" % known[near[0]]
        if near
        else "see the file that 'ipcert init' writes for what there is."
    )
    return LocalError("config", "%s: there is no %s; %s" % (path, shown, advice))


def _directory(text):
    from ipcert.acme import message
    from ipcert.errors import RemoteError

    from . import directories

    try:
        return message.url(directories.url(text), "directory")
    except RemoteError:
        known = ", ".join(sorted(directories.KNOWN))
        raise LocalError(
            "config",
            "ca.directory must be an https URL, such as %s, step-ca:HOST, or one of: %s."
            % (DIRECTORY, known),
        ) from None


def to_ascii(name):
    try:
        import idna
    except ImportError:
        raise LocalError(
            "config", "%s needs the Python package idna; install it, or write the name as xn--..." % name
        ) from None
    return idna.encode(name, uts46=True).decode()


def _address(table, families, test):
    if table["source"] not in SOURCES:
        raise LocalError("config", "address.source must be one of %s." % ", ".join(SOURCES))
    if (table["source"] == "command") != bool(table["command"] and table["command"][0]):
        raise LocalError("config", 'address.command and address.source = "command" belong together.')
    return Options(families, table["source"], table["interfaces"], table["command"], test)


def _identifiers(names, addresses):
    """Identifiers, and for an address that is to be found its family."""
    found = []
    for text in names:
        found.append(identifiers.parse(text, to_ascii))
        if found[-1].family:
            raise LocalError(
                "config", "%s is an address; write it in identifiers.addresses." % found[-1].value
            )
    for text in addresses:
        if text in FAMILIES:
            found.append(FAMILIES[text])
            continue
        found.append(identifiers.parse(text, to_ascii))
        if not found[-1].family:
            raise LocalError("config", "%s is a name; write it in identifiers.names." % found[-1].value)
    for word in FAMILIES:
        same = [one for one in found if one == FAMILIES[word] or getattr(one, "family", 0) == FAMILIES[word]]
        if FAMILIES[word] in found and len(same) > 1:
            raise LocalError(
                "config", 'identifiers.addresses: beside "%s" there can be no other of that family.' % word
            )
    if not found:
        raise LocalError(
            "config", "There is nothing to certify: fill in identifiers.names or identifiers.addresses."
        )
    return found
