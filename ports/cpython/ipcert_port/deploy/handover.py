"""What root's side takes from the folder that the service deploys to, and what it makes of that.

The folder belongs to the service's user, and that user may have been taken over: whatever lies there was put there to be read
by root. So root opens nothing by following a link, waits for nobody, reads regular files of that user alone and only so many
bytes, and keeps what it read in a folder of its own. What is written there is made anew from the parsed certificate and key:
not one byte of the original is in it that is not the certificate's or the key's. A lineage that is not exactly as ipcert
leaves it is passed over with a reason, and the others are taken. docs/design.md says who hands what to whom.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import re
import shutil
import ssl
import stat

from ipcert import identifiers, limits
from ipcert.errors import Error, LocalError

from ..port import files as disk
from .folders import FULLCHAIN, KEY, folder_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_ENTRIES = 4096  # names of the folder that are looked at
_LINEAGES = 64  # that are taken
_KEY = 4096  # bytes of a key's file: a P-256 key has 241
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----")
_COPY = re.compile(r"[0-9a-f]{32}")  # the name of a copy's folder


class Refused(Exception):
    """What lies there is not what ipcert leaves. `str(error)` says what it is instead."""


class Lineage:
    """One lineage that was taken: `folder`, its name; `texts`, its identifiers in canonical form; `since`, a Unix second at
    which its certificate began; `chain` and `key`, PEM (bytes)."""

    def __init__(self, folder: str, texts: Sequence[str], since: float, chain: bytes, key: bytes) -> None:
        self.folder = folder
        self.texts = texts
        self.since = since
        self.chain = chain
        self.key = key


def take(folder: str, passed_over: Callable[[str, str], object] = lambda name, reason: None) -> list[Lineage]:
    """The `Lineage`s under a deploy folder, sorted by name. `passed_over(name, reason)` is told of each that is refused.

    Raises LocalError("deploy") where the folder itself cannot be read.
    """
    found: list[Lineage] = []
    try:
        top = _top(folder)
    except FileNotFoundError:
        return found
    except (OSError, Refused) as e:
        raise LocalError("deploy", "Cannot take certificates from %s: %s." % (folder, e)) from None
    try:
        owner = os.fstat(top)
        with os.scandir(top) as entries:
            names = [entry.name for entry in itertools.islice(entries, _ENTRIES)]
        # Its name is that of one of its identifiers, which never begins with a dot.
        for name in [one for one in sorted(names) if not one.startswith(".")][:_LINEAGES]:
            try:
                found.append(_lineage(top, owner, name))
            except (OSError, Refused) as e:
                passed_over(name, getattr(e, "strerror", None) or str(e))
    finally:
        os.close(top)
    return found


def _top(path: str) -> int:
    """The folder at `path`, opened. Only links of root's, or of whoever runs this, are followed on the way."""
    fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in os.path.abspath(path).strip("/").split("/"):
        try:
            try:
                below = _folder(part, fd)
            except OSError as e:
                seen = os.stat(part, dir_fd=fd, follow_symlinks=False)
                if e.errno not in (errno.ELOOP, errno.ENOTDIR) or not stat.S_ISLNK(seen.st_mode):
                    raise
                if seen.st_uid not in (0, os.geteuid()):
                    raise Refused("%s is a link of somebody else's" % part) from None
                below = os.open(part, _OPEN & ~os.O_NOFOLLOW | os.O_DIRECTORY, dir_fd=fd)
        finally:
            os.close(fd)
        fd = below
    return fd


def _folder(path: str, dir_fd: int) -> int:
    return os.open(path, _OPEN | os.O_DIRECTORY, dir_fd=dir_fd)


def _lineage(top: int, owner: os.stat_result, name: str) -> Lineage:
    target = os.readlink(name, dir_fd=top)
    if not re.fullmatch(r"\.%s@[0-9a-f]{16}\+?" % re.escape(name), target):
        raise Refused("it is no link of ipcert's")
    version = _folder(target, top)
    try:
        _ours(os.fstat(version), owner)
        chain = _read(version, owner, FULLCHAIN, limits.CHAIN)
        key = _read(version, owner, KEY, _KEY)
    finally:
        os.close(version)
    return _parsed(name, chain, key)


def _ours(seen: os.stat_result, owner: os.stat_result) -> None:
    if seen.st_uid != owner.st_uid or seen.st_dev != owner.st_dev:
        raise Refused("it belongs to somebody else, or lies on another file system")


def _read(folder: int, owner: os.stat_result, name: str, most: int) -> bytes:
    """A file's bytes: a regular one of the folder's owner, known by one name, with `most` bytes at most."""
    fd = os.open(name, _OPEN, dir_fd=folder)
    try:
        seen = os.fstat(fd)
        if not stat.S_ISREG(seen.st_mode):
            raise Refused("%s is no regular file" % name)
        _ours(seen, owner)
        if seen.st_nlink != 1:
            raise Refused("%s is a file that has other names" % name)
        data = b""
        while len(data) <= most:
            piece = os.read(fd, most + 1 - len(data))
            if not piece:
                return data
            data += piece
        raise Refused("%s has more than %d bytes" % (name, most))
    finally:
        os.close(fd)


