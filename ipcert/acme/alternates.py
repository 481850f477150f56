"""Other chains for the same certificate (RFC 8555 7.4.2), and which of them the owner prefers.

A CA may offer the same certificate under other chains (alternates). ipcert looks at a few of them and takes the one
that the owner prefers, by the name of the topmost issuer, or the smallest, which saves memory on a board.
"""

from .. import limits
from ..errors import RemoteError
from . import message


def alternates(headers):
    """URLs of other chains for the same certificate, `limits.ALTERNATES` at most: Link headers (RFC 8555 7.4.2)."""
    found = []
    # Several Link headers arrive joined by commas. A comma inside a URL cuts it, and then it is no URL.
    for link in headers.get("link", "").split(","):
        parts = link.split(";")
        target = parts[0].strip()
        for part in parts[1:]:
            if (
                part.strip().replace('"', "").lower() == "rel=alternate"
                and target[:1] == "<"
                and target[-1:] == ">"
            ):
                try:
                    found.append(message.url(target[1:-1], "Link"))
                except RemoteError:
                    continue  # the chain at hand is good without it
    return found[: limits.ALTERNATES]


def better(wanted, issuer, size, best_issuer, best_size):
    """True when a chain suits the owner's `wanted` better: "smallest", or a part of the top issuer's name."""
    if wanted == "smallest":
        return size < best_size
    # The first chain that fits is kept, so that the choice is the same every time.
    return wanted.encode() in issuer and wanted.encode() not in best_issuer
