"""Which identifiers share a certificate, and what the owner must be told about it.

Names go together, every address on its own, and never a name with an address: Let's Encrypt's first
recommendation, and P7 of the policy. Only a combined split, which needs consent, breaks that.
"""

from . import notices
from .errors import LocalError


def assign(identifiers, groups, combined):
    """Write the group number of `identifiers[i]` to `groups[i]` (a bytearray as long); return how many groups.

    `combined` puts everything in group 0. Names, if any, are group 0 otherwise. Allocates nothing.
    """
    names = False
    for i in identifiers:
        if i.family == 0:
            names = True
    n = 1 if names or combined else 0
    k = 0
    for i in identifiers:
        if combined or i.family == 0:
            groups[k] = 0
        else:
            groups[k] = n
            n += 1
        k += 1
    return n


def mixes(identifiers, groups, group):
    """What a group mixes: 0 nothing, 1 a name with an address, 2 addresses of two families, 3 both."""
    seen = 0
    k = 0
    for i in identifiers:
        if groups[k] == group:
            seen |= 1 if i.family == 0 else 2 if i.family == 4 else 4
        k += 1
    return (1 if seen & 1 and seen & 6 else 0) | (2 if seen & 6 == 6 else 0)


def warn(identifiers, groups, count, urgent_both, http_for_names):
    """The notices that this split calls for, as a mask of `1 << notices.X`. Allocates nothing."""
    mask = 0
    names = v4 = v6 = False
    for i in identifiers:
        if i.family == 6:
            v6 = True
            mask |= 1 << notices.IPV6_PUBLISHED
            if i.eui64:
                mask |= 1 << notices.EUI64
        elif i.family == 4:
            v4 = True
            mask |= 1 << notices.ADDRESS_PUBLISHED
        else:
            names = True
    g = 0
    while g < count:
        m = mixes(identifiers, groups, g)
        if m & 1:
            mask |= 1 << notices.COMBINED
        if m & 2:
            mask |= 1 << notices.FAMILIES_IN_ONE
        g += 1
    if v4 and v6 and not mask & 1 << notices.FAMILIES_IN_ONE:
        mask |= 1 << notices.BOTH_FAMILIES
    if names and (v4 or v6):
        if http_for_names:
            mask |= 1 << notices.NAME_POINTS_HERE
        if urgent_both:
            mask |= 1 << notices.BOTH_URGENT
    return mask


def subject(number, identifiers):
    """The identifiers that a notice about the split speaks of, as text."""
    families = (0, 4, 6)
    if number in (notices.IPV6_PUBLISHED, notices.EUI64):
        families = (6,)
    elif number == notices.ADDRESS_PUBLISHED:
        families = (4,)
    elif number == notices.NAME_POINTS_HERE:
        families = (0,)
    elif number in (notices.BOTH_FAMILIES, notices.FAMILIES_IN_ONE):
        families = (4, 6)
    return ",".join([i.value for i in identifiers if i.family in families])


def needs_consent(mask):
    """True when the mask holds a mix that only goes out with the owner's consent."""
    return mask & (1 << notices.COMBINED | 1 << notices.FAMILIES_IN_ONE) != 0


def check(identifiers, limit):
    """Raise LocalError where the list is empty, too long, or names one identifier twice."""
    if not identifiers:
        raise LocalError("no-identifiers", "There is nothing to certify: give at least one name or address.")
    if len(identifiers) > limit:
        raise LocalError(
            "too-many",
            "%d identifiers are too many; a certificate holds %d at most." % (len(identifiers), limit),
        )
    k = 0
    for a in identifiers:
        k += 1
        for b in identifiers[k:]:
            if a == b:
                raise LocalError("duplicate", "%s is listed twice; remove one." % a.value)
