"""The order resource (RFC 8555 7.1.3, 7.4)."""

from .. import limits
from ..encoding import base64url
from ..encoding.buffer import put
from ..errors import RemoteError
from . import message
from .problem import Problem

PENDING = 0
READY = 1
PROCESSING = 2
VALID = 3
INVALID = 4
STATUS = ("pending", "ready", "processing", "valid", "invalid")

# RFC 8555 7.1.6: (from, to). A poll may miss steps, so a path of these counts too; any other move is the CA's mistake.
MOVES = (
    (PENDING, READY),
    (PENDING, INVALID),
    (READY, PROCESSING),
    (READY, INVALID),
    (PROCESSING, VALID),
    (PROCESSING, INVALID),
)


def may_move(old, new, moves=MOVES):
    """True when `new` is `old` or can be reached from it along `moves`."""
    if old == new:
        return True
    for a, b in moves:
        if a == old and may_move(b, new, moves):
            return True
    return False


class Order:
    """What one answer says: status (an index into STATUS), authorizations (URLs), finalize (URL), certificate
    (URL, None unless valid), problem (None unless invalid)."""

    def __init__(self, obj):
        self.status = message.status(obj, STATUS)
        self.authorizations = message.url_list(obj, "authorizations", limits.AUTHORIZATIONS)
        self.finalize = message.url_member(obj, "finalize")
        self.certificate = message.url_member(obj, "certificate") if self.status == VALID else None
        error = obj.get("error")
        self.problem = None
        if isinstance(error, dict):
            self.problem = Problem(
                error.get("status") if isinstance(error.get("status"), int) else 403, error
            )

    def follows(self, old):
        """Raise RemoteError("status") when the CA went from status `old` to a place it cannot reach."""
        if not may_move(old, self.status):
            raise RemoteError(
                "status", "The CA moved an order from %s to %s." % (STATUS[old], STATUS[self.status])
            )


def write_new(buf, off, identifiers, profile, replaces):
    """Write the newOrder payload (7.4); return the new offset.

    `profile` and `replaces` (RFC 9773 5) are bytes, b"" for none.
    """
    off = put(buf, off, b'{"identifiers":[')
    first = True
    for i in identifiers:
        if not first:
            off = put(buf, off, b",")
        off = put(buf, off, b'{"type":"dns","value":"' if i.family == 0 else b'{"type":"ip","value":"')
        off = put(buf, off, i.value.encode())
        off = put(buf, off, b'"}')
        first = False
    off = put(buf, off, b"]")
    if profile:
        off = put(buf, off, b',"profile":"')
        off = put(buf, off, profile)
        off = put(buf, off, b'"')
    if replaces:
        off = put(buf, off, b',"replaces":"')
        off = put(buf, off, replaces)
        off = put(buf, off, b'"')
    return put(buf, off, b"}")


def write_finalize(buf, off, csr, n):
    """Write the finalize payload (7.4) around the `n` bytes of DER in `csr`; return the new offset."""
    off = put(buf, off, b'{"csr":"')
    off = base64url.write_url(buf, off, csr, 0, n)
    return put(buf, off, b'"}')
