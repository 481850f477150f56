"""What a red team counts: what it tried, what held, what came through, and what it could not try here."""


class Outcome:
    """One team's tries. `say(line)` is told of each that came through."""

    def __init__(self, say=lambda line: None):
        self.tried = 0
        self.through = []
        self.skipped = []
        self._say = say

    def held(self, what, good, seen=""):
        """One attack was tried: `good` where what it wanted did not happen. Returns `good`."""
        self.tried += 1
        if not good:
            self.through.append(f"{what}: {seen}" if seen != "" else what)
            self._say(f"came through: {self.through[-1]}")
        return good

    def skip(self, what, why):
        """An attack that cannot be tried on this machine."""
        self.skipped.append(f"{what}: {why}")

    def figures(self):
        """The counts as a dict, for --json."""
        return {
            "tried": self.tried,
            "held": self.tried - len(self.through),
            "through": len(self.through),
            "what_came_through": self.through,
            "skipped": self.skipped,
        }
