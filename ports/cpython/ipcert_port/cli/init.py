"""`ipcert init`: the first configuration, from the table that explains every setting."""

from __future__ import annotations

import os

from ipcert import identifiers
from ipcert.errors import LocalError

from .. import exit_codes
from ..address.discovery import FAMILIES
from ..config import options, reader
from ..port import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .progress import Quiet


def run(
    path: str, progress: Quiet, names: Sequence[str], addresses: Sequence[str]
) -> tuple[int, dict[str, Any]]:
    """Write the file at `path`, which must not be there yet; returns (exit code, the JSON object).

    `names`, `addresses`: lists of texts, both empty for examples. Raises LocalError("config" | "identifier").
    """
    given = {}
    if names or addresses:
        given["identifiers.names"] = [_checked(name, False) for name in names]
        given["identifiers.addresses"] = [_checked(address, True) for address in addresses]
    try:
        fd = files.create(path, 0o644, os.O_EXCL)  # the service, which is another user, reads it
        with open(fd, "w", encoding="utf-8") as file:
            file.write(options.example(given))
    except FileExistsError:
        raise LocalError(
            "config", "%s is there already; edit it, or name another file with --config." % path
        ) from None
    except OSError as e:
        text = "Cannot write %s: %s; run as root, or name another file with --config."
        raise LocalError("config", text % (path, (e.strerror or str(e)).lower())) from None
    if names or addresses:
        progress.say(
            "Wrote %s. Agree to the CA's terms there (agree_terms), then run 'ipcert doctor'." % path
        )
    else:
        text = "Wrote %s. Fill in names and addresses, agree to the CA's terms (agree_terms), then run 'ipcert doctor'."
        progress.say(text % path)
    return exit_codes.OK, {"written": os.path.abspath(path)}


def _checked(text: str, address: bool) -> str:
    if address and text in FAMILIES:
        return text
    one = identifiers.parse(text, reader.to_ascii)
    if bool(one.family) != address:
        word = "--name" if address else "--address"
        raise LocalError("config", "%s belongs to %s." % (one.value, word))
    return text
