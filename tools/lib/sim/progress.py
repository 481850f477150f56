"""Progress on stderr: a bar on a terminal, a plain line for each step in a log."""

import sys
import time


class Progress:
    """Steps of a run; `step(text)` begins one and returns a function that takes the fraction done."""

    def __init__(self, out=sys.stderr, silent=False):
        self.out = out
        self.silent = silent
        self.bar = out.isatty()
        self.begun = time.monotonic()

    def step(self, text):
        """Begin a step."""
        if not self.silent and not self.bar:
            self.out.write(f"{self._clock()} {text}\n")
            self.out.flush()

        def show(fraction):
            if self.silent or not self.bar:
                return
            done = int(fraction * 24)
            self.out.write(f"\r{self._clock()} [{'#' * done}{'.' * (24 - done)}] {text:<60.60}")
            if fraction >= 1:
                self.out.write("\n")
            self.out.flush()

        show(0.0)
        return show

    def _clock(self):
        s = int(time.monotonic() - self.begun)
        return f"{s // 60:3d}:{s % 60:02d}"
