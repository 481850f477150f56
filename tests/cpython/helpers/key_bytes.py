"""Looking for the bytes of keys where they do not belong."""

import base64
import os
import stat


def forms(scalar):
    """How a key could be written down: raw, hexadecimal, and base64 at any alignment, without its ends."""
    yield scalar
    yield scalar[:16]
    yield scalar[16:]
    for text in (scalar.hex(), scalar.hex().upper()):
        yield text.encode()
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + scalar)[4:-4]
        yield text
        yield text.replace(b"+", b"-").replace(b"/", b"_")


def holds(data, scalars):
    """True when `data` (bytes or str) shows one of the keys."""
    if isinstance(data, str):
        data = data.encode("utf-8", "replace")
    data = bytes(data)
    return any(form in data for scalar in scalars for form in forms(scalar))


def files_under(folder):
    """relative path -> (mode, bytes) of every file, links left out."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if not os.path.islink(path):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder)] = (stat.S_IMODE(os.stat(path).st_mode), file.read())
    return found


def scalars_of(files):
    """The scalars in key files as they lie in a state folder (RFC 5958, with the scalar at byte 36)."""
    out = []
    for path, (_, data) in files.items():
        if os.path.basename(path).startswith(("key-", "account-")):
            out.append(data[36:68])
    return out
