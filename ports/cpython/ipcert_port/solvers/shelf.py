"""Challenge certificates for tls-alpn-01 (RFC 8737): a folder with one file for each server name that is being validated.

Our own listener reads it, and so does `ipcert serve` where port 443 is shared (tlsalpn.shared).
"""

from __future__ import annotations

import os
import re
import ssl

from ipcert.errors import LocalError

from ..port import files

PROTOCOL = b"acme-tls/1"
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", re.ASCII)

_LONGEST = 255 - len(".pem.new")  # characters of a name that a file may be called after


class Shelf:
    """Challenge certificates by server name (SNI), in `folder` (made 0700; its files are 0600)."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def publish(self, name: str, key: bytes, chain: bytes) -> None:
        """Show `chain` (one certificate, DER) with `key` (PKCS#8 DER) to `name`. Raises LocalError("tlsalpn")."""
        text = ssl.DER_cert_to_PEM_cert(bytes(chain)) + _pem("PRIVATE KEY", bytes(key))
        path = self._path(name)
        try:
            files.folder(self.folder, 0o700)
            with open(files.create(path + ".new", 0o600), "w") as file:
                file.write(text)
            os.rename(path + ".new", path)
        except OSError as e:
            text = "Cannot write the challenge's certificate to %s: %s; see tlsalpn.shared."
            raise LocalError("tlsalpn", text % (self.folder, (e.strerror or str(e)).lower())) from None

    def withdraw(self, name: str) -> None:
        """Show it no longer."""
        try:
            os.unlink(self._path(name))
        except FileNotFoundError:
            pass

    def context(self, name: str | None) -> ssl.SSLContext | None:
        """A context that answers the challenge for `name` (str or None), or None where nothing is published."""
        if name is None or not _NAME.fullmatch(name):
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols([PROTOCOL.decode()])
        try:
            context.load_cert_chain(self._path(name))
        except OSError:
            return None
        return context

    def _path(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise LocalError("tlsalpn", "%s is no server name." % ascii(name))
        if len(name) > _LONGEST:
            import hashlib

            name = hashlib.sha256(name.encode()).hexdigest()
        return os.path.join(self.folder, name + ".pem")


def _pem(label: str, der: bytes) -> str:
    import base64

    text = base64.b64encode(der).decode()
    lines = [text[k : k + 64] for k in range(0, len(text), 64)]
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label, "\n".join(lines), label)
