"""Which identifiers share a certificate, and what the owner must be told about it.

What holds. Names go together, every address on its own, and never a name with an address: Let's Encrypt's first
recommendation, and docs/privacy.md#p7. Only a combined split, which needs the owner's consent at home, breaks that.
The core takes a list of certificates; `certificates` makes the one that the policy calls for.

What must never happen: an identifier in two certificates, since its orders would show that the two belong together.
"""

from . import limits, notices, presence
from .acme import challenge
from .errors import LocalError

# What a certificate may hold: the families of its identifiers are a sum of these.
NAMES = 1
IPV4 = 2
IPV6 = 4
_FAMILY = {0: NAMES, 4: IPV4, 6: IPV6}


class Certificate:
    """What the owner wants one certificate to be.

    identifiers  list of `identifiers.Identifier`, one at least; challenge: the type that proves all of them
    deploys      what the port wants to find again when the certificate is deployed; the core does not look at it
    text         the identifiers, comma-separated, as in a record's `identifiers_text`
    families     which of NAMES, IPV4 and IPV6 occur; has_address: IPV4 or IPV6 do
    evidence     how the port came by its address (`presence`): what is not in the list any more goes at once where the owner
                 wrote it down (GIVEN), and is doubted first where it was found
    urgent       True for the one that is fetched at once (docs/privacy.md#p1); `configuration` decides
    """

    def __init__(self, identifiers, challenge, deploys=None, evidence=presence.GIVEN):
        self.identifiers = identifiers
        self.challenge = challenge
        self.deploys = deploys
        self.evidence = evidence
        self.urgent = False
        self.text = ",".join([one.value for one in identifiers])
        self.families = 0
        for one in identifiers:
            self.families |= _FAMILY[one.family]
        self.has_address = self.families != NAMES

    def is_mixed(self):
        """True where it says more than it must: a name with an address, or addresses of both families."""
        return self.links_name() or self.links_families()

    def links_name(self):
        """True where it holds a name and an address."""
        return self.families & NAMES != 0 and self.has_address

    def links_families(self):
        """True where it holds an IPv4 and an IPv6 address."""
        return self.families & (IPV4 | IPV6) == IPV4 | IPV6


def certificates(identifiers, policy, found=None):
    """The Certificates for a list of Identifiers, as the policy has them split and proved.

    found    {family: evidence} for addresses that the port looked for; None: the owner wrote them all down
    """
    # The order is kept: which one is first decides which one is urgent.
    if policy.combined:
        groups = [identifiers]
    else:
        names = [one for one in identifiers if not one.family]
        groups = [names] if names else []
        groups += [[one] for one in identifiers if one.family]
    return [make(group, policy, found) for group in groups]


def make(identifiers, policy, found=None):
    """The one Certificate that all these Identifiers share; arguments as in `certificates`."""
    evidence = presence.GIVEN
    has_address = False
    for one in identifiers:
        if one.family:
            has_address = True
            if found is not None and one.family in found:
                # Of two addresses that were found, the one that is less sure.
                evidence = min(evidence or presence.INTERFACE, found[one.family])
    kind = policy.challenge_ip if has_address else policy.challenge_name
    return Certificate(identifiers, kind, None, evidence)


def warn(certificates, urgent_both):
    """The notices that these certificates call for, as a mask of `1 << notices.X`. Allocates nothing."""
    # What is public about each by itself, then what they say about each other.
    mask = families = 0
    name_must_resolve = False
    for certificate in certificates:
        families |= certificate.families
        if certificate.families & NAMES and challenge.find(certificate.challenge).resolves:
            name_must_resolve = True
        if certificate.links_name():
            mask |= 1 << notices.COMBINED
        if certificate.links_families():
            mask |= 1 << notices.FAMILIES_IN_ONE
        for one in certificate.identifiers:
            if one.family == 6 and one.eui64:
                mask |= 1 << notices.EUI64
    if families & IPV6:
        mask |= 1 << notices.IPV6_PUBLISHED
    if families & IPV4:
        mask |= 1 << notices.ADDRESS_PUBLISHED
    if families & IPV4 and families & IPV6 and not mask & 1 << notices.FAMILIES_IN_ONE:
        mask |= 1 << notices.BOTH_FAMILIES
    if families & NAMES and families != NAMES:
        if name_must_resolve:
            mask |= 1 << notices.NAME_POINTS_HERE
        if urgent_both:
            mask |= 1 << notices.BOTH_URGENT
    return mask


def subject(number, identifiers):
    """The identifiers that a notice about the split speaks of, as text."""
    families = NAMES | IPV4 | IPV6
    if number in (notices.IPV6_PUBLISHED, notices.EUI64):
        families = IPV6
    elif number == notices.ADDRESS_PUBLISHED:
        families = IPV4
    elif number == notices.NAME_POINTS_HERE:
        families = NAMES
    elif number in (notices.BOTH_FAMILIES, notices.FAMILIES_IN_ONE):
        families = IPV4 | IPV6
    return ",".join([one.value for one in identifiers if _FAMILY[one.family] & families])


def check(certificates):
    """Raise LocalError for a list that is empty or too long, or that names one identifier twice."""
    identifiers = [one for certificate in certificates for one in certificate.identifiers]
    if not identifiers:
        raise LocalError("no-identifiers", "There is nothing to certify: give at least one name or address.")
    if len(identifiers) > limits.IDENTIFIERS:
        raise LocalError(
            "too-many",
            "%d identifiers are too many; a certificate holds %d at most."
            % (len(identifiers), limits.IDENTIFIERS),
        )
    if len(certificates) > limits.LINEAGES:
        raise LocalError(
            "too-many",
            "%d certificates are too many; this build keeps %d." % (len(certificates), limits.LINEAGES),
        )
    for certificate in certificates:
        if len(certificate.text) > limits.IDENTIFIERS_TEXT:
            raise LocalError(
                "too-many",
                "The names of one certificate are longer than %d characters." % limits.IDENTIFIERS_TEXT,
            )
    # Compared in their canonical form, so that two spellings are one identifier.
    seen = []
    for one in identifiers:
        if one in seen:
            raise LocalError("duplicate", "%s is listed twice; remove one." % one.value)
        seen.append(one)
