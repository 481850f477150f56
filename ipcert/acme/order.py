"""The order resource (RFC 8555 7.1.3, 7.4): what is asked for, and how far the CA has got with it.

What holds: the CA moves an order along MOVES. ipcert polls, so it may miss a status in between, and a path of moves
counts as one. Any other change means that another machine of the CA answered, which is behind: `order.issuance` goes on
from there, a few times.

What a later answer leaves out stays known from an earlier one. An answer without a status, or valid without a certificate,
is an answer that has to be asked for again.

An order is written by template. Its identifiers are `identifiers.Identifier`, whose values are plain ASCII; profile
and ARI identifier were checked where they were read. So nothing has to be escaped here.
"""

from .. import limits
from ..encoding import base64url
from ..encoding.buffer import put
from . import message
from .problem import error_member

PENDING = 0  # some authorizations are not valid yet
READY = 1  # all are: it waits for the request (7.4, finalize)
PROCESSING = 2  # the CA is issuing
VALID = 3  # issued
INVALID = 4  # over, without a certificate: an authorization failed, or it expired
STATUS = ("pending", "ready", "processing", "valid", "invalid")

# RFC 8555 7.1.6: (from, to). A poll may miss steps, so a path of these counts too.
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
    for start, end in moves:
        if start == old and may_move(end, new, moves):
            return True
    return False


class Order:
    """What one answer says, at the URL `base`; `known`, where there is one, is the Order of the answer before it.

    status (an index into STATUS), authorizations (URLs), finalize (URL or None), certificate (URL, None unless valid),
    problem (None unless invalid)
    """

    def __init__(self, obj, base="", known=None):
        self.status = message.status(obj, STATUS, PROCESSING)
        authorizations, finalize = (known.authorizations, known.finalize) if known else ((), None)
        self.authorizations = message.url_list(
            obj, "authorizations", limits.AUTHORIZATIONS, base, authorizations
        )
        self.finalize = message.url_member(obj, "finalize", base, finalize)
        # Only a valid order has one (7.1.3); a URL that comes earlier would lead to nothing.
        self.certificate = message.url_member(obj, "certificate", base) if self.status == VALID else None
        if self.status == VALID and self.certificate is None:
            self.status = PROCESSING
        self.problem = error_member(obj)


def write_new(buffer, offset, identifiers, profile, replaces):
    """Write the newOrder payload (7.4); return the new offset.

    `profile` and `replaces` (RFC 9773 5) are bytes, b"" for none.
    """
    offset = put(buffer, offset, b'{"identifiers":[')
    first = True  # JSON takes no comma after the last one
    for identifier in identifiers:
        if not first:
            offset = put(buffer, offset, b",")
        # RFC 8738 3: an address is the text of RFC 5952 or dotted IPv4, without brackets.
        offset = put(
            buffer,
            offset,
            b'{"type":"dns","value":"' if identifier.family == 0 else b'{"type":"ip","value":"',
        )
        offset = put(buffer, offset, identifier.value.encode())
        offset = put(buffer, offset, b'"}')
        first = False
    offset = put(buffer, offset, b"]")
    if profile:
        offset = put(buffer, offset, b',"profile":"')
        offset = put(buffer, offset, profile)
        offset = put(buffer, offset, b'"')
    if replaces:
        offset = put(buffer, offset, b',"replaces":"')
        offset = put(buffer, offset, replaces)
        offset = put(buffer, offset, b'"')
    return put(buffer, offset, b"}")


def write_finalize(buffer, offset, csr, size):
    """Write the finalize payload (7.4) around the `size` bytes of DER in `csr`; return the new offset."""
    offset = put(buffer, offset, b'{"csr":"')
    offset = base64url.write_url(buffer, offset, csr, 0, size)
    return put(buffer, offset, b'"}')
