"""The owner's configuration: one TOML file, read strictly, so that a misspelt wish is never silently ignored."""

from __future__ import annotations

import os
import sys

from ipcert import identifiers, limits, policy, split
from ipcert.errors import LocalError

from ..address import discovery
from . import kinds, options
from .sections import DnsOptions, binding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ipcert.identifiers import Identifier
    from ipcert.split import Certificate

DEFAULT = "/etc/ipcert.toml"
_SIZE = 1 << 16  # a configuration is a page or two


class Config:
    """What the file says, checked. Raises LocalError("config" | "identifier" | ...) with one sentence.

    With `public` False it does not ask whether a public CA can certify the identifiers.

    path          of the file itself
    directory     the CA's directory URL; roots: path of a PEM file, None for the system's roots
    policy        `ipcert.policy.Policy`; address: `address.discovery.Options`
    found         family -> address (text), for those that the file wants found; evidence: how, as `ipcert.presence` has it
    state, deploy folders; listen, serve_listen: lists of (host, port); name_on "all" | "lan"
    hook          argument list, empty for none; hook_timeout in seconds
    server, server_config, group, copy    as `deploy.Deployer` takes them
    alpn_listen   list of (host, port); alpn_shared: the folder of a shared port 443, or None
    dns           `sections.DnsOptions`; fleet: (domain or "", devices that enrol in a week or 0)
    """

    def __init__(self, path: str, data: bytes, public: bool = True) -> None:
        self.path = os.path.abspath(path)
        self._folder = os.path.dirname(self.path)
        values = _values(path, data, self._folder)
        self.directory = _directory(values["ca.directory"])
        self.roots = values["ca.roots"]
        self.found: dict[int, str] = {}
        self.evidence: dict[int, int] = {}
        self._wanted = _identifiers(values["identifiers.names"], values["identifiers.addresses"])
        self.address = _address(values, [w for w in self._wanted if isinstance(w, int)])
        if public:
            for one in self.identifiers:
                identifiers.check_public(one, values["ca.test"])
        self.eab_key_file = values["ca.eab_key_file"]
        self._choices = {one.policy: values[one.name] for one in options.TABLE if one.policy}
        self._choices["eab_key"] = binding(values["ca.eab_kid"], self.eab_key_file, self.directory)
        self.override()
        self.dns = DnsOptions(values)
        self.alpn_listen, self.alpn_shared = values["tlsalpn.listen"], values["tlsalpn.shared"]
        self.fleet = values["fleet.domain"], values["fleet.devices_per_week"]
        self.state = values["state.dir"]
        self.deploy = values["deploy.dir"]
        self._deploying(values)
        self.listen = values["http01.listen"]
        self.webroot = values["http01.webroot"]
        self.serve_listen = values["serve.listen"]
        self.name_on = values["serve.name_on"]
        if not self.listen:
            raise LocalError("config", 'http01.listen is empty: say where the CA finds us, such as ["*:80"].')
        if self.deploy == self.state:
            raise LocalError("config", "deploy.dir and state.dir must be two folders.")
        if not self.alpn_listen and self.alpn_shared is None:
            raise LocalError(
                "config", 'tlsalpn.listen is empty: say where the CA finds us, such as ["*:443"].'
            )

    @property
    def identifiers(self) -> list[Identifier]:
        """List of `ipcert.identifiers.Identifier`: what the file says, and of what is to be found what `found` has."""
        out = []
        for one in self._wanted:
            if not isinstance(one, int):
                out.append(one)
            elif one in self.found:
                out.append(identifiers.parse(self.found[one]))
        return out

    def certificates(self) -> list[Certificate]:
        """The certificates that the core is to keep: a list of `ipcert.split.Certificate`."""
        return split.certificates(self.identifiers, self.policy, self.evidence)

    def groups(self) -> list[str]:
        """The identifiers as they share certificates: a list of texts, as in a record's `identifiers_text`."""
        return [one.text for one in self.certificates()]

    def group_of(self, name: str) -> str:
        """The group, as in `groups`, that a name or address is in. Raises LocalError("config")."""
        value = identifiers.parse(name, to_ascii).value
        for ids in self.groups():
            if value in ids.split(","):
                return ids
        raise LocalError("config", "%s is not in the configuration; add it there first." % value)

    def override(self, **choices: Any) -> None:
        """Other choices than the file's for this run; names are `policy.Policy`'s. Raises LocalError("config")."""
        self._choices.update(choices)
        if self._choices["profile_name"] == "shortlived" and [i for i in self.identifiers if not i.family]:
            text = "The six-day profile is for addresses: for a name its many renewals would give readers of the logs more to match."
            raise LocalError("config", text)
        self.policy = policy.Policy(**self._choices)

    def secrets(self) -> list[str]:
        """The paths of the files that hold secrets, as far as the owner gave us any."""
        own = [] if self.eab_key_file is None else [self.eab_key_file]
        return own + self.dns.files()

    def _deploying(self, values: Mapping[str, Any]) -> None:
        from ..deploy import copies, folders, servers

        self.hook, self.hook_timeout = values["deploy.hook"], values["deploy.hook_timeout"]
        if self.hook and not self.hook[0]:
            raise LocalError(
                "config", 'deploy.hook must begin with a program, such as ["systemctl", "reload", "nginx"].'
            )
        self.group = values["deploy.group"]
        self.server, self.server_config = values["deploy.server"], values["deploy.server_config"]
        if self.server and self.server not in servers.NAMES:
            raise LocalError(
                "config", 'deploy.server must be "nginx" or "caddy"; for another one use deploy.hook.'
            )
        if self.server and not servers.can_quote(self.deploy):
            raise LocalError(
                "config",
                "deploy.dir has a character that means something to %s; choose another." % self.server,
            )
        self.copy = [
            copies.Copy(text, folders.FILES, lambda path: kinds.path("deploy.copy", path, self._folder))
            for text in values["deploy.copy"]
        ]


