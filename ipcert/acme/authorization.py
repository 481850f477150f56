"""The authorization and challenge resources (RFC 8555 7.1.4, 7.1.5, 8)."""

from .. import limits
from ..encoding.base64url import is_url
from ..errors import RemoteError
from . import challenge, message
from .problem import Problem, clean

PENDING = 0
VALID = 1
INVALID = 2
DEACTIVATED = 3
EXPIRED = 4
REVOKED = 5
STATUS = ("pending", "valid", "invalid", "deactivated", "expired", "revoked")

# RFC 8555 7.1.6, the authorization's and the challenge's pictures: (from, to). Anything else is the CA's mistake.
MOVES = (
    (PENDING, VALID),
    (PENDING, INVALID),
    (PENDING, EXPIRED),
    (PENDING, DEACTIVATED),
    (VALID, EXPIRED),
    (VALID, DEACTIVATED),
    (VALID, REVOKED),
)


class Authorization:
    """What one answer says: status (an index into STATUS), value, wildcard, and the challenge of the wanted type.

    url, token   of the challenge, None where it is not offered; problem: the challenge's error, or None
    answered     the challenge's status is "processing": it was answered already, and the CA is at it
    issuer       for dns-persist-01, the first of the CA's names that the record may hold, else None
    """

    def __init__(self, obj, kind):
        self.status = message.status(obj, STATUS)
        ident = obj.get("identifier")
        self.value = ident.get("value") if isinstance(ident, dict) else None
        self.wildcard = obj.get("wildcard") is True
        self.url = self.token = self.problem = self.issuer = None
        self.answered = False
        challenges = obj.get("challenges")
        if not isinstance(challenges, list):
            raise RemoteError("json", "The CA's authorization has no list of challenges.")
        for c in challenges[: limits.CHALLENGES]:
            # Types we do not know, and types that come without a token, are passed over (RFC 8555 7.1.5).
            if not isinstance(c, dict):
                continue
            error = c.get("error")
            if isinstance(error, dict) and self.problem is None:
                self.problem = Problem(
                    error.get("status") if isinstance(error.get("status"), int) else 403, error
                )
            if c.get("type") != kind or self.url is not None:
                continue
            self.answered = c.get("status") == "processing"
            if kind == challenge.PERSIST:
                names = c.get("issuer-domain-names")
                if isinstance(names, list) and names and clean(names[0], limits.NAME) == names[0] != "":
                    self.issuer = names[0]
                    self.url = message.url_member(c, "url")
            elif is_token(c.get("token")):
                self.url = message.url_member(c, "url")
                self.token = c["token"]


def is_token(value):
    """True for base64url text of 22 to `limits.TOKEN` characters (RFC 8555 8.3: 128 bits at least)."""
    return isinstance(value, str) and is_url(value, 22, limits.TOKEN)
