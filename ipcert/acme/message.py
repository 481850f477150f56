"""Reading one JSON object from the CA: the admitted place where the core allocates, behind a size limit.

Every resource of RFC 8555 is read by way of these functions. They take any JSON value, and raise RemoteError for
what cannot be used. Two rules keep what comes from the CA from breaking out of where it is put later:

- A URL is https, bounded, and free of quotes, backslashes and control characters. It goes into the JSON of a protected
  header as it is (`encoding.jws`), into the journal and to the port; nothing downstream escapes it.
- A text is shown to the owner only, and only after `problem.clean`.

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
        obj = json.loads(body)
    except (ValueError, TypeError, RuntimeError, MemoryError):
        # TypeError: MicroPython reads {[]: 1} too. RuntimeError and MemoryError: brackets nested without end.
        raise RemoteError("json", "The CA's answer is not JSON; is the directory URL right?")
    if not isinstance(obj, dict):
        raise RemoteError("json", "The CA's answer is JSON but not an object; is the directory URL right?")
    return obj


def url(value, name):
    """`value` if it is an https URL that is safe inside our JSON, or RemoteError("url")."""
    if not isinstance(value, str) or not value.startswith("https://") or not 8 < len(value) <= limits.URL:
        raise RemoteError(
            "url", "The CA's '%s' is not an https URL of at most %d characters." % (name, limits.URL)
        )
    for character in value:
        if not "!" <= character <= "~" or character == '"' or character == "\\":
            raise RemoteError("url", "The CA's '%s' has characters that do not belong in a URL." % name)
    return value


def url_member(obj, name):
    """The required member `name` as an https URL."""
    return url(obj.get(name), name)


def url_list(obj, name, limit):
    """The required member `name` as a list of 1 to `limit` https URLs."""
    value = obj.get(name)
    if not isinstance(value, list) or not 0 < len(value) <= limit:
        raise RemoteError("json", "The CA's '%s' is not a list of 1 to %d URLs." % (name, limit))
    # One bad URL spoils the list: an order whose authorizations are known in part cannot be finished.
    return [url(member, name) for member in value]


def status(obj, names):
    """The index of the member "status" in `names`. Raises RemoteError("status")."""
    # A status of a later RFC is not guessed at: what it allows is unknown.
    value = obj.get("status")
    if value not in names:
        raise RemoteError("status", "The CA's answer has a status we do not know.")
    return names.index(value)
