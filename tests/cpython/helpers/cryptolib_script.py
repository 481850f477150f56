"""Run by CPython over ucryptolib_shim and by a real MicroPython over cryptolib: both must print the same
lines.

A line is a result in hexadecimal, or the type of an exception and, for a ValueError, its words.
"""

import sys

if sys.implementation.name == "micropython":
    from cryptolib import aes
else:
    from ucryptolib_shim import aes

KEYS = (bytes(range(16)), bytes(range(32)), bytes(24), b"", b"0" * 15, "k" * 16, 5, None)
IVS = (None, bytes(16), b"\xff" * 16, bytes(12), b"", "i" * 16, 3)
DATA = bytes([i * 7 & 255 for i in range(96)])


def show(what, call):
    try:
        result = call()
    except ValueError as e:
        result = b"ValueError " + str(e).encode()
    except TypeError:
        result = b"TypeError"
    if isinstance(result, (bytes, bytearray)):
        result = bytes(result)
        result = result.decode() if result[:5] in (b"Value", b"TypeE") else result.hex()
    print(what, result)


def pieces(mode, encrypt, sizes):
    def run():
        cipher = aes(KEYS[1], mode, IVS[2])
        out = b""
        at = 0
        for size in sizes:
            out += (cipher.encrypt if encrypt else cipher.decrypt)(DATA[at : at + size])
            at += size
        return out

    return run


def both_ways(mode, first):
    def run():
        cipher = aes(KEYS[0], mode, IVS[1])
        if first:
            cipher.encrypt(DATA[:16])
            return cipher.decrypt(DATA[:16])
        cipher.decrypt(DATA[:16])
        return cipher.encrypt(DATA[:16])

    return run


def into(mode, size, same=False, out=None):
    def run():
        cipher = aes(KEYS[0], mode, IVS[1])
        target = bytearray(size) if out is None else out
        if same:
            target[:] = DATA[:size]
        source = target if same else DATA[:32]
        result = cipher.encrypt(source, target)
        assert result is target
        return result

    return run


def main():
    modes = [1, 2]
    try:
        aes(KEYS[0], 6, IVS[1])
        modes.append(6)
    except ValueError:
        print("no CTR")
    for mode in modes:
        for k, key in enumerate(KEYS):
            for v, iv in enumerate(IVS):
                show(
                    "%d %d %d" % (mode, k, v),
                    lambda key=key, mode=mode, iv=iv: aes(key, mode, iv).encrypt(DATA[:32]),
                )
        for sizes in ((96,), (16, 16, 32), (0, 16, 0, 48), (1,), (15, 1), (17, 31), (5, 6, 7, 8)):
            for encrypt in (True, False):
                show("%d %r %d" % (mode, sizes, encrypt), pieces(mode, encrypt, sizes))
        for first in (True, False):
            show("%d both %d" % (mode, first), both_ways(mode, first))
        for size in (0, 16, 31, 32, 33, 64):
            show("%d into %d" % (mode, size), into(mode, size))
        show("%d in place" % mode, into(mode, 48, True))
        show("%d into bytes" % mode, into(mode, 32, False, bytes(32)))
        show("%d into None" % mode, lambda mode=mode: aes(KEYS[0], mode, IVS[1]).encrypt(DATA[:16], None))
        show("%d from str" % mode, lambda mode=mode: aes(KEYS[0], mode, IVS[1]).encrypt("0123456789abcdef"))
        show("%d from int" % mode, lambda mode=mode: aes(KEYS[0], mode, IVS[1]).encrypt(5))
        show("%d without data" % mode, lambda mode=mode: aes(KEYS[0], mode, IVS[1]).encrypt())
        show("%d too much" % mode, lambda mode=mode: aes(KEYS[0], mode, IVS[1]).encrypt(b"", bytearray(0), 1))
        show("%d without IV" % mode, lambda mode=mode: aes(KEYS[0], mode).encrypt(DATA[:16]))
        show("%d four" % mode, lambda mode=mode: aes(KEYS[0], mode, IVS[1], 1))
    for mode in (0, 3, 4, 5, 7, -1, 300, None, "1", 1.0, True):
        show("mode %s" % mode, lambda mode=mode: aes(KEYS[0], mode, IVS[1]).encrypt(DATA[:16]))
    show("order", lambda: aes(b"", 9))
    show("nothing", lambda: aes())
    show("key only", lambda: aes(KEYS[0]))


main()
