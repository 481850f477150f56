"""The renewalInfo resource (RFC 9773)."""

from .. import limits
from ..errors import RemoteError
from . import dates, message
from .problem import clean


def url(base, certificate):
    """Where the window of a certificate is asked for (4.1): `certificate` is its ARI identifier, text."""
    return message.url(base.rstrip("/") + "/" + certificate, "renewalInfo")


class RenewalInfo:
    """start, end: the suggested window (4.2), core seconds; explanation: a URL to show to the owner, or "".

    A window that does not parse, or whose end is not after its start, raises RemoteError("ari"): the certificate's own
    validity decides then, as 4.2 asks.
    """

    def __init__(self, obj):
        window = obj.get("suggestedWindow")
        if not isinstance(window, dict):
            raise RemoteError("ari", "The CA's renewal information has no window.")
        self.start = dates.rfc3339(window.get("start"))
        self.end = dates.rfc3339(window.get("end"))
        if not 0 < self.start < self.end:
            raise RemoteError("ari", "The CA's renewal window makes no sense.")
        # Shown to the owner, never fetched.
        self.explanation = clean(obj.get("explanationURL"), limits.URL)
