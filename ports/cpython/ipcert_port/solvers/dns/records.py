"""dns-01 (RFC 8555 8.4) and dns-persist-01 (draft-ietf-acme-dns-persist): records, and waiting until they are seen."""

from __future__ import annotations

from ipcert.errors import LocalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipcert.action import Action

    from .providers import Provider
    from .queries import Dns


class Dns01:
    """Publishes through a `dnsprovider`, and waits until the zone's own servers show it. `ask`: `dnsask.Dns`."""

    def __init__(self, provider: Provider, ask: Dns, seconds: float) -> None:
        self._provider = provider
        self._ask = ask
        self._seconds = seconds

    def publish(self, it: Action) -> None:
        """Add the record of a PUBLISH action; returns when all authoritative servers show it. Raises LocalError("dns")."""
        text = bytes(it.text)
        name = self._ask.target(it.name)
        self._provider.add(name, text.decode())
        try:
            self._ask.await_text(name, lambda found: text in found, self._seconds)
        except BaseException:
            self._provider.remove(name, text.decode())
            raise

    def withdraw(self, it: Action) -> None:
        """Remove it."""
        self._provider.remove(self._ask.target(it.name), bytes(it.text).decode())

    def close(self) -> None:
        """Nothing is open here."""


class DnsPersist01:
    """Sees that the lasting record stands; where a provider is configured and it does not, it makes it."""

    def __init__(self, provider: Provider | None, ask: Dns, seconds: float) -> None:
        self._provider = provider
        self._ask = ask
        self._seconds = seconds

    def publish(self, it: Action) -> None:
        """See that a TXT record that says what `it.text` says stands at `it.name`. Raises LocalError("dns")."""
        text = bytes(it.text).decode()
        wanted = parameters(text)

        def shown(found: Sequence[bytes]) -> bool:
            return any([grants(parameters(t.decode("utf-8", "replace")), wanted) for t in found])

        name = self._ask.target(it.name)
        try:
            self._ask.await_text(name, shown, 0)
        except LocalError:
            if self._provider is None:
                line = '%s. IN TXT "%s"' % (name, text)
                raise LocalError(
                    "dns", "Create this record, wait until your zone shows it, and run this again: %s" % line
                ) from None
            self._provider.add(name, text)
            self._ask.await_text(name, shown, self._seconds)

    def withdraw(self, it: Action) -> None:
        """It stays: that is what it is for."""

    def close(self) -> None:
        """Nothing is open here."""


def parameters(text: str) -> tuple[str, dict[str, str]]:
    """(issuer domain name, {parameter: value}) of a record, as RFC 8659 4.2 writes issue properties."""
    parts = [part.strip() for part in text.split(";")]
    found = {}
    for part in parts[1:]:
        key, _, value = part.partition("=")
        found[key.strip().lower()] = value.strip()
    return parts[0].lower().rstrip("."), found


def grants(record: tuple[str, dict[str, str]], wanted: tuple[str, dict[str, str]]) -> bool:
    """True when a record grants at least what is wanted: the issuer, the account, and wildcards where needed."""
    if record[0] != wanted[0] or record[1].get("accounturi") != wanted[1].get("accounturi"):
        return False
    return wanted[1].get("policy") is None or record[1].get("policy", "").lower() == wanted[1]["policy"]
