"""What of this machine an order needs: folders, room, guarded keys, randomness, and the programs that are run."""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import stat

from ipcert.errors import Error

from ..deploy import servers
from ..deploy.folders import KEY
from ..port.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..config.reader import Config
    from .findings import Findings

_ROOM = 1 << 20  # bytes: several times what all files of a home need
_NODES = 64  # files


def state(config: Config, findings: Findings) -> State | None:
    """Look at the state folder; returns its `state.State`, or None where it cannot be read."""
    try:
        found = State(config.state)
    except Error as e:
        findings.error("state", e)
        return None
    trouble = folder(config.state, "state.dir", 0o022)
    if trouble is None and found.found:
        trouble = _cloned(found)
    if trouble is not None:
        findings.bad("state", *trouble)
    else:
        findings.ok("state", config.state if found.found else "%s; nothing is in it yet." % config.state)
    _user(config.state, findings)
    return found


def check(config: Config, findings: Findings) -> None:
    """Look at everything else here."""
    _keys(config, findings)
    _deploy(config, findings)
    _programs(config, findings)
    _entropy(findings)


def folder(path: str, setting: str, open_to: int = 0) -> tuple[str, str] | None:
    """(what is wrong, how to fix it) with a folder that is to be written to, or None. Leaves nothing in it."""
    there = path
    while not os.path.lexists(there) and os.path.dirname(there) != there:
        there = os.path.dirname(there)
    try:
        seen = os.stat(there)
        if not stat.S_ISDIR(seen.st_mode):
            return "%s is not a folder." % there, "Choose another %s." % setting
        if there == path and seen.st_mode & open_to:
            return "Other users may write to %s." % path, "Run: chmod 700 %s" % path
        _try(there)
        free = os.statvfs(there)
    except OSError as e:
        return _refusal(there, setting, e)
    if free.f_bavail * free.f_frsize < _ROOM or 0 < free.f_files and free.f_favail < _NODES:
        return "The disk that holds %s is all but full." % there, "Free some space."
    return None


def _try(folder: str) -> None:
    """Write a file that has no name, and so is gone with its last closing. Raises OSError."""
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, "permission denied")
    try:
        fd = os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as e:
        if e.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT):
            return  # a file system without such files
        raise
    try:
        left = _ROOM // 16
        while left > 0:
            left -= os.write(fd, bytes(left))
    finally:
        os.close(fd)


def _refusal(folder: str, setting: str, e: OSError) -> tuple[str, str]:
    if e.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "The disk that holds %s is full." % folder, "Free some space."
    if e.errno == errno.EROFS:
        return (
            "%s is on a file system that is read-only." % folder,
            "Mount it writable, or choose another %s." % setting,
        )
    text = "Cannot write in %s as user %s: %s." % (
        folder,
        _name(os.geteuid()),
        (e.strerror or "refused").lower(),
    )
    return text, "Run: chown %s %s, or choose another %s." % (_name(os.geteuid()), folder, setting)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _cloned(found: State) -> tuple[str, str] | None:
    from ..port.port import device_id

    own = device_id()
    if own is None or found.journal.device_id == own:
        return None
    return (
        "The state was made on another device, whose certificates and keys these are.",
        "Give each device its own: run 'ipcert reset' on the copy.",
    )


def _user(folder: str, findings: Findings) -> None:
    try:
        owner = os.stat(folder).st_uid
    except OSError:
        return
    if os.geteuid() == 0 and owner != 0:
        text = "This ran as root, but the state is %s's, and what that user may not do does not show here. As that user: %s"
        only = "-all,+net_bind_service"
        command = "setpriv --reuid=%s --regid=%s --clear-groups --inh-caps=%s --ambient-caps=%s ipcert doctor"
        findings.skipped("user", text % (_name(owner), command % (_name(owner), _name(owner), only, only)))


def _keys(config: Config, findings: Findings) -> None:
    """Every file that holds a secret: who may read it."""
    loose = []
    for path, most in _secrets(config):
        try:
            mode = os.stat(path).st_mode & 0o777
        except OSError:
            continue  # it is missed where it is needed
        if mode & ~most & 0o777:
            loose.append((path, most))
    if loose:
        text = "Other users can read %s." % ", ".join([path for path, _ in loose])
        fixes = ["chmod %o %s" % (most, path) for path, most in loose]
        findings.bad(
            "keys", text, "Run: %s; and where others did read one, 'ipcert issue --now'." % "; ".join(fixes)
        )
    else:
        findings.ok("keys", "Only their owner reads them.")


