"""`ipcert doctor`: what would make an order fail, found before one is made.

It orders nothing and changes nothing: the CA is asked for its directory and no more, the DNS only for the names, and
nobody outside is told a name and an address together. What it opens for a moment (port 80, a file in the web server's
folder) is what a validation would open, and it is gone afterwards.
"""

from ipcert.errors import LocalError

from .. import exit_codes

_WIDTH = 14
_REST = "What cannot be seen from here: whether the CA reaches this machine from outside, through router, firewall and provider."


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


def run(path, progress):
    """Look at everything; returns (exit code, the JSON object)."""
    findings = Findings(lambda finding: _print(progress, finding))
    config = _configuration(path, findings)
    if config is not None:
        from . import authority, machine, network

        state = machine.state(config, findings)
        network.find(config, state, findings)
        issuers = authority.check(config, state, findings)
        machine.check(config, findings)
        network.check(config, issuers, findings)
    wrong = findings.wrong()
    progress.say("")
    if wrong:
        progress.say("Not ok: %s." % ", ".join([f["check"] for f in wrong]))
    else:
        progress.say("Nothing here stands in the way of an order.")
    if config is not None:
        progress.say(_REST)
    code = exit_codes.DOCTOR if wrong else exit_codes.OK
    return code, {"ok": not wrong, "checks": findings.all, "exit": code}


def _configuration(path, findings):
    from ..config.reader import load

    try:
        config = load(path, public=False)
    except LocalError as e:
        findings.error("configuration", e)
        return None
    findings.ok("configuration", "%s is understood." % config.path)
    return config


def _print(progress, finding):
    word = {True: "ok", False: "NOT OK", None: "-"}[finding["ok"]]
    progress.say("%-7s %-*s %s" % (word, _WIDTH, finding["check"], finding["text"]))
    if finding["fix"]:
        progress.say("%-7s %-*s %s" % ("", _WIDTH, "  to fix:", finding["fix"]))
