"""Keys at rest: PKCS#8, or sealed with the device's secret (AES-256-CTR, then HMAC-SHA256; RFC 2104).

A sealed key is "ipcS", a random IV (16 bytes), the encrypted scalar and public point, and the
32-byte MAC of all that. AES comes from the port; HMAC is composed of the port's SHA-256.
"""

from ..errors import LocalError
from . import p256
from .buffer import copy, put

SEALED = 4 + 16 + p256.PAIR + 32
_MAGIC = b"ipcS"
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
    pair = bytearray(p256.PAIR)
    port.signer.export(slot, pair, 0)
    port.signer.public(slot, pair, 32)
    if not sealed or getattr(port, "secret", None) is None:
        n = p256.write_pkcs8(out, 0, memoryview(pair)[:32], memoryview(pair)[32:])
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
    """A bytearray of p256.PAIR bytes, scalar and public point, from a key file; wipe it after use.

    Raises LocalError("key-file") where the file is cut short or altered, or the device secret is another one.
    """
    pair = bytearray(p256.PAIR)
    if len(data) == SEALED and data[:4] == _MAGIC and getattr(port, "secret", None) is not None:
        enc, mac = _keys(port)
        want = bytearray(32)
        hmac(port.sha256, mac, data, 0, SEALED - 32, want, 0)
        wrong = 0
        for k in range(32):
            wrong |= want[k] ^ data[SEALED - 32 + k]
        if not wrong:
            put(
                pair,
                0,
                port.aes(bytes(enc), _CTR, bytes(data[4:20])).decrypt(bytes(data[20 : 20 + p256.PAIR])),
            )
        wipe(enc)
        wipe(mac)
        if not wrong:
            return pair
    elif len(data) == p256.PKCS8:
        copy(pair, 0, data, p256.PKCS8_SCALAR, p256.PKCS8_SCALAR + p256.SCALAR)
        copy(pair, p256.SCALAR, data, p256.PKCS8_POINT, p256.PKCS8_POINT + p256.POINT)
        check = bytearray(p256.PKCS8)
        p256.write_pkcs8(check, 0, memoryview(pair)[:32], memoryview(pair)[32:])
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
    point = bytearray(p256.POINT)
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
    out = bytearray(p256.PKCS8)
    p256.write_pkcs8(out, 0, memoryview(pair)[:32], memoryview(pair)[32:])
    wipe(pair)
    result = bytes(out)
    wipe(out)
    return result