def _secrets(config: Config) -> Iterator[tuple[str, int]]:
    """(path, most of a mode) of each."""
    for name in _names(config.state):
        if name.startswith(("key-", "account-")):
            yield os.path.join(config.state, name), 0o600
    for name in _names(config.deploy):
        path = os.path.join(config.deploy, name, KEY)
        if name[:1] != "." and os.path.lexists(path):
            yield path, 0o640 if config.group else 0o600
    for path in config.secrets():
        yield path, 0o640


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _deploy(config: Config, findings: Findings) -> None:
    trouble = folder(config.deploy, "deploy.dir", 0o002)
    if trouble is None:
        trouble = _foreign(config)
    if trouble is None and config.group:
        trouble = _group(config.group)
    for copy in config.copy if trouble is None else ():
        trouble = trouble or folder(os.path.dirname(copy.target), "deploy.copy")
    if trouble is not None:
        findings.bad("deploy", *trouble)
    else:
        findings.ok("deploy", config.deploy)


def _foreign(config: Config) -> tuple[str, str] | None:
    from ..deploy.folders import folder_name

    for ids in config.groups():
        path = os.path.join(config.deploy, folder_name(ids.split(",")))
        if os.path.lexists(path) and not os.path.islink(path):
            return "%s exists and is not ours." % path, "Move it away, or choose another deploy.dir."
    return None


def _group(name: str) -> tuple[str, str] | None:
    import grp

    try:
        gid = grp.getgrnam(name).gr_gid
    except KeyError:
        return (
            "There is no group %s." % name,
            "Make it (addgroup --system %s), or change deploy.group." % name,
        )
    if os.geteuid() != 0 and gid not in (*os.getgroups(), os.getegid()):
        text = "User %s is not in the group %s, so may not give it a file." % (_name(os.geteuid()), name)
        return text, "Run: adduser %s %s" % (_name(os.geteuid()), name)
    return None


def _programs(config: Config, findings: Findings) -> None:
    """The programs that are run when something is deployed."""
    wanted = []
    if config.hook:
        wanted.append((config.hook[0], "deploy.hook"))
    if config.server:
        for command in servers.commands(config.server, config.server_config):
            wanted.append((command[0], "deploy.server"))
        if config.server_config and not os.path.isfile(config.server_config):
            text = "There is no %s." % config.server_config
            return findings.bad("programs", text, "Correct deploy.server_config.")
    for program, setting in wanted:
        if shutil.which(program) is None:
            there = os.path.exists(program)
            text = "%s, which %s runs, %s." % (
                program,
                setting,
                "is not executable" if there else "is not there",
            )
            fix = (
                "chmod +x %s" % program
                if there
                else "Install it, or correct %s (a program's path; no shell)." % setting
            )
            return findings.bad("programs", text, fix)
    if wanted:
        findings.ok("programs", ", ".join(sorted({program for program, _ in wanted})))
    else:
        findings.ok("programs", "None is run.")


def _entropy(findings: Findings) -> None:
    try:
        seen = {os.getrandom(32, os.GRND_NONBLOCK) for _ in range(4)}
    except BlockingIOError:
        text = "The kernel's random numbers are not seeded yet: a key made now could be guessed, so ipcert would wait."
        fix = "Wait, or give it a source: a hardware generator, virtio-rng in a virtual machine, or the package rng-tools5."
        return findings.bad("entropy", text, fix)
    except OSError as e:
        text = "The kernel gives no random numbers: %s." % (e.strerror or "refused").lower()
        return findings.bad(
            "entropy", text, "Allow getrandom(2) to this process; see its container's or unit's filter."
        )
    if len(seen) < 4:
        return findings.bad(
            "entropy", "The kernel's random numbers repeat themselves.", "Do not make keys on this machine."
        )
    findings.ok("entropy", "The kernel's generator is seeded.")
