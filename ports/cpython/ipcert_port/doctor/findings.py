"""What `ipcert doctor` found, one finding for each thing it looked at."""


class Findings:
    """What was looked at so far; `show(finding)` is called for each.

    all    list of dicts: check, ok (True, False, or None: could not be looked at), text, fix ("" where ok)
    """

    def __init__(self, show):
        self._show = show
        self.all = []

    def ok(self, check, text):
        """`check` is well."""
        self._add(check, True, text, "")

    def bad(self, check, text, fix):
        """`check` would make an order fail."""
        self._add(check, False, text, fix)

    def skipped(self, check, why):
        """`check` could not be looked at, for another's sake."""
        self._add(check, None, why, "")

    def error(self, check, error):
        """An `errors.Error` whose sentence says both what is wrong and what to do about it."""
        text, fix = halves(str(error))
        self.bad(check, text, fix)

    def _add(self, check, ok, text, fix):
        self.all.append({"check": check, "ok": ok, "text": text, "fix": fix})
        self._show(self.all[-1])

    def wrong(self):
        """The findings that are not ok."""
        return [f for f in self.all if f["ok"] is False]


def halves(sentence):
    """(what is wrong, what to do) of one of our sentences: what to do comes last, after ";" or in a sentence of its own."""
    text = sentence if sentence[-1] in ".?" else sentence + "."
    for mark in ("; ", ". "):
        before, found, after = text.rpartition(mark)
        if found:
            return before + ".", after[0].upper() + after[1:]
    return text, "The file that 'ipcert init' writes explains every setting."
