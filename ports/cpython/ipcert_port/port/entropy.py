"""Random bytes from the kernel."""

from __future__ import annotations

import os


class Entropy:
    """The kernel's CSPRNG, which blocks until it was seeded once (getrandom(2)): good enough for keys."""

    quality = "good"

    def fill(self, buf: bytearray) -> None:
        """Overwrite all of `buf` (bytearray) with random bytes."""
        buf[:] = os.urandom(len(buf))
