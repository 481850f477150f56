"""Random bytes from the board, and how good they are."""

import os
import sys

from ipcert.errors import LocalError

# Ports whose os.urandom is a hardware generator on every board. Elsewhere it may be a fixed sequence (qemu's is), a
# shift register seeded by the clock (a pyboard's without an RNG) or unconditioned jitter (rp2's): there the board hands
# in a source that its maker vouches for. The esp32's is random while its radio is on, which an issuance needs anyway.
_GOOD = ("esp32", "mimxrt")


def _urandom(buf):
    # Allocates once the length of `buf`.
    buf[:] = os.urandom(len(buf))


class Entropy:
    """`source(buf)` fills a bytearray from the board's own generator; without it the kernel's on Linux, which
    allocates nothing, or `os.urandom` where that is known to be good.

    quality   "good", or "poor": then `fill` raises LocalError("entropy"), and no key or plan is made
    """

    def __init__(self, source=None):
        self.quality = "good"
        if source is not None:
            self._source = source
        elif sys.platform in ("linux", "darwin"):
            self._source = open("/dev/urandom", "rb").readinto
        else:
            self._source = _urandom
            if sys.platform not in _GOOD:
                self.quality = "poor"

    def fill(self, buf):
        """Overwrite all of `buf` (bytearray). Raises LocalError("entropy") where the source is poor, fails or is stuck."""
        if self.quality != "good":
            raise LocalError(
                "entropy", "This board's os.urandom is not known to be random: hand Entropy a source that is."
            )
        n = len(buf)
        try:
            self._source(buf)
        except OSError:
            raise LocalError("entropy", "The random source failed; nothing was ordered.")
        # Sixteen equal bytes and more are no accident (2**-120): a generator that is off reads as zeros or ones.
        k = 1
        while k < n and buf[k] == buf[0]:
            k += 1
        if k == n and n >= 16:
            raise LocalError("entropy", "The random source is stuck; nothing was ordered.")
