"""`ipcert reset`: forget everything. Keys are overwritten before they go, also those that were deployed."""

from __future__ import annotations

import os
import sys

from ipcert.errors import LocalError

from .. import exit_codes
from ..deploy import folders as deploy
from ..port import lock
from ..port.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..config.reader import Config
    from .progress import Quiet

_ASK = """This erases the account's key, every certificate with its key, their copies in {deploy} and all plans.
The certificates themselves stay valid until they expire: revoke them first where a key may be in other hands.
Type "erase" to go on: """


def run(config: Config, progress: Quiet, yes: bool = False) -> tuple[int, dict[str, Any]]:
    """Erase the state and what was deployed; returns (exit code, the JSON object). Raises Error.

    Works on damaged state, too. `yes`: do not ask. Raises LocalError("reset") where nobody can be asked, or the answer is no.
    """
    if not yes and not _agreed(config):
        raise LocalError(
            "reset", "Nothing was erased. Run 'ipcert reset --yes' to erase without being asked."
        )
    if not os.path.isdir(config.state):
        erased = []
    else:
        with lock.Lock(config.state, lock.DAEMON), lock.Lock(config.state):
            store = Store(config.state)
            # Keys first, the journal last: cut short, a second reset finds the same state to go on with.
            names = [name for name in store.names() if name not in (lock.ORDERS, lock.DAEMON)]
            erased = sorted(
                names,
                key=lambda name: (not name.startswith(("account", "key")), name.startswith("journal"), name),
            )
            for name in erased:
                store.erase(name)
    folders = deploy.forget(config.deploy, config.copy)
    if folders:
        _tell(config, folders, progress)
    progress.close()
    progress.say("Erased %d files of the state and %d deployed certificates." % (len(erased), len(folders)))
    return exit_codes.OK, {"erased": erased, "removed": folders}


def _tell(config: Config, names: Sequence[str], progress: Quiet) -> None:
    """Whoever has copies of what was erased is told, as of any certificate that is retired."""
    deployer = deploy.Deployer(config.deploy, config.hook, config.hook_timeout)
    for name in names:
        try:
            deployer.retired(name)
        except LocalError as e:
            progress.warn(str(e))


def _agreed(config: Config) -> bool:
    if not sys.stdin.isatty():
        return False
    print(_ASK.format(deploy=config.deploy), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() == "erase"
