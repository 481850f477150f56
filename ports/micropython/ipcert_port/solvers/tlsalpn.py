"""tls-alpn-01 (RFC 8737; RFC 8738 for addresses), on firmware with the C module `tlsserver`; for `drive.Drive.solvers`."""

import gc

from ipcert.errors import LocalError

try:
    import tlsserver
except ImportError:
    tlsserver = None

PROTOCOL = "acme-tls/1"


class Proof:
    """The challenge certificate that is shown now, to nobody but the CA: the core proves one identifier at a time.

    A server on port 443 speaks ALPN PROTOCOL, and its chooser (`tlsserver.choose`) asks `find` for it.
    name   the server name under validation, or None
    """

    name = _certificate = None

    async def publish(self, it):
        """Show it from now on. Raises LocalError("challenge") on other firmware, LocalError("tlsalpn") where it cannot be used."""
        if tlsserver is None:
            raise LocalError(
                "challenge", "This firmware cannot answer tls-alpn-01: its TLS has no ALPN for servers."
            )
        await self.withdraw(it)
        try:
            self._certificate = tlsserver.Certificate(it.chain, it.key)
        except (OSError, ValueError, MemoryError) as e:
            raise LocalError(
                "tlsalpn", "The challenge's certificate cannot be shown (%s)." % (e or "no memory")
            )
        self.name = it.name

    async def withdraw(self, it):
        """Show it no longer, and forget its key."""
        self.name = self._certificate = None
        gc.collect()

    def find(self, name):
        """The tlsserver.Certificate for a client's server name (str or None); else False, as if PROTOCOL were unknown."""
        return self._certificate if name and name.lower() == self.name else False
