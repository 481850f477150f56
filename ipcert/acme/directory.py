"""The directory resource (RFC 8555 7.1.1; profiles: draft-aaron-acme-profiles; renewalInfo: RFC 9773).

Without the three URLs that every order needs a directory is refused as a whole. What else may be missing is missed by
whoever needs it (`message.needed`): there are CAs that neither revoke nor change keys, and they issue as well as others.

The profile decides how long a certificate lives, and so how often its renewal stands in the public log. Names must
never get the six-day profile by default: they would be seen renewing every few days beside the address that does
(docs/privacy.md#p8). So where a CA lists profiles, one is always asked for by name (`choose_profile`), and where none fits by
itself, the owner is asked.
"""

from .. import limits
from ..errors import LocalError, RemoteError
from . import message
from .problem import clean

_PROFILES = 16  # profiles read from a directory; CAs list a handful
_PROFILE = 64  # characters in the name of one
_SIX_DAYS = "shortlived"  # Let's Encrypt's name for it


class Directory:
    """The CA's URLs.

    new_nonce, new_account, new_order    https URLs
    revoke, key_change, renewal_info     https URL or None; newAuthz (7.4.1) is not used
    terms                             URL or None
    external_account                  True where the CA wants an external account binding
    profiles                          list of names, [] where the CA has none
    """

    def __init__(self, obj, base=""):
        self.new_nonce = message.url(obj.get("newNonce"), "newNonce", base)
        self.new_account = message.url(obj.get("newAccount"), "newAccount", base)
        self.new_order = message.url(obj.get("newOrder"), "newOrder", base)
        self.revoke = _optional(obj, "revokeCert", base)
        self.key_change = _optional(obj, "keyChange", base)
        self.renewal_info = _optional(obj, "renewalInfo", base)
        # Of "meta" nothing is required (7.1.1); what has an odd shape counts as absent.
        meta = obj.get("meta")
        if not isinstance(meta, dict):
            meta = {}
        # Shown to the owner and never fetched, so it need not be https.
        self.terms = clean(meta.get("termsOfService"), limits.URL) or None
        self.external_account = meta.get("externalAccountRequired") is True
        profiles = meta.get("profiles")
        self.profiles = []
        if isinstance(profiles, dict):
            # Sorted, so that the owner reads the same list every time, and JSON's order decides nothing.
            for name in sorted([profile for profile in profiles if isinstance(profile, str)])[:_PROFILES]:
                # A profile's name goes into newOrder's JSON as it is.
                if name and len(name) <= _PROFILE and clean(name) == name and '"' not in name:
                    self.profiles.append(name)


def _optional(obj, name, base):
    # What is no https URL is not used, and so as good as missing.
    try:
        return message.url_member(obj, name, base)
    except RemoteError:
        return None


def choose_profile(profiles, for_address, wanted, before):
    """The profile to ask for, "" where the CA lists none.

    Addresses go out under `shortlived` (Let's Encrypt issues them under no other), names under their longest
    (docs/privacy.md#p8): `classic`, else `default`, else the only one that is not shortlived. `before`, the lineage's last one,
    is kept while it is offered. Raises LocalError("profile") with the list where the choice is the owner's, and where
    the owner wants the six-day one for a name.
    """
    if wanted == _SIX_DAYS and not for_address:
        raise LocalError(
            "profile",
            "The six-day profile is for addresses: a name's many renewals would give readers of the public logs more to "
            "match. Choose another one; the CA lists: %s." % ", ".join(profiles),
        )
    if wanted and wanted not in profiles:
        raise LocalError(
            "profile",
            "The CA has no profile '%s'; it lists: %s." % (wanted, ", ".join(profiles) or "none at all"),
        )
    if wanted or not profiles:
        return wanted
    # A lineage that changed its profile would change its rhythm in the log, for no reason of the owner's.
    if before in profiles and (for_address or before != _SIX_DAYS):
        return before
    if for_address:
        if _SIX_DAYS in profiles:
            return _SIX_DAYS
    else:
        for name in ("classic", "default"):
            if name in profiles:
                return name
    rest = [name for name in profiles if for_address or name != _SIX_DAYS]
    if len(rest) == 1:
        return rest[0]
    raise LocalError("profile", "Say which profile to use; the CA lists: %s." % ", ".join(profiles))
