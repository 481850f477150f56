"""Keys at rest: PKCS #8, or sealed with the device's secret (AES-256-CTR, then HMAC-SHA256; RFC 2104).

A sealed key is "ipcS", a random initial counter block, the encrypted scalar and point, and the MAC of all that
(encrypt-then-MAC). AES comes from the port; HMAC is composed of the port's SHA-256, for which there is hardware.

What holds:

- Two keys are derived from the device's secret, one for each use. The secret itself touches no data.
- The MAC is compared before anything is decrypted, and in constant time. A file that was altered, cut short, or sealed
  by another device is refused and left as it is: it may be the only copy of a key.
- A counter block is never used twice with one key: it is random, and a file is never sealed again in place.
- Every buffer that held a secret is zeroed before it is given back. `bytes` cannot be, so they are kept to what the
  port's AES and signer ask for.
- Whether a port has a secret is its own business; without one a key file is plain PKCS #8 and relies on the file's mode
  or on the board's flash. A plain file is read even where there is a secret: a device may have got it later.
"""

from ..errors import LocalError
from . import p256
from .buffer import copy, put

_MAGIC = b"ipcS"
_COUNTER = 16  # bytes of AES-CTR's initial counter block
_MAC = 32
_BLOCK = 64  # SHA-256's (RFC 2104 2)
_SECRET = len(_MAGIC) + _COUNTER  # where the encrypted key begins
SEALED = _SECRET + p256.PAIR + _MAC
_CTR = 6  # cryptolib's MODE_CTR


def hmac(sha256, key, data, start, end, out, offset):
    """Write HMAC-SHA256(key, data[start:end]) to `out[offset:]` (32 bytes); return the new offset. `key`: any length."""
    if len(key) > _BLOCK:
        short = bytearray(_MAC)
        sha256(key, 0, len(key), short, 0)
        key = short
    block = bytearray(_BLOCK + max(_MAC, end - start))
    for index in range(_BLOCK):
        block[index] = (key[index] if index < len(key) else 0) ^ 0x36
    size = copy(block, _BLOCK, data, start, end)
    inner = bytearray(_MAC)
    sha256(block, 0, size, inner, 0)
    for index in range(_BLOCK):
        block[index] ^= 0x36 ^ 0x5C  # from the inner pad to the outer one
    size = put(block, _BLOCK, inner)
    sha256(block, 0, size, out, offset)
    wipe(block)  # it held the key
    return offset + _MAC


def _keys(port):
    # Derived anew each time and wiped after use: a key that stays in memory can be read from a dump of it.
    cipher_key, mac_key = bytearray(_MAC), bytearray(_MAC)
    hmac(port.sha256, port.secret, b"ipcert seal", 0, 11, cipher_key, 0)
    hmac(port.sha256, port.secret, b"ipcert mac", 0, 10, mac_key, 0)
    return cipher_key, mac_key


def write(port, slot, out, sealed=True):
    """Write the slot's key file to `out` (at least SEALED bytes), sealed where the port has a secret and unless told
    otherwise; return its length."""
    pair = bytearray(p256.PAIR)
    port.signer.export(slot, pair, 0)
    port.signer.public(slot, pair, p256.SCALAR)
    if not sealed or getattr(port, "secret", None) is None:
        end = p256.write_pkcs8(out, 0, pair)
    else:
        cipher_key, mac_key = _keys(port)
        counter = bytearray(_COUNTER)
        port.entropy.fill(counter)
        end = put(out, put(out, 0, _MAGIC), counter)
        end = put(out, end, port.aes(bytes(cipher_key), _CTR, bytes(counter)).encrypt(bytes(pair)))
        end = hmac(port.sha256, mac_key, out, 0, end, out, end)
        wipe(cipher_key)
        wipe(mac_key)
    wipe(pair)
    return end


def wipe(buffer):
    """Zero a bytearray."""
    for index in range(len(buffer)):
        buffer[index] = 0


def read(port, data):
    """A bytearray of p256.PAIR bytes, scalar and point, from a key file; wipe it after use.

    Raises LocalError("key-file") where the file is cut short or altered, or the device secret is another one.
    """
    pair = bytearray(p256.PAIR)
    if len(data) == SEALED and data[: len(_MAGIC)] == _MAGIC and getattr(port, "secret", None) is not None:
        good = _open(port, data, pair)
    else:
        good = p256.read_pkcs8(data, pair)
    if not good:
        wipe(pair)
        raise LocalError(
            "key-file",
            "A key file is damaged, or was sealed by another device; it was not used and not changed.",
        )
    return pair


def _open(port, data, pair):
    """Decrypt a sealed file into `pair`; False where its MAC is wrong."""
    cipher_key, mac_key = _keys(port)
    right = bytearray(_MAC)
    end = SEALED - _MAC
    hmac(port.sha256, mac_key, data, 0, end, right, 0)
    wrong = 0
    for index in range(_MAC):  # to the end in any case: the time must not tell where they differ
        wrong |= right[index] ^ data[end + index]
    if not wrong:
        cipher = port.aes(bytes(cipher_key), _CTR, bytes(data[len(_MAGIC) : _SECRET]))
        put(pair, 0, cipher.decrypt(bytes(data[_SECRET:end])))
    wipe(cipher_key)
    wipe(mac_key)
    return not wrong


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
