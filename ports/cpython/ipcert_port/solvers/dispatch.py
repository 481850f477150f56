"""Where challenges are answered, by their type. Listeners are open only while a challenge is."""

from __future__ import annotations

from ipcert.acme import challenge
from ipcert.errors import LocalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from ipcert.action import Action

    from ..config.kinds import Endpoint
    from ..config.reader import Config
    from . import tlsalpn

    class Solver(Protocol):
        """What answers challenges of one type."""

        def publish(self, it: Action) -> None: ...
        def withdraw(self, it: Action) -> None: ...
        def close(self) -> None: ...


WARNING = (
    "The record for %s names the ACME account for all to see. Whoever reads it ties every name with the same account "
    "together; addresses have an account of their own, unless challenge.accounturi is false."
)


class Solvers:
    """`config` is a `config.Config`; `warn(sentence)` tells the owner what a challenge gives away."""

    def __init__(self, config: Config, warn: Callable[[str], object]) -> None:
        self._config = config
        self._warn = warn
        self._ways: dict[str, Solver] = {}
        self._warned: set[str] = set()

    def publish(self, it: Action) -> None:
        """Answer the challenge of a PUBLISH action from now on.

        Raises LocalError("port" | "webroot" | "dns" | "tlsalpn" | "challenge").
        """
        kind = it.challenge
        if kind not in self._ways:
            if kind not in _WAYS:
                raise LocalError("challenge", "This port does not answer %s." % kind)
            self._ways[kind] = _WAYS[kind](self)
        if challenge.find(kind).names_account and it.subject not in self._warned:
            self._warned.add(it.subject)
            self._warn(WARNING % it.subject)
        self._ways[kind].publish(it)

    def withdraw(self, it: Action) -> None:
        """Answer it no longer; with the last one its port is free again."""
        if it.challenge not in self._ways:
            # Published before a restart: only a record is still there, and a lasting one stays.
            row = challenge.find(it.challenge)
            if not row.record or row.lasting:
                return
            self._ways[it.challenge] = _WAYS[it.challenge](self)
        self._ways[it.challenge].withdraw(it)

    def close(self) -> None:
        """Stop listening, and leave no file behind."""
        ways, self._ways = self._ways, {}
        for kind in ways:
            ways[kind].close()

    def _http(self) -> _Http:
        return _Http(self._config.listen, self._config.webroot)

    def _alpn(self) -> _Alpn:
        return _Alpn(self._config.alpn_listen, self._config.alpn_shared)

    def _dns(self) -> Solver:
        from .dns.records import Dns01

        ask, provider = self._config.dns.make()
        if provider is None:
            raise LocalError("dns", "A DNS challenge needs to know who changes your zone: set dns.provider.")
        return Dns01(provider, ask, self._config.dns.timeout)

    def _persist(self) -> Solver:
        from .dns.records import DnsPersist01

        ask, provider = self._config.dns.make()
        return DnsPersist01(provider, ask, self._config.dns.timeout)


_WAYS: dict[str, Callable[[Solvers], Solver]] = {
    "http-01": Solvers._http,
    "tls-alpn-01": Solvers._alpn,
    "dns-01": Solvers._dns,
    "dns-account-01": Solvers._dns,
    "dns-persist-01": Solvers._persist,
}


class _Http:
    """Our own listeners, or another server's webroot. `listen`: list of (host, port), host None for every address."""

    def __init__(self, listen: Sequence[Endpoint], webroot: str | None = None) -> None:
        self._listen = listen
        self._webroot = webroot
        self._ways: list[Any] = []
        self._tokens: set[str] = set()

    def _open(self) -> list[Any]:
        from . import responder

        if self._webroot is not None:
            return [responder.Webroot(self._webroot)]
        return [responder.Responder(hosts, port) for port, hosts in responder.by_port(self._listen).items()]

    def publish(self, it: Action) -> None:
        if not self._ways:
            self._ways = self._open()
        for way in self._ways:
            way.publish(it.token, bytes(it.text))
        self._tokens.add(it.token)
        try:
            for way in self._ways:
                way.start()
        except BaseException:
            self.close()
            raise

    def withdraw(self, it: Action) -> None:
        if it.token in self._tokens:
            for way in self._ways:
                way.withdraw(it.token)
            self._tokens.discard(it.token)
        if not self._tokens:
            self.close()

    def close(self) -> None:
        ways, self._ways = self._ways, []
        tokens, self._tokens = self._tokens, set()
        for way in ways:
            way.close()
            for token in tokens:
                way.withdraw(token)


class _Alpn:
    """Our own listener, or the folder that `ipcert serve` shows challenge certificates from."""

    def __init__(self, listen: Sequence[Endpoint], shared: str | None) -> None:
        self._listen = listen
        self._shared = shared
        self._way: tlsalpn.Shared | tlsalpn.Listener | None = None
        self._names: set[str] = set()

    def publish(self, it: Action) -> None:
        from . import tlsalpn

        if self._way is None:
            self._way = tlsalpn.Shared(self._shared) if self._shared else tlsalpn.Listener(self._listen)
        self._names.add(it.name)
        try:
            self._way.publish(it.name, it.key, it.chain)
        except BaseException:
            self.close()
            raise

    def withdraw(self, it: Action) -> None:
        if self._way is not None and it.name in self._names:
            self._way.withdraw(it.name)
            self._names.discard(it.name)
        if not self._names:
            self.close()

    def close(self) -> None:
        way, self._way = self._way, None
        names, self._names = self._names, set()
        if way is not None:
            for name in names:
                way.withdraw(name)
            way.close()
