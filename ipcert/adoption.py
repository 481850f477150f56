"""A certificate that another client left: its renewal is planned instead of a first order.

What must never happen: the key that it came with is used. It lies outside, where others may read it, so it counts as used up.
"""

from .errors import LocalError


class Adoption:
    """The value of the event "adopt": a certificate that another client left.

    text        what it is for, by a record's `identifiers_text`; not_before, not_after: core seconds
    key_hash    `limits.HASH` bytes of the fingerprint of its key, which is never used here
    """

    def __init__(self, text, not_before, not_after, key_hash):
        self.text = text
        self.not_before = not_before
        self.not_after = not_after
        self.key_hash = key_hash


def adopt(adoption, record, ring):
    """Note it in the record that it is for, and its key in the ring of used ones. Raises LocalError("adopt")."""
    if record.file_id:
        raise LocalError(
            "adopt", "There is a certificate for '%s' already; nothing was adopted." % adoption.text
        )
    if not ring.holds(adoption.key_hash, 0):
        ring.add(adoption.key_hash, 0)
    record.not_before = adoption.not_before
    record.not_after = adoption.not_after