def load(path: str, public: bool = True) -> Config:
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


def _parse(path: str, data: bytes) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError:
            raise LocalError(
                "config", "Python before 3.11 needs the package tomli; install it (Debian: python3-tomli)."
            ) from None
    try:
        return dict(tomllib.loads(data.decode()))
    except UnicodeDecodeError:
        raise LocalError("config", "%s is not UTF-8 text; is it the right file?" % path) from None
    except tomllib.TOMLDecodeError as e:
        raise LocalError(
            "config", "%s is not valid TOML: %s; mend that line." % (path, str(e).rstrip("."))
        ) from None
    except RecursionError:
        raise LocalError("config", "%s is nested too deeply; is it the right file?" % path) from None


def _values(path: str, data: bytes, folder: str) -> dict[str, Any]:
    """The value of every setting by its name, defaults filled in."""
    given = _parse(path, data)
    for section in given:
        if section not in options.SECTIONS:
            raise _unknown(path, section, "[%s]" % section if isinstance(given[section], dict) else section)
        if not isinstance(given[section], dict):
            raise LocalError(
                "config", "%s: %s is a section; write [%s] on a line of its own." % (path, section, section)
            )
        for key in given[section]:
            if key not in options.SECTIONS[section]:
                raise _unknown(path, key, "%s.%s" % (section, key), section)
    out = {}
    for section, known in options.SECTIONS.items():
        values = given.get(section, {})
        for key, one in known.items():
            out[one.name] = one.read(values[key], folder) if key in values else one.preset()
    return out


def _unknown(path: str, word: str, shown: str, section: str | None = None) -> LocalError:
    """The error for a key nobody knows, with the nearest one that exists, sections and all."""
    import difflib

    known: dict[str, str] = {}
    for s in options.SECTIONS:
        known.setdefault(s, "[%s]" % s)
        for k in options.SECTIONS[s]:
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


def _directory(text: str) -> str:
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
            % (directories.KNOWN["letsencrypt"][0], known),
        ) from None


def to_ascii(name: str) -> str:
    try:
        import idna
    except ImportError:
        raise LocalError(
            "config", "%s needs the Python package idna; install it, or write the name as xn--..." % name
        ) from None
    return idna.encode(name, uts46=True).decode()


def _address(values: Mapping[str, Any], families: Sequence[int]) -> discovery.Options:
    source, command = values["address.source"], values["address.command"]
    if (source == "command") != bool(command and command[0]):
        raise LocalError("config", 'address.command and address.source = "command" belong together.')
    every = max(limits.DOUBT_EVERY // max(values["policy.compress"], 1), 1)
    return discovery.Options(
        families, source, values["address.interfaces"], command, values["ca.test"], every
    )


def _identifiers(names: Sequence[str], addresses: Sequence[str]) -> list[Identifier | int]:
    """Identifiers, and for an address that is to be found its family."""
    found: list[identifiers.Identifier | int] = []
    for text in names:
        one = identifiers.parse(text, to_ascii)
        if one.family:
            raise LocalError("config", "%s is an address; write it in identifiers.addresses." % one.value)
        found.append(one)
    for text in addresses:
        if text in discovery.FAMILIES:
            found.append(discovery.FAMILIES[text])
            continue
        one = identifiers.parse(text, to_ascii)
        if not one.family:
            raise LocalError("config", "%s is a name; write it in identifiers.names." % one.value)
        found.append(one)
    for word in discovery.FAMILIES:
        same = [
            one
            for one in found
            if one == discovery.FAMILIES[word] or getattr(one, "family", 0) == discovery.FAMILIES[word]
        ]
        if discovery.FAMILIES[word] in found and len(same) > 1:
            raise LocalError(
                "config", 'identifiers.addresses: beside "%s" there can be no other of that family.' % word
            )
    if not found:
        raise LocalError(
            "config", "There is nothing to certify: fill in identifiers.names or identifiers.addresses."
        )
    return found
