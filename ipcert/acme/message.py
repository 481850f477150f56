"""Reading one JSON object from the CA: the admitted place where the core allocates, behind a size limit.

Every resource of RFC 8555 is read by way of these functions. They take any JSON value, and raise RemoteError for
what cannot be used. Two rules keep what comes from the CA from breaking out of where it is put later:

- A URL is https, bounded, and free of quotes, backslashes and control characters. It goes into the JSON of a protected
  header as it is (`encoding.jws`), into the journal and to the port; nothing downstream escapes it.
- A text is shown to the owner only, and only after `problem.clean`.

What is missing, null or empty is missing (`needed`), and only where it is needed is that an error.

JSON may hold half a surrogate pair, which no encoder takes. Comparing characters finds those too, encoding would raise.
"""

import json

from .. import limits
from ..errors import RemoteError


def parse(body):
    """The JSON object in `body` (bytes). Raises RemoteError("json")."""
    # The port has stopped reading there already; this holds for ports that do not.
    if len(body) > limits.BODY:
        raise RemoteError("too-large", "The CA's answer is larger than %d bytes." % limits.BODY)
    try:
        # Some servers of files put a byte order mark there, which MicroPython does not pass over (RFC 8259 8.1).
        obj = json.loads(body[3:] if body[:3] == b"\xef\xbb\xbf" else body)
    except (ValueError, TypeError, RuntimeError, MemoryError):
        # TypeError: MicroPython reads {[]: 1} too. RuntimeError and MemoryError: brackets nested without end.
        raise RemoteError("json", "The CA's answer is not JSON; is the directory URL right?")
    if not isinstance(obj, dict):
        raise RemoteError("json", "The CA's answer is JSON but not an object; is the directory URL right?")
    return obj


def _resolve(reference, base):
    """RFC 3986 5.2: what a reference means at a base URL; the fragment is dropped, which no request carries."""
    reference = reference.split("#")[0]
    scheme, colon, rest = reference.partition(":")
    if colon and "/" not in scheme and "?" not in scheme:
        return scheme.lower() + colon + rest  # of scheme and the rest only the first may be in any case
    if reference[:2] == "//":
        return "https:" + reference
    end = base.find("/", 8)
    if end < 0:
        end = len(base)
        base += "/"
    before = base[end:].split("?")[0]
    path, mark, query = reference.partition("?")
    if not path:
        path = before
    elif path[0] != "/":
        path = before[: before.rfind("/") + 1] + path
    segments = [""]  # what stands in front of the first slash
    for segment in path.split("/")[1:]:
        if segment == "..":
            if len(segments) > 1:
                segments.pop()
        elif segment != ".":
            segments.append(segment)
    if path[-2:] == "/." or path[-3:] == "/..":
        segments.append("")
    return base[:end] + "/".join(segments) + mark + query


def url(value, name, base=""):
    """The https URL that `value` means at the URL `base` (RFC 3986 5.2), safe inside our JSON; or RemoteError("url")."""
    found = _resolve(value, base) if isinstance(value, str) and value[:1] not in ("", "#") else ""
    if not found.startswith("https://") or found[8:9] in ("", "/") or len(found) > limits.URL:
        raise RemoteError(
            "url", "The CA's '%s' is not an https URL of at most %d characters." % (name, limits.URL)
        )
    for character in found:
        if not "!" <= character <= "~" or character == '"' or character == "\\":
            raise RemoteError("url", "The CA's '%s' has characters that do not belong in a URL." % name)
    return found


def url_member(obj, name, base="", known=None):
    """The member `name` as an https URL; `known` where it is missing, null or empty."""
    value = obj.get(name)
    return url(value, name, base) if value else known


def url_list(obj, name, limit, base="", known=()):
    """The member `name` as a list of at most `limit` https URLs; `known` where it is missing, null or empty."""
    value = obj.get(name) or known
    if value is known:
        return known
    if not isinstance(value, list) or len(value) > limit:
        raise RemoteError("json", "The CA's '%s' is not a list of at most %d URLs." % (name, limit))
    # One bad URL spoils the list: an order whose authorizations are known in part cannot be finished.
    return [url(member, name, base) for member in value]


def needed(value, name):
    """`value`, which the CA sent. Raises RemoteError("not-offered") where it did not."""
    if not value:
        raise RemoteError("not-offered", "The CA sent no '%s', which is needed for this." % name)
    return value


def word(obj, name):
    """The member `name` in lower case, "" where it is no text: types and statuses are words of ASCII."""
    value = obj.get(name)
    return value.lower() if isinstance(value, str) else ""


def status(obj, names, default):
    """The index of the member "status" in `names`; `default` where it is missing, null or empty. Raises RemoteError("status")."""
    if not obj.get("status"):
        return default
    # A status of a later RFC is not guessed at: what it allows is unknown.
    value = word(obj, "status")
    if value not in names:
        raise RemoteError("status", "The CA's answer has a status we do not know.")
    return names.index(value)