def _parsed(name: str, chain: bytes, key: bytes) -> Lineage:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = serialization.Encoding.PEM
    blocks = _BLOCK.findall(chain)[: limits.CERTIFICATES + 1]
    if not 0 < len(blocks) <= limits.CERTIFICATES:
        raise Refused("%s holds no chain of certificates" % FULLCHAIN)
    try:
        certificates = [x509.load_pem_x509_certificate(block) for block in blocks]
        leaf = certificates[0]
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        texts = names.get_values_for_type(x509.DNSName)
        texts += [str(a) for a in names.get_values_for_type(x509.IPAddress)]
        if len(texts) > limits.IDENTIFIERS:
            raise Refused("its certificate is for more names than ipcert asks for")
        texts = sorted({identifiers.parse(text).value for text in texts})
        secret = serialization.load_pem_private_key(key, None)
        # Without a zone before cryptography 42, in UTC all the same.
        since = (getattr(leaf, "not_valid_before_utc", None) or leaf.not_valid_before).timestamp()
    except (ValueError, TypeError, x509.ExtensionNotFound, Error) as e:
        raise Refused("its certificate or key cannot be read") from e
    if name not in [folder_name([text]) for text in texts]:
        raise Refused("its certificate is for other names than its folder's")
    public = leaf.public_key()
    if not isinstance(secret, ec.EllipticCurvePrivateKey) or not isinstance(
        public, ec.EllipticCurvePublicKey
    ):
        raise Refused("its key is none that ipcert makes")
    if secret.curve.name != "secp256r1" or secret.public_key().public_numbers() != public.public_numbers():
        raise Refused("its key is another certificate's, or none that ipcert makes")
    data = secret.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Lineage(name, texts, since, b"".join([one.public_bytes(pem) for one in certificates]), data)


class Copies:
    """Root's own folder with copies of what was taken, one folder for each chain and key. Raises LocalError("deploy")."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        try:
            disk.folder(folder, 0o700)
            seen = os.lstat(folder)
        except OSError as e:
            raise _failure(folder, e) from None
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid() or seen.st_mode & 0o077:
            raise LocalError("deploy", "%s must be a folder that is yours, with mode 700." % folder)

    def put(self, lineage: Lineage) -> str:
        """The path of the folder with this lineage's chain and key, made where it is not there yet.

        Raises Refused for a pair that OpenSSL would not serve.
        """
        name = hashlib.sha256(lineage.chain + lineage.key).hexdigest()[:32]
        path = os.path.join(self.folder, name)
        if os.path.isdir(path):
            return path
        try:
            fresh = os.path.join(self.folder, ".new-" + os.urandom(8).hex())
            disk.make(fresh, 0o700)
            try:
                for file, data in ((FULLCHAIN, lineage.chain), (KEY, lineage.key)):
                    _write(os.path.join(fresh, file), data)
                _servable(os.path.join(fresh, FULLCHAIN), os.path.join(fresh, KEY))
                os.rename(fresh, path)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        except OSError as e:
            raise _failure(self.folder, e) from None
        return path

    def sweep(self, keep: Iterable[str]) -> None:
        """Erase what is not one of `keep` (paths of `put`), keys overwritten first."""
        keep = [os.path.basename(path) for path in keep]
        try:
            for name in os.listdir(self.folder):
                path = os.path.join(self.folder, name)
                if name.startswith(".new-") or _COPY.fullmatch(name) and name not in keep:
                    try:
                        fd = os.open(os.path.join(path, KEY), os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                        with open(fd, "wb") as file:
                            file.write(bytes(os.fstat(file.fileno()).st_size))
                            file.flush()
                            os.fsync(file.fileno())
                    except FileNotFoundError:
                        pass
                    shutil.rmtree(path)
        except OSError as e:
            raise _failure(self.folder, e) from None


def _write(path: str, data: bytes) -> None:
    fd = disk.create(path, 0o600, os.O_EXCL)
    with open(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(fd)


def _servable(chain: str, key: str) -> None:
    # What nginx, with the same OpenSSL, would refuse: it would go on with its old configuration then, for all sites.
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, lambda: "")
    except ssl.SSLError as e:
        raise Refused("OpenSSL would not serve it (%s)" % (e.reason or "no reason given")) from None


def _failure(folder: str, e: OSError) -> LocalError:
    return LocalError(
        "deploy", "Cannot keep copies in %s: %s; run this as root." % (folder, (e.strerror or str(e)).lower())
    )


def acknowledge(flag: str) -> None:
    """Take the file away by which the service says that something changed; whatever lies there under that name goes.

    It lies in a folder of the service's user. Nothing is followed and nothing is waited for.
    """
    try:
        os.unlink(flag)
    except FileNotFoundError:
        return
    except OSError:
        # A folder, which would keep waking us: out of the way in one step, however much is in it.
        os.rename(flag, os.path.join(os.path.dirname(flag), ".refused-" + os.urandom(8).hex()))
