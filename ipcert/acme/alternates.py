"""Other chains for the same certificate (RFC 8555 7.4.2), and which of them the owner prefers.

A CA may offer the same certificate under other chains (alternates). ipcert looks at a few of them and takes the one
that the owner prefers, by the name of the topmost issuer, or the smallest, which saves memory on a board.
"""

from .. import limits
from ..errors import RemoteError
from . import message


def _stop(text, at):
    """Where the parameter or link at `at` ends: at a semicolon or comma outside of quotes (RFC 9110 5.6.4)."""
    quoted = False
    while at < len(text):
        character = text[at]
        if quoted and character == "\\":
            at += 1
        elif character == '"':
            quoted = not quoted
        elif not quoted and character in ";,":
            break
        at += 1
    return at


def alternates(headers, base=""):
    """URLs of other chains for the same certificate, `limits.ALTERNATES` at most: Link headers (RFC 8555 7.4.2, RFC 8288)
    of the answer from `base`."""
    text = headers.get("link", "")
    found = []
    at = text.find("<")
    while at >= 0:
        end = text.find(">", at)
        target = text[at + 1 : end]
        at = _stop(text, end) if end > 0 else len(text)
        relations = None
        while text[at : at + 1] == ";":
            start = at + 1
            at = _stop(text, start)
            name, _, value = text[start:at].partition("=")
            name = name.strip().lower()
            if name == "anchor":  # a link of something else
                relations = ""
            elif name == "rel" and relations is None:
                relations = value.strip(' \t"').lower()
        if relations and "alternate" in relations.split():
            try:
                url = message.url(target, "Link", base)
                if url not in found:
                    found.append(url)
            except RemoteError:
                pass  # the chain at hand is good without it
        at = text.find("<", at)
    return found[: limits.ALTERNATES]


def is_under(wanted, issuer):
    """True when the topmost issuer's Name (DER) has `wanted` in it, in any case."""
    return wanted.lower().encode() in issuer.lower()


def better(wanted, issuer, size, best_issuer, best_size):
    """True when a chain suits the owner's `wanted` better: "smallest", or a part of the top issuer's name."""
    if wanted == "smallest":
        return size < best_size
    # The first chain that fits is kept, so that the choice is the same every time.
    return is_under(wanted, issuer) and not is_under(wanted, best_issuer)
