"""Deploys as OpenWrt's ACME clients do, so that uhttpd, nginx and haproxy find what they know.

    /etc/ssl/acme/example.net.crt  .fullchain.crt  .chain.crt  .combined.crt  .key
        -> .example.net/...        .example.net -> .example.net@<version>/

The files of a version belong together and never change. Renaming one symbolic link, `.example.net`, switches all five.
Beside them lies `nginx.conf`, a snippet for nginx's configuration.
"""

import binascii
import errno
import hashlib
import os

from ipcert.errors import LocalError

# As on CPython: nginx's configuration includes it by a pattern, and so starts before there is a certificate.
_NGINX = 'ssl_reject_handshake off;\nssl_certificate "%s/fullchain.crt";\nssl_certificate_key "%s/key";\n'
_END = b"-----END CERTIFICATE-----"
_ENOSPC = 28


_LONGEST = 255 - len(".@0123456789abcdef+")  # characters of a name whose versions' folders Linux still takes
_KEPT = 180


def file_name(ids):
    """The name of a lineage's files: its first identifier, as `ipcert_port.deploy` on CPython spells it.

    Of a name of more than _LONGEST characters it is the beginning, "_" and 16 digits of the name's SHA-256.
    """
    first = ids.split(",")[0]
    if ":" in first:
        return "ipv6-" + first.replace(":", "-")
    if len(first) > _LONGEST:
        digits = binascii.hexlify(hashlib.sha256(first.encode()).digest()[:8]).decode()
        return first[:_KEPT].replace("*", "_") + "_" + digits
    return first.replace("*", "_")


def _pem(key):
    text = binascii.b2a_base64(key).strip()
    lines = [text[k : k + 64] for k in range(0, len(text), 64)]
    return b"-----BEGIN PRIVATE KEY-----\n" + b"\n".join(lines) + b"\n-----END PRIVATE KEY-----\n"


def _files(key, chain):
    """[(name, bytes)], what holds the key last."""
    end = chain.find(_END) + len(_END)
    pem = _pem(key)
    return [
        ("fullchain.crt", chain),
        ("crt", chain[:end] + b"\n"),
        ("chain.crt", chain[end:].lstrip()),
        ("combined.crt", chain + pem),
        ("key", pem),
    ]


def _read(path, most):
    try:
        with open(path, "rb") as file:
            return file.read(most)
    except OSError:
        return None


def _flush(folder):
    with open(folder, "rb") as file:
        file.flush()  # fsync: a folder can be opened for that


class Deployer:
    """Deploys under `folder`, then `helpers("notify", "issued" | "renewed" | "retired", name, identifiers)`."""

    def __init__(self, folder, helpers):
        self._folder = folder.rstrip("/")
        self._helpers = helpers

    def deploy(self, ids, key, chain):
        """Put PKCS#8 DER and a PEM chain in place; both empty takes them away. Nothing is done where they are there.

        Raises LocalError("deploy" | "disk-full") with the old files in place, LocalError("hook") where the notifying failed: that
        is done again at the next try.
        """
        name = file_name(ids)
        pending = self._folder + "/." + name + ".notify"
        try:
            if chain:
                event = self._place(name, bytes(key), bytes(chain), pending)
            else:
                event = self._remove(name)
        except OSError as e:
            if e.errno == _ENOSPC:
                text = "The flash that holds %s is full; free some space. The certificates there are the old ones."
                raise LocalError("disk-full", text % self._folder)
            text = "Cannot deploy to %s (error %s); the certificates there are the old ones."
            raise LocalError("deploy", text % (self._folder, e.errno))
        told = _read(pending, 16)
        if told:
            event = told.decode()
        if event:
            self._helpers("notify", event, name, ids)
        if told:
            os.remove(pending)

    def _place(self, name, key, chain, pending):
        files = _files(key, chain)
        version = ".%s@%s" % (name, binascii.hexlify(hashlib.sha256(chain + key).digest()[:8]).decode())
        live = self._folder + "/." + name
        there = [_read(live + "/" + file, len(data) + 1) for file, data in files]
        if there == [data for file, data in files]:
            return ""
        event = "issued" if there[0] is None else "renewed"
        target = self._folder + "/" + version
        if there[0] == chain:
            target += "+"  # somebody changed the rest: serve what there is until the new folder is whole
            version += "+"
        _erase(target)
        os.mkdir(target)
        for file, data in [("nginx.conf", (_NGINX % (target, target)).encode())] + files:
            with open(target + "/" + file, "wb") as f:
                if f.write(data) != len(data):
                    raise OSError(_ENOSPC)
                f.flush()
        _flush(target)
        self._helpers("links", self._folder, name, version)
        with open(pending, "wb") as f:
            f.write(event.encode())
            f.flush()
        os.rename(live + ".new", live)
        _flush(self._folder)
        self._sweep(name, version)
        return event

    def _remove(self, name):
        if _read(self._folder + "/." + name + "/crt", 1) is None:
            return ""
        self._helpers("links", self._folder, name)
        _flush(self._folder)
        self._sweep(name, "")
        return "retired"

    def _sweep(self, name, keep):
        for entry in os.ilistdir(self._folder):
            if entry[0].startswith("." + name + "@") and entry[0] != keep:
                _erase(self._folder + "/" + entry[0])


def _erase(folder):
    """Remove a version's folder, what holds the key overwritten first; nothing happens where there is none."""
    try:
        names = os.listdir(folder)
    except OSError as e:
        if e.errno == errno.ENOENT:
            return
        raise
    for file in names:
        path = folder + "/" + file
        if file in ("key", "combined.crt"):
            with open(path, "r+b") as f:
                f.write(bytes(os.stat(path)[6]))
                f.flush()
        os.remove(path)
    os.rmdir(folder)
