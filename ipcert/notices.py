"""What the owner must be told: a code, a severity and plain English for each notice.

What holds. Whatever becomes public for ever, whatever keeps a certificate from coming, and whatever somebody else changed is told
once, by a number that never changes its meaning. A port shows the text, or translates by the code; a program acts on the code and
the severity: INFO needs nobody, a WARNING wants to be read, an ALERT wants somebody to act. A notice's number is its bit in the
masks that `split.warn` returns and the journal keeps, so there are at most 30, and a new one goes to the end.

What must never happen: a notice that carries the second of a plan, a key or a token: notices end up in logs (P12).
"""

INFO = 0
WARNING = 1
ALERT = 2
SEVERITY = ("info", "warning", "alert")

# Numbers of the notices, by their order below.
(
    COMBINED, IPV6_PUBLISHED, FAMILIES_IN_ONE, BOTH_FAMILIES, NAME_POINTS_HERE, EUI64, BOTH_URGENT,
    CONSENT_NEEDED, CONSENT_GIVEN, ISSUED, FAILED, LIMITED, LAPSED, EMERGENCY, CLOCK, CLONED, RETIRED, HELD,
    TERMS, PROFILE, ADDRESS_PUBLISHED, REVOKED, ACCOUNT_LOST, CA_CHANGED, CHAIN,
) = range(25)  # fmt: skip

# (code, severity, text); %s takes the notice's subject. Severities by number: so MicroPython keeps it all in flash.
NOTICES = (
    (
        "combined",
        2,
        "One certificate for both a name and an address (%s) is published for ever in Certificate Transparency. "
        "Anyone, now or in ten years, can read in it that whoever owns this name used this address on this date, and "
        "can match that with every web site that logged the address. Two separate certificates do the same job without "
        "saying so.",
    ),
    (
        "ipv6-published",
        1,
        "The certificate for %s makes this IPv6 address public. IPv6 addresses are too many to be found by scanning: "
        "after this, strangers know that something answers here and may try to connect.",
    ),
    (
        "families-in-one",
        2,
        "One certificate for an IPv4 and an IPv6 address (%s) says for ever that both belong to one home.",
    ),
    (
        "both-families",
        1,
        "You ask for certificates for IPv4 and IPv6 addresses (%s). They are kept apart, but both are renewed some "
        "135 times a year, and no timing hides for long that they belong to one home. One family is "
        "enough for most homes.",
    ),
    (
        "name-points-here",
        1,
        "The name %s resolves to this address, or must for http-01 to work. Anyone who looks it up today sees the "
        "link; separate certificates only keep it out of the permanent record. Prefer dns-01 or dns-persist-01 for the "
        "name where you can.",
    ),
    (
        "eui64",
        1,
        "The IPv6 address %s is made from the device's hardware address. Publishing it names the device's maker and "
        "follows the device to any network. Use a stable privacy address (RFC 7217) instead.",
    ),
    (
        "both-urgent",
        1,
        "Both certificates are wanted at once, so the second waits at most a day, not two weeks (%s). The homes that "
        "enrol on the same day are the whole crowd to hide in: for a small maker that may be a handful.",
    ),
    (
        "consent-needed",
        2,
        "Nothing was ordered for %s: a combined certificate needs your explicit consent. Read the warning with "
        "'ipcert consent', or set combined = false to get separate certificates.",
    ),
    ("consent-given", 0, "You agreed to one combined certificate for %s."),
    ("issued", 0, "A new certificate for %s is in place."),
    ("failed", 1, "The order for %s did not succeed: %s"),
    ("limited", 1, "The CA asks us to wait before it serves %s: %s"),
    ("lapsed", 2, "The certificate for %s has expired. A new one is planned."),
    (
        "emergency",
        2,
        "The CA wants the certificate for %s replaced early (it may be revoked), so it is renewed sooner than "
        "privacy would have it. %s",
    ),
    ("clock", 1, "The clock cannot be trusted (%s). Nothing is ordered until it can."),
    (
        "cloned",
        2,
        "This state belongs to another device (%s) and was copied here. It is not used: two devices with one set of "
        "keys would give each other away. Run a factory reset to start afresh.",
    ),
    ("retired", 0, "%s is no longer ours: its certificate is left to expire and its key is erased."),
    ("held", 0, "The address %s is new. Its certificate waits until the address has lasted."),
    ("terms", 1, "The CA's terms of service changed: %s"),
    ("profile", 1, "The CA no longer offers the profile used for %s; another one is asked for."),
    (
        "address-published",
        0,
        "The certificate for %s makes public that this address answers, and since when.",
    ),
    ("revoked", 0, "The certificate for %s was revoked."),
    (
        "account-lost",
        1,
        "The CA no longer knows our account; a new registration is made with the same key (%s).",
    ),
    (
        "ca-changed",
        1,
        "Your configuration names another CA, %s. A new account is made there when the next certificate is due; "
        "what was issued stays in service until then.",
    ),
    (
        "chain",
        1,
        "The CA offers no chain for %s whose topmost issuer is '%s', as preferred_chain asks for; its own choice is used.",
    ),
)


def code(number):
    """The notice's kebab-case code, for programs."""
    return NOTICES[number][0]


def severity(number):
    """INFO, WARNING or ALERT."""
    return NOTICES[number][1]


def text(number, subject, detail=""):
    """The notice in plain English about `subject`; `detail` fills a second blank where there is one."""
    sentence = NOTICES[number][2]
    if sentence.count("%s") == 2:
        return sentence % (subject, detail)
    return sentence % subject


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
