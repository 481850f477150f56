"""Whether an address is still ours: what speaks against it, and when that is enough (docs/privacy.md#p6).

What holds. A port that looks for the home's address says with each certificate how it came by the address (`split.Certificate.
evidence`). Nobody who is asked for an address can be believed alone: routers answer nonsense while they start, two lines take
turns, and whoever sits in the home's network can answer in the router's place. So an address that is not found any more is only
doubted. It stays in service and is renewed as before, until two things are true:

- another address was found in its place again and again, `limits.DOUBT_ANSWERS` times, an hour apart at least, and it itself
  not once in between;
- and one more kind of evidence: the CA could not validate it meanwhile, or it was an address of this machine's own interfaces,
  and is on none of them any more.

One time that it is found again, or one validation that succeeds, and all that spoke against it is forgotten.

All of it stands in the record and so in the journal: a power cut neither ends a doubt nor begins one. Silence is no evidence:
an hour in which nothing was found does not count.

What must never happen: a live certificate that is taken down for one kind of evidence, whoever gives it and however often.
"""

from . import limits

# How a port came by an address, in the order of their weight.
GIVEN = 0  # the owner wrote it down: an address that is not in the list any more goes at once
KEPT = 1  # nothing was found just now; this is what was found last
ANSWERED = 2  # a router or a program said so
INTERFACE = 3  # an interface of this machine has it, and none of them has an earlier one

# What is known of an address: bits of a record's `presence`.
ON_INTERFACE = 1  # it was found on an interface of this machine
LEFT_INTERFACE = 2  # and is on none of them now
NOT_VALID = 4  # the CA could not validate it since it is doubted

_ANOTHER_KIND = LEFT_INTERFACE | NOT_VALID


def is_live(record, now):
    """True where something would be lost with the record: a certificate of ours, or one that was adopted and holds."""
    return record.file_id != 0 or record.not_after > now


def seen(record, now, evidence):
    """The address is ours now. True where that changed what the record says."""
    before = record.presence, record.doubted_at
    if evidence == INTERFACE:
        record.presence = ON_INTERFACE
    elif evidence == ANSWERED:
        record.presence = 0
    else:
        record.presence &= ON_INTERFACE
    if record.doubted_at:
        record.doubted_at = record.doubt_answers = 0
        record.wanted_at = now
    return before != (record.presence, record.doubted_at)


def missing(record, now, evidence, every=limits.DOUBT_EVERY):
    """Another address was found in its place. True where that counted: at first, then once in `every` seconds."""
    before = record.presence, record.doubted_at
    if evidence == INTERFACE and record.presence & ON_INTERFACE:
        record.presence |= LEFT_INTERFACE
    if not record.doubted_at:
        record.doubted_at = now
        record.doubt_answers = 1
    elif evidence >= ANSWERED and now - record.doubted_at >= every:
        record.doubted_at = now
        record.doubt_answers = min(record.doubt_answers + 1, limits.DOUBT_ANSWERS)
    return before != (record.presence, record.doubted_at)


def not_valid(record):
    """The CA tried to validate the address and could not. That counts where it is doubted, and only there."""
    if record.doubted_at:
        record.presence |= NOT_VALID


def proved(record, now):
    """The CA validated the address: whatever spoke against it was wrong."""
    record.presence &= ON_INTERFACE
    if record.doubted_at:
        record.doubted_at = now
        record.doubt_answers = 0


def needs_proof(record):
    """True where answers alone have spoken against it for long enough: only another kind of evidence is missing."""
    return record.doubt_answers >= limits.DOUBT_ANSWERS and not record.presence & _ANOTHER_KIND


def is_gone(record):
    """True where the address is believed to be somebody else's."""
    return record.doubt_answers >= limits.DOUBT_ANSWERS and record.presence & _ANOTHER_KIND != 0
