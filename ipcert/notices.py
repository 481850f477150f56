"""What the owner must be told: a code, a severity and plain English for each notice.

What holds. Whatever becomes public for ever, whatever keeps a certificate from coming, and whatever somebody else changed is told
once, by a number that never changes its meaning. A port shows the text (`texts`), or translates by the code; a program acts on the code
and the severity: INFO needs nobody, a WARNING wants to be read, an ALERT wants somebody to act. A notice's number is its bit in the
masks that `split.warn` returns and the journal keeps, so there are at most 30, and a new one goes to the end.

What must never happen: a notice that carries the second of a plan, a key or a token: notices end up in logs (docs/privacy.md#p12).
"""

from . import features

INFO = 0
WARNING = 1
ALERT = 2
SEVERITY = ("info", "warning", "alert")

# Numbers of the notices, by their order below.
(
    COMBINED, IPV6_PUBLISHED, FAMILIES_IN_ONE, BOTH_FAMILIES, NAME_POINTS_HERE, EUI64, BOTH_URGENT,
    CONSENT_NEEDED, CONSENT_GIVEN, ISSUED, FAILED, LIMITED, LAPSED, EMERGENCY, CLOCK, CLONED, RETIRED, HELD,
    TERMS, PROFILE, ADDRESS_PUBLISHED, REVOKED, ACCOUNT_LOST, CA_CHANGED, DOUBTED, WAITS, CHAIN,
) = range(27)  # fmt: skip

# Codes, by number.
CODES = (
    "combined", "ipv6-published", "families-in-one", "both-families", "name-points-here", "eui64", "both-urgent",
    "consent-needed", "consent-given", "issued", "failed", "limited", "lapsed", "emergency", "clock", "cloned",
    "retired", "held", "terms", "profile", "address-published", "revoked", "account-lost", "ca-changed",
    "doubted", "waits", "chain",
)  # fmt: skip
# The severity of each; bytes stay in flash.
_SEVERITIES = b"\x02\x01\x02\x01\x01\x01\x01\x02\x00\x00\x01\x01\x02\x02\x01\x02\x00\x00\x01\x01\x00\x00\x01\x01\x01\x01\x01"


def code(number):
    """The notice's kebab-case code, for programs."""
    return CODES[number]


def severity(number):
    """INFO, WARNING or ALERT."""
    return _SEVERITIES[number]


def text(number, subject, detail=""):
    """The notice in plain English about `subject`; `detail` fills a second blank where there is one.

    A firmware that was built without `texts` says the code, the subject and the detail instead.
    """
    if features.has("texts"):
        return features.part("texts").notice(number, subject, detail)
    return ": ".join([part for part in (CODES[number], subject, detail) if part])


class Notice:
    """One notice that waits to be told: its number, what it is about, and the detail for a second blank."""

    def __init__(self, number, subject, text):
        self.number = number
        self.subject = subject
        self.text = text


class Outbox:
    """What a device has to say: notices that wait, the last error, and how often something was obtained or failed.

    last_error   the last Error, or None; issued, failures: certificates and failed attempts since the start
    errors       identifiers' text -> the Error with which the lineage's last attempt since the start ended, or None
    """

    def __init__(self):
        self._waiting = []
        self.last_error = None
        self.errors = {}
        self.issued = self.failures = 0

    def notice(self, number, subject, text=""):
        """Have the owner told."""
        self._waiting.append(Notice(number, subject, text))

    def next(self):
        """The next Notice, which is not waiting any more; None where there is none."""
        return self._waiting.pop(0) if self._waiting else None
