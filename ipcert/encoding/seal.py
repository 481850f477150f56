"""Keys sealed with the device's secret: AES-256-CTR, then HMAC-SHA256 (RFC 2104).

A sealed key is "ipcS", a random initial counter block, the encrypted scalar and point, and the MAC of all that
(encrypt-then-MAC). AES comes from the port; HMAC is composed of the port's SHA-256.

What holds:

- Two keys are derived from the device's secret, one for each use. The secret itself touches no data.
- The MAC is compared before anything is decrypted, and in constant time. A file that was altered, cut short, or sealed
  by another device is refused and left as it is: it may be the only copy of a key.
- A counter block is never used twice with one key: it is random, and a file is never sealed again in place.

The file is loaded where a port has a secret; a firmware for a board that has none leaves it out (the feature `sealing`).
"""

from .buffer import put, wipe
from .hmac import hmac
from .key_file import MAGIC, SEALED

_COUNTER = 16  # bytes of AES-CTR's initial counter block
_MAC = 32
_SECRET = len(MAGIC) + _COUNTER  # where the encrypted key begins
_CTR = 6  # cryptolib's MODE_CTR


def _keys(port):
    # Derived anew each time and wiped after use: a key that stays in memory can be read from a dump of it.
    cipher_key, mac_key = bytearray(_MAC), bytearray(_MAC)
    hmac(port.sha256, port.secret, b"ipcert seal", 0, 11, cipher_key, 0)
    hmac(port.sha256, port.secret, b"ipcert mac", 0, 10, mac_key, 0)
    return cipher_key, mac_key


def write(port, pair, out):
    """Write the sealed file of `pair`, scalar and point, to `out` (at least SEALED bytes); return its length."""
    cipher_key, mac_key = _keys(port)
    counter = bytearray(_COUNTER)
    port.entropy.fill(counter)
    end = put(out, put(out, 0, MAGIC), counter)
    end = put(out, end, port.aes(bytes(cipher_key), _CTR, bytes(counter)).encrypt(bytes(pair)))
    end = hmac(port.sha256, mac_key, out, 0, end, out, end)
    wipe(cipher_key)
    wipe(mac_key)
    return end


def read(port, data, pair):
    """Decrypt a sealed file of SEALED bytes into `pair` (p256.PAIR bytes); False where its MAC is wrong."""
    cipher_key, mac_key = _keys(port)
    right = bytearray(_MAC)
    end = SEALED - _MAC
    hmac(port.sha256, mac_key, data, 0, end, right, 0)
    wrong = 0
    for index in range(_MAC):  # to the end in any case: the time must not tell where they differ
        wrong |= right[index] ^ data[end + index]
    if not wrong:
        cipher = port.aes(bytes(cipher_key), _CTR, bytes(data[len(MAGIC) : _SECRET]))
        put(pair, 0, cipher.decrypt(bytes(data[_SECRET:end])))
    wipe(cipher_key)
    wipe(mac_key)
    return not wrong
