"""Keys at rest: PKCS#8, or sealed with the device's secret (AES-256-CTR, then HMAC-SHA256; RFC 2104).

A sealed key is "ipcS", a random IV (16 bytes), the encrypted 97 bytes of scalar and public point, and the
32-byte MAC of all that. AES comes from the port; HMAC is composed of the port's SHA-256.
"""

from . import der
from .buf import copy, put
from .errors import LocalError

SEALED = 4 + 16 + 97 + 32
_MAGIC = b"ipcS"
_D = 36  # where `der.write_pkcs8` puts the scalar
_PUB = 73  # and the public point
_CTR = 6  # cryptolib's MODE_CTR


def hmac(sha256, key, data, start, end, out, off):
    """Write HMAC-SHA256(key, data[start:end]) to `out[off:]` (32 bytes); return the new offset. `key`: any length."""
    if len(key) > 64:
        short = bytearray(32)
        sha256(key, 0, len(key), short, 0)
        key = short
    pad = bytearray(64 + max(32, end - start))
    for k in range(64):
        pad[k] = (key[k] if k < len(key) else 0) ^ 0x36
    n = copy(pad, 64, data, start, end)
    inner = bytearray(32)
    sha256(pad, 0, n, inner, 0)
    for k in range(64):
        pad[k] ^= 0x36 ^ 0x5C
    n = put(pad, 64, inner)
    sha256(pad, 0, n, out, off)
    for k in range(len(pad)):
        pad[k] = 0
    return off + 32


def _keys(port):
    enc, mac = bytearray(32), bytearray(32)
    hmac(port.sha256, port.secret, b"ipcert seal", 0, 11, enc, 0)
    hmac(port.sha256, port.secret, b"ipcert mac", 0, 10, mac, 0)
    return enc, mac


def write(port, slot, out, sealed=True):
    """Write the slot's key file to `out` (at least SEALED bytes), sealed where the port has a secret and unless told
    otherwise; return its length."""
    pair = bytearray(97)
    port.signer.export(slot, pair, 0)
    port.signer.public(slot, pair, 32)
    if not sealed or getattr(port, "secret", None) is None:
        n = der.write_pkcs8(out, 0, memoryview(pair)[:32], memoryview(pair)[32:])
    else:
        enc, mac = _keys(port)
        iv = bytearray(16)
        port.entropy.fill(iv)
        n = put(out, put(out, 0, _MAGIC), iv)
        n = put(out, n, port.aes(bytes(enc), _CTR, bytes(iv)).encrypt(bytes(pair)))
        n = hmac(port.sha256, mac, out, 0, n, out, n)
        wipe(enc)
        wipe(mac)
    wipe(pair)
    return n


def wipe(buf):
    """Zero a bytearray."""
    for k in range(len(buf)):
        buf[k] = 0


def read(port, data):
    """A bytearray(97), scalar and public point, from a key file; wipe it after use.

    Raises LocalError("key-file") where the file is cut short or altered, or the device secret is another one.
    """
    pair = bytearray(97)
    if len(data) == SEALED and data[:4] == _MAGIC and getattr(port, "secret", None) is not None:
        enc, mac = _keys(port)
        want = bytearray(32)
        hmac(port.sha256, mac, data, 0, SEALED - 32, want, 0)
        wrong = 0
        for k in range(32):
            wrong |= want[k] ^ data[SEALED - 32 + k]
        if not wrong:
            put(pair, 0, port.aes(bytes(enc), _CTR, bytes(data[4:20])).decrypt(bytes(data[20:117])))
        wipe(enc)
        wipe(mac)
        if not wrong:
            return pair
    elif len(data) == der.PKCS8_SIZE:
        copy(pair, 0, data, _D, _D + 32)
        copy(pair, 32, data, _PUB, _PUB + 65)
        check = bytearray(der.PKCS8_SIZE)
        der.write_pkcs8(check, 0, memoryview(pair)[:32], memoryview(pair)[32:])
        good = check == data
        wipe(check)
        if good:
            return pair
    raise LocalError(
        "key-file", "A key file is damaged, or was sealed by another device; it was not used and not changed."
    )


def load(port, slot, data):
    """Load a key file into the slot, and check that its public half belongs to it. Raises LocalError("key-file")."""
    pair = read(port, data)
    port.signer.load(slot, bytes(pair[:32]))
    point = bytearray(65)
    port.signer.public(slot, point, 0)
    good = point == pair[32:]
    wipe(pair)
    if not good:
        port.signer.erase(slot)
        raise LocalError(
            "key-file", "A key file's two halves do not belong together; it was not used and not changed."
        )


def pkcs8(port, data):
    """The key file as PKCS#8 DER (bytes), for what serves the certificate."""
    pair = read(port, data)
    out = bytearray(der.PKCS8_SIZE)
    der.write_pkcs8(out, 0, memoryview(pair)[:32], memoryview(pair)[32:])
    wipe(pair)
    result = bytes(out)
    wipe(out)
    return result
