"""tls-alpn-01 (RFC 8737; RFC 8738 for addresses): a listener that shows challenge certificates and nothing else."""

from __future__ import annotations

import os
import shutil

from ..port import files
from .shelf import Shelf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config.kinds import Endpoint
    from ..deploy.tls_server import Server


class Listener:
    """Answers ALPN acme-tls/1 on `listen`, a list of (host, port), and refuses everything else. Raises LocalError("port")."""

    def __init__(self, listen: Sequence[Endpoint]) -> None:
        self._listen = listen
        self._server: Server | None = None
        self._shelf = Shelf(os.path.join(files.scratch(), "alpn"))

    def publish(self, name: str, key: bytes, chain: bytes) -> None:
        """Answer for `name` from now on."""
        from ..deploy import tls_server

        self._shelf.publish(name, key, chain)
        if self._server is None:
            self._server = tls_server.Server(tls_server.Chooser([]), self._listen, self._shelf)
            self._server.start()

    def withdraw(self, name: str) -> None:
        """Answer for it no longer."""
        self._shelf.withdraw(name)

    def close(self) -> None:
        """The port is free again, and the keys are gone."""
        if self._server is not None:
            self._server.close()
            self._server = None
        shutil.rmtree(os.path.dirname(self._shelf.folder), ignore_errors=True)


class Shared:
    """For a port 443 that `ipcert serve` has: it finds the certificates in `folder`."""

    def __init__(self, folder: str) -> None:
        self._shelf = Shelf(folder)
        self.publish = self._shelf.publish
        self.withdraw = self._shelf.withdraw

    def close(self) -> None:
        """Nothing is open here."""
