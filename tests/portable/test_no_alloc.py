"""The proof of "no allocation" is itself tried: what allocates must fail in it."""

import sys
import unittest

from portable_support import locked

MICROPYTHON = sys.implementation.name == "micropython"
REASON = "CPython has no heap that can be locked"


class Locked(unittest.TestCase):
    def fails(self, call):
        with self.assertRaises(MemoryError):
            locked(call)

    @unittest.skipUnless(MICROPYTHON, REASON)
    def test_buffers_and_slices_fail(self):
        data = bytearray(64)
        self.fails(lambda: bytearray(64))
        self.fails(lambda: data[8:60])
        self.fails(lambda: [data, data, data, data, data])
        self.fails(lambda: memoryview(data))

    @unittest.skipUnless(MICROPYTHON, REASON)
    def test_a_large_int_fails(self):
        large = sys.maxsize  # the last int that needs no memory is below half of it
        self.fails(lambda: large + large)

    @unittest.skipUnless(MICROPYTHON, REASON)
    def test_the_heap_is_free_again(self):
        self.fails(lambda: bytearray(64))
        self.assertEqual(len(bytearray(64)), 64)

    def test_what_does_not_allocate_passes(self):
        data = bytearray(4)

        def fill():
            for i in range(4):
                data[i] = i
            return 1 + 2

        self.assertEqual(locked(fill), 3)
        self.assertEqual(data, bytearray(b"\0\1\2\3"))
