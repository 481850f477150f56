"""Problem documents (RFC 7807) as the CA's errors, with subproblems (RFC 8555 6.7, 6.7.1).

A problem is a value and not an exception: whether it ends the order, is waited out or means nothing depends on the
request that it answers, which `order.states` knows. It is shown to the owner word by word, so everything in it is
bounded and made printable: a CA that was taken over cannot write escape sequences into a terminal or a log.

Any garbage makes a Problem, if only an empty one: the status alone says that the CA refused. Where the answer is no problem
document, but a proxy's HTML, say, or somebody's own JSON, its words are the detail.
"""

from .. import limits

_URN = "urn:ietf:params:acme:error:"


def clean(text, limit=limits.DETAIL):
    """Outside text made safe to show: printable ASCII only, at most `limit` characters."""
    if not isinstance(text, str):
        return ""
    # Cut first: the rest is not worth the memory.
    return "".join([character if " " <= character <= "~" else "?" for character in text[:limit]])


def _words(body):
    """What people read in an answer that is not a problem document: its first 2 KB without tags."""
    parts = bytes(body[:2048]).split(b"<")
    text = b" ".join([part[part.find(b">") + 1 :] for part in parts])
    # Bytes beyond ASCII may be of any encoding; nobody misses them.
    return clean(" ".join("".join([chr(byte) if 32 <= byte < 127 else " " for byte in text]).split()))


class Problem:
    """A problem document, or what else a refusal came with: `obj` is the JSON in `body`, or None.

    type        the word behind "urn:ietf:params:acme:error:", or the whole type where it is another; "" if absent
    status      the HTTP status, 100 to 599
    detail      for people; printable ASCII, at most `limits.DETAIL` characters
    subproblems list of (identifier value or "", type, detail), at most `limits.SUBPROBLEMS`
    """

    def __init__(self, status, obj, body=b""):
        if not isinstance(obj, dict):
            obj = {}
        self.status = status
        self.type = _type(obj)
        self.detail = clean(obj.get("detail")) or clean(obj.get("title"))
        self.subproblems = []
        listed = obj.get("subproblems")
        if isinstance(listed, list):
            for sub in listed[: limits.SUBPROBLEMS]:
                if isinstance(sub, dict):
                    # Without an identifier the subproblem is about the whole order (6.7.1).
                    identifier = sub.get("identifier")
                    value = clean(identifier.get("value")) if isinstance(identifier, dict) else ""
                    self.subproblems.append((value, _type(sub), clean(sub.get("detail"))))
        if not (self.type or self.detail or self.subproblems):
            self.detail = _words(body)

    def __str__(self):
        text = self.detail or self.type or "no reason given"
        for value, kind, detail in self.subproblems:
            text += "; %s: %s" % (value or "?", detail or kind)
        return "%s (%s, HTTP %d)" % (text, self.type or "no type", self.status)


def error_member(obj):
    """The Problem in the member "error" of an order or a challenge (RFC 8555 7.1.3, 8), or None."""
    error = obj.get("error")
    if not isinstance(error, dict):
        return None
    # Without a status of its own it counts as what CAs send when they refuse.
    status = error.get("status")
    return Problem(status if isinstance(status, int) else 403, error)


def _type(obj):
    """The word behind ACME's prefix; a type of somebody else stays whole."""
    text = clean(obj.get("type"))
    return text[len(_URN) :] if text[: len(_URN)].lower() == _URN else text
