"""The authorization resource and the challenges in it (RFC 8555 7.1.4, 7.1.5, 8): is an identifier proved, and how.

An authorization is about one identifier and offers several challenges; answering one of them is enough. ipcert wants
one type, chosen by the owner, and reads the others only to pass them over: to answer a second type would publish
more than was asked for. A CA may offer types that we do not know, in shapes that we do not know; only the wanted one
must be well-formed.

A token goes into a path, a file name, a TXT record and JSON. It is checked here, once, and used as it is everywhere.
"""

from .. import limits
from ..encoding.base64url import is_url
from . import challenge, message
from .problem import clean, error_member

PENDING = 0  # waits for one of its challenges to be answered and validated
VALID = 1  # proved, also by an earlier order: CAs reuse authorizations for a while
INVALID = 2  # a validation failed; a new order is the only way on
DEACTIVATED = 3  # given back by us (7.5.2)
EXPIRED = 4
REVOKED = 5  # by the CA
STATUS = ("pending", "valid", "invalid", "deactivated", "expired", "revoked")
# The moves of RFC 8555 7.1.6 are not looked at: ipcert asks again only while an authorization is pending, and from there every
# other status can be reached.


class Authorization:
    """What one answer says, at the URL `base`: status (an index into STATUS; one that is not said is pending), value, wildcard,
    and the challenge of the wanted type.

    listed       there is a list of challenges; only a pending authorization needs one
    url, token   of the challenge, None where it is not offered; problem: the challenge's error, or None
    answered     the challenge's status is "processing": it was answered already, and the CA is at it
    issuer       for dns-persist-01, the first of the CA's names that the record may hold, else None
    """

    def __init__(self, obj, kind, base=""):
        self.status = message.status(obj, STATUS, PENDING)
        identifier = obj.get("identifier")
        self.value = identifier.get("value") if isinstance(identifier, dict) else None
        # Present and true only for a wildcard (7.1.4). "true" as text is no true.
        self.wildcard = obj.get("wildcard") is True
        self.url = self.token = self.problem = self.issuer = None
        self.answered = False
        self.listed = isinstance(obj.get("challenges"), list)
        for offered in obj["challenges"] if self.listed else ():
            # What has another shape is a type that we do not know, and passed over (RFC 8555 7.1.5).
            if not isinstance(offered, dict):
                continue
            # One challenge failed, of whatever type: the authorization is invalid then, and this says why.
            if self.problem is None:
                self.problem = error_member(offered)
            if message.word(offered, "type") == kind and self.url is None:
                self._choose(offered, challenge.find(kind), base)

    def _choose(self, offered, row, base):
        """Note the challenge that will be answered; not where it lacks what its type needs."""
        # To answer once more what the CA is validating already would be a second request for nothing.
        self.answered = message.word(offered, "status") == "processing"
        if row.lasting:
            names = offered.get("issuer-domain-names")
            # The name goes into a TXT record as it is: only what survives cleaning may.
            if isinstance(names, list) and names and clean(names[0], limits.NAME) == names[0] != "":
                # The first of them is as good as any (draft-ietf-acme-dns-persist).
                self.issuer = names[0]
                self.url = message.url_member(offered, "url", base)
        elif is_token(offered.get("token")):
            self.url = message.url_member(offered, "url", base)
            self.token = offered["token"]


def is_token(value):
    """True for base64url text of 22 to `limits.TOKEN` characters (RFC 8555 8.3: 128 bits at least)."""
    return isinstance(value, str) and is_url(value, 22, limits.TOKEN)
