"""Keys at rest: PKCS #8 as it is, or sealed with the device's secret (`seal`).

Whether a port has a secret is its own business; without one a key file is plain PKCS #8 and relies on the file's mode or on the
board's flash. A plain file is read even where there is a secret: a device may have got it later. Which of the two a file is, its
first bytes say.

What holds. Every buffer that held a key is zeroed before it is given back. `bytes` cannot be, so they are kept to what the port's
AES and signer ask for. A file that is not whole, or another device's, is refused and left as it is: it may be the only copy.
"""

from .. import features
from ..errors import LocalError
from . import p256
from .buffer import wipe

MAGIC = b"ipcS"  # how a sealed file begins
SEALED = len(MAGIC) + 16 + p256.PAIR + 32  # its size: a counter block, the key, a MAC


def write(port, slot, out, sealed=True):
    """Write the slot's key file to `out` (at least SEALED bytes), sealed where the port has a secret and unless told
    otherwise; return its length."""
    pair = bytearray(p256.PAIR)
    port.signer.export(slot, pair, 0)
    port.signer.public(slot, pair, p256.SCALAR)
    if not sealed or getattr(port, "secret", None) is None:
        end = p256.write_pkcs8(out, 0, pair)
    else:
        end = features.part("seal").write(port, pair, out)
    wipe(pair)
    return end


def read(port, data):
    """A bytearray of p256.PAIR bytes, scalar and point, from a key file; wipe it after use.

    Raises LocalError("key-file") where the file is cut short or altered, or the device secret is another one.
    """
    pair = bytearray(p256.PAIR)
    if len(data) == SEALED and data[: len(MAGIC)] == MAGIC and getattr(port, "secret", None) is not None:
        good = features.part("seal").read(port, data, pair)
    else:
        good = p256.read_pkcs8(data, pair)
    if not good:
        wipe(pair)
        raise LocalError(
            "key-file",
            "A key file is damaged, or was sealed by another device; it was not used and not changed.",
        )
    return pair


def load(port, slot, data):
    """Load a key file into the slot, and check that its public half belongs to it. Raises LocalError("key-file")."""
    pair = read(port, data)
    # The signer computes the point from the scalar; if the file says another one, half of it is somebody else's.
    port.signer.load(slot, bytes(pair[: p256.SCALAR]))
    point = bytearray(p256.POINT)
    port.signer.public(slot, point, 0)
    good = point == pair[p256.SCALAR :]
    wipe(pair)
    if not good:
        port.signer.erase(slot)
        raise LocalError(
            "key-file", "A key file's two halves do not belong together; it was not used and not changed."
        )


def pkcs8(port, data):
    """The key file as PKCS #8 in DER (bytes), for what serves the certificate."""
    pair = read(port, data)
    out = bytearray(p256.PKCS8)
    p256.write_pkcs8(out, 0, pair)
    wipe(pair)
    result = bytes(out)  # leaves the core with a DEPLOY; whoever gets it holds the secret
    wipe(out)
    return result
