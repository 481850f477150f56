"""The owner's choices, checked once. Times are seconds; the defaults are the policy's own.

What holds. A Policy that could be made is one that the core can keep to: every value is in its bounds, and no choice contradicts
another one. So nothing behind here checks a choice again, and a mistake in a configuration is said when it is read, not weeks
later when the first renewal is due.

Nobody has to choose anything. The defaults are what hides a home best without being in its owner's way: the address at once, the
name up to two weeks later, apart, each with the profile that its CA has for it.

What must never happen: a choice that weakens the promise without the owner's knowledge. A combined certificate needs consent
besides `combined` (`configuration`); `compress` needs a test CA; the six-day profile is refused for names whatever is chosen
(`acme.directory.choose_profile`).
"""

from . import features, limits, plan
from .acme import challenge
from .encoding.buffer import MICROPYTHON
from .errors import LocalError

_URGENT = ("ip", "domain", "both")
_SETTING = ("home", "public")


def _between(name, value, low, high):
    if type(value) is not int or not low <= value <= high:
        raise LocalError("config", "%s must be a whole number of seconds from %d to %d." % (name, low, high))


class Policy:
    """What the owner wants. Raises LocalError("config", ...) for a value out of its bounds, "missing" for one that this build cannot do.

    urgent          "ip" | "domain" | "both": which goes at once; the other waits `first_delay` at most (docs/privacy.md#p1)
    setting         "home" | "public": a public server in a data centre is not asked for consent
    combined        one certificate for everything: only with consent, or in a public setting
    first_delay     0 to 60 days; default 14 days, one day where both are urgent
    recovery        1 hour to 28 days, default 14: after an absence the certificate that is not urgent is back within it (docs/privacy.md#p3)
    strict_ari      renew inside the CA's suggested window
    min_ip_age      how long a new address must last, where the last one did not (docs/privacy.md#p6)
    profile_name, profile_ip    a profile's name, "" for the rule of `acme.profile`
    test_ca         a private test CA: addresses that no public CA validates are allowed
    compress        divides every drawn delay but a renewal's; for demonstrations against a test CA only
    challenge_name  a type of `acme.challenge.TABLE`, for names (docs/privacy.md#p13)
    challenge_ip    "http-01" | "tls-alpn-01", for addresses
    preferred_chain  "" (the CA's default), "smallest", or a part of the top issuer's name; None: "smallest" on
                    MicroPython, where a chain is held in RAM (not without the feature `alternate-chains`), else ""
    spread          0 to 60 days: the first contact of a fleet waits a random time up to this; 0: it goes at once
    eab_kid, eab_key   the CA's external account binding: its key's name, and the key as bytes (a secret)
    accounturi      DNS names the names' account (a CAA record, or the challenge's): addresses get another one (docs/privacy.md#p13); None:
                    where the type of challenge_name does (`names_account`)
    contacts        "mailto:" URLs; agree_terms: the owner agreed to the CA's terms of service
    """

    def __init__(
        self,
        urgent="ip",
        setting="home",
        combined=False,
        first_delay=None,
        recovery=plan.RECOVERY,
        strict_ari=False,
        min_ip_age=limits.DAY,
        profile_name="",
        profile_ip="",
        test_ca=False,
        compress=1,
        contacts=(),
        agree_terms=False,
        challenge_name="http-01",
        challenge_ip="http-01",
        preferred_chain=None,
        eab_kid="",
        eab_key=b"",
        spread=0,
        accounturi=None,
    ):
        if urgent not in _URGENT:
            raise LocalError("config", 'urgent must be "ip", "domain" or "both".')
        if setting not in _SETTING:
            raise LocalError("config", 'setting must be "home" or "public".')
        # Where both are urgent the owner waits for both: a day is what is left to hide in.
        if first_delay is None:
            first_delay = limits.DAY if urgent == "both" else 14 * limits.DAY
        _between("first_delay", first_delay, 0, 60 * limits.DAY)
        _between("recovery", recovery, limits.HOUR, 28 * limits.DAY)
        _between("min_ip_age", min_ip_age, 0, 30 * limits.DAY)
        _between("compress", compress, 1, 10000000)
        # Plans that come within minutes would show in a public log that the two belong together.
        if compress != 1 and not test_ca:
            raise LocalError(
                "config", "compress is for demonstrations: it needs a CA marked with test = true."
            )
        if challenge_name not in challenge.FOR_NAMES:
            raise LocalError("config", "challenge_name must be one of %s." % ", ".join(challenge.FOR_NAMES))
        if challenge_ip not in challenge.FOR_ADDRESSES:
            raise LocalError("config", "challenge_ip must be one of %s." % ", ".join(challenge.FOR_ADDRESSES))
        if bool(eab_kid) != bool(eab_key) or len(eab_kid) > limits.URL:
            raise LocalError(
                "config", "An external account binding needs both its key identifier and its key."
            )
        for contact in contacts:
            # It goes into newAccount's JSON as it is, and RFC 5321 4.5.3.1.3 has no longer address.
            if (
                not contact.startswith("mailto:")
                or len(contact) > 254
                or '"' in contact
                or "\\" in contact
                or min(contact) <= " "
                or max(contact) > "~"
            ):
                raise LocalError("config", 'A contact must look like "mailto:you@example.com".')
        _between("spread", spread, 0, 60 * limits.DAY)
        self.urgent = urgent
        self.spread = spread
        self.setting = setting
        self.combined = combined
        self.first_delay = first_delay
        self.recovery = recovery
        self.strict_ari = strict_ari
        self.min_ip_age = min_ip_age
        self.profile_name = profile_name
        self.profile_ip = profile_ip
        self.test_ca = test_ca
        self.compress = compress
        self.contacts = contacts
        self.agree_terms = agree_terms
        self.challenge_name = challenge_name
        self.challenge_ip = challenge_ip
        # A chain is held in RAM while it is checked and deployed, and on a board that is scarce.
        if preferred_chain is None:
            preferred_chain = "smallest" if MICROPYTHON and features.has("alternates") else ""
        # What the firmware was built without is said here, and not weeks later.
        for chosen, part in (
            (preferred_chain, "alternates"),
            (eab_kid, "external_account"),
            (combined and setting == "home", "consent"),
        ):
            if chosen:
                features.part(part)
        self.preferred_chain = preferred_chain
        self.eab_kid = eab_kid
        self.eab_key = eab_key
        # What names the names' account in DNS must not name the addresses' too (docs/privacy.md#p13).
        if accounturi is None:
            accounturi = challenge.find(challenge_name).names_account
        self.accounturi = accounturi
