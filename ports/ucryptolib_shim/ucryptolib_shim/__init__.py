"""MicroPython's cryptolib on CPython: `aes(key, mode[, IV])`, the same results and the same errors.

The cipher is OpenSSL's, through `cryptography`, which is loaded when the first object is made.
"""

import operator

__version__ = "0.1.0"

MODE_ECB = 1
MODE_CBC = 2
MODE_CTR = 6


def _bytes(data):
    # MicroPython takes a str wherever it takes a buffer.
    return data.encode() if isinstance(data, str) else memoryview(data).cast("B")


class aes:
    """AES with a key of 16 or 32 bytes. ECB and CBC take whole blocks; CTR any length, its counter is
    big-endian.

    `mode` is MODE_ECB, MODE_CBC or MODE_CTR, `IV` 16 bytes for the last two. One object encrypts or decrypts,
    never both, and goes on where its last call ended. Raises ValueError as MicroPython does: "mode", "key",
    "IV".
    """

    def __init__(self, key, mode, IV=None, /):
        mode = operator.index(mode)
        if mode not in (MODE_ECB, MODE_CBC, MODE_CTR):
            raise ValueError("mode")
        key = bytes(_bytes(key))
        if len(key) not in (16, 32):
            raise ValueError("key")
        if IV is not None:
            IV = bytes(_bytes(IV))
            if len(IV) != 16:
                raise ValueError("IV")
        elif mode != MODE_ECB:
            raise ValueError("IV")
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        if mode == MODE_ECB:
            chaining = modes.ECB()  # part of the API that is mirrored; ipcert uses CTR alone
        else:
            chaining = modes.CBC(IV) if mode == MODE_CBC else modes.CTR(IV)
        self._cipher = Cipher(algorithms.AES(key), chaining)
        self._blocks = mode != MODE_CTR
        self._encrypts = None
        self._context = None

    def _process(self, encrypt, data, out):
        data = _bytes(data)
        if self._blocks and len(data) % 16:
            raise ValueError("blksize % 16")
        view = None
        if out:
            view = memoryview(out[0]).cast("B")
            if view.readonly:
                raise TypeError("object with buffer protocol required")
            if len(view) < len(data):
                raise ValueError("output too small")
        if self._encrypts is None:
            self._encrypts = encrypt
            self._context = self._cipher.encryptor() if encrypt else self._cipher.decryptor()
        elif self._encrypts != encrypt:
            raise ValueError("can't encrypt & decrypt")
        result = self._context.update(bytes(data))
        if view is None:
            return result
        view[: len(result)] = result
        return out[0]

    def encrypt(self, data, *out):
        """Encrypt bytes-like `data`; return bytes, or fill and return the writable buffer given as second
        argument.

        Raises ValueError "blksize % 16", "output too small" or "can't encrypt & decrypt".
        """
        return self._process(True, data, _one(out))

    def decrypt(self, data, *out):
        """The reverse of `encrypt`, with the same arguments and errors."""
        return self._process(False, data, _one(out))


def _one(out):
    if len(out) > 1:
        raise TypeError("function expected at most 3 arguments, got %d" % (len(out) + 2))
    return out
