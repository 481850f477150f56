"""CAs by short name, for `ca.directory`. Anything else there is a URL, or step-ca:HOST for a private step-ca.

One CA at a time: ipcert never goes from one to another by itself. Who writes another one here gets a new account
there, and is told so.
"""

from __future__ import annotations

# name -> (directory URL, True where an external account binding is needed, who it is)
KNOWN = {
    "letsencrypt": ("https://acme-v02.api.letsencrypt.org/directory", False, "Let's Encrypt"),
    "letsencrypt-staging": (
        "https://acme-staging-v02.api.letsencrypt.org/directory", False, "Let's Encrypt's staging; trusted by nobody",
    ),
    "zerossl": ("https://acme.zerossl.com/v2/DV90", True, "ZeroSSL; names only"),
    "google": ("https://dv.acme-v02.api.pki.goog/directory", True, "Google Trust Services"),
    "google-staging": (
        "https://dv.acme-v02.test-api.pki.goog/directory", True, "Google's staging; trusted by nobody",
    ),
}  # fmt: skip


STEP = "step-ca:"  # and HOST, HOST:PORT or HOST:PORT/PROVISIONER; the usual provisioner is "acme"


def url(text: str) -> str:
    """The directory URL of a short name; what is none is given back as it is."""
    if text[: len(STEP)] == STEP:
        host, _, provisioner = text[len(STEP) :].partition("/")
        return "https://%s/acme/%s/directory" % (host, provisioner or "acme")
    return KNOWN[text][0] if text in KNOWN else text


def name(directory: str) -> str:
    """What to call a CA: its short name, or its URL."""
    for short in KNOWN:
        if KNOWN[short][0] == directory:
            return short
    return directory


def needs_binding(directory: str) -> bool:
    """True for a known CA that wants an external account binding."""
    return any([KNOWN[short][0] == directory and KNOWN[short][1] for short in KNOWN])
