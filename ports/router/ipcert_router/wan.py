"""Which addresses of the WAN are to be certified. An address that is gone is not yet another address.

Behind a modem an interface has no address for a while, or a private one. Only another public address is a change
(docs/privacy.md#p6); what becomes of the earlier one's certificate is the core's to say (`ipcert.presence`).
"""

from ipcert import identifiers, presence
from ipcert.errors import LocalError

_PASSING = ("temporary", "deprecated", "tentative", "dadfailed")


def addresses(text, leaving=False):
    """Identifiers from lines of `ip -o addr show`, or of bare addresses. Temporary IPv6 addresses are left out.

    leaving    those alone that are left out otherwise: temporary, deprecated, tentative or duplicate ones
    """
    found = []
    for line in text.split("\n"):
        words = line.split()
        at = 0
        for k in range(len(words)):
            if words[k] in ("inet", "inet6"):
                at = k + 1
        if at >= len(words):
            continue
        try:
            one = identifiers.parse(words[at].split("/")[0])
        except LocalError:
            continue
        # Older tools call a temporary IPv6 address secondary.
        passing = [w for w in words[at + 1 :] if w in _PASSING or one.family == 6 and w == "secondary"]
        if one.family and bool(passing) == leaving:
            found.append(one)
    return found


class Wan:
    """The certified address of each of `families` (4, 6), and how it is chosen. `test`: any address will do.

    known   family -> Identifier; changed by `look`. Empty at first where `remembered` (text, from `remember`) is.
    evidence    family -> how the known one is known, as `ipcert.presence` has it
    """

    def __init__(self, families, test=False, remembered=""):
        self.known = {}
        self.evidence = {}
        self._families = families
        self._test = test
        self._told = None
        for one in addresses(remembered.replace(" ", "\n")):
            if one.family in families:
                self.known[one.family] = one
                self.evidence[one.family] = presence.KEPT

    def remember(self):
        """The known addresses as text."""
        return " ".join([self.known[f].value for f in self._families if f in self.known])

    def look(self, text):
        """Take the interface's addresses as `addresses` reads them; returns (changed, present, sentence).

        changed    a family has another address than before; present: one of the known ones is there now
        sentence   why there is none to certify, each reason once; else ""
        """
        found = addresses(text)
        passing = addresses(text, True)
        changed = present = False
        why = ""
        for family in self._families:
            mine = [one for one in found if one.family == family]
            good = [one for one in mine if self._test or one.scope == "public"]
            known = self.known.get(family)
            if known is not None:
                self.evidence[family] = presence.KEPT
            if known in good:
                self.evidence[family] = presence.INTERFACE
                present = True
            elif good:
                # Rather one that does not name the network card.
                self.known[family] = ([one for one in good if not one.eui64] or good)[0]
                # An earlier one that is only on its way out is not gone.
                self.evidence[family] = presence.ANSWERED if known in passing else presence.INTERFACE
                changed = present = True
            elif mine and not why:
                try:
                    identifiers.check_public(mine[0])
                except LocalError as e:
                    why = e.text
            elif not why:
                why = "The interface has no IPv%d address now." % family
        if present or why == self._told:
            sentence = ""
        else:
            sentence = why
        self._told = None if present else why
        return changed, present, sentence
