"""Problem documents (RFC 7807) as the CA's errors, with subproblems (RFC 8555 6.7, 6.7.1)."""

from .. import limits

_URN = "urn:ietf:params:acme:error:"


def clean(text, limit=limits.DETAIL):
    """Outside text made safe to show: printable ASCII only, at most `limit` characters."""
    if not isinstance(text, str):
        return ""
    return "".join([c if " " <= c <= "~" else "?" for c in text[:limit]])


class Problem:
    """A problem document.

    type        the word behind "urn:ietf:params:acme:error:", or the whole type where it is another; "" if absent
    status      the HTTP status, 100 to 599
    detail      for people; printable ASCII, at most `limits.DETAIL` characters
    subproblems list of (identifier value or "", type, detail), at most `limits.SUBPROBLEMS`
    """

    def __init__(self, status, obj):
        if not isinstance(obj, dict):
            obj = {}
        self.status = status
        self.type = _type(obj)
        self.detail = clean(obj.get("detail"))
        self.subproblems = []
        subs = obj.get("subproblems")
        if isinstance(subs, list):
            for s in subs[: limits.SUBPROBLEMS]:
                if isinstance(s, dict):
                    ident = s.get("identifier")
                    value = clean(ident.get("value")) if isinstance(ident, dict) else ""
                    self.subproblems.append((value, _type(s), clean(s.get("detail"))))

    def __str__(self):
        text = self.detail or self.type or "no reason given"
        for value, kind, detail in self.subproblems:
            text += "; %s: %s" % (value or "?", detail or kind)
        return "%s (%s, HTTP %d)" % (text, self.type or "no type", self.status)


def _type(obj):
    text = clean(obj.get("type"))
    return text[len(_URN) :] if text.startswith(_URN) else text
