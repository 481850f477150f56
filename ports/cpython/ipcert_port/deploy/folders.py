"""Hands a chain and its key to what serves them: a folder for each lineage, switched in one step.

    DIR/example.net -> .example.net@<version>/     fullchain.pem  privkey.pem (0600)  chain.pem  cert.pem

and, where a web server is named, a snippet for its configuration (`servers`).

The folder's files belong together and never change; a new certificate is a new folder, and renaming the symbolic
link is the switch. Whoever reads the files through one resolved path never sees a key with another key's chain; at worst
the files of a retired version are gone, or blank, and the path has to be resolved again.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import stat

from ipcert.errors import LocalError

from ..port import files as disk
from . import copies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ipcert.journal import Record

    from .copies import Copy

FULLCHAIN, KEY, CHAIN, CERT = "fullchain.pem", "privkey.pem", "chain.pem", "cert.pem"
FILES = (FULLCHAIN, KEY, CHAIN, CERT)
_END = b"-----END CERTIFICATE-----"


_LONGEST = 255 - len(".@0123456789abcdef+")  # characters of a name whose versions' folders Linux still takes
_KEPT = 180


def folder_name(identifiers: Sequence[str]) -> str:
    """The folder's name for a lineage: that of its first identifier.

    A wildcard's star becomes "_"; an IPv6 address gets "ipv6-" before it and hyphens for colons, because shells and
    search paths take a colon for a separator. No name can look like that: names that are certified hold a dot. Of a name
    of more than _LONGEST characters (DNS allows 253) it is the beginning, "_" and 16 digits of the name's SHA-256.
    """
    first = identifiers[0]
    if ":" in first:
        return "ipv6-" + first.replace(":", "-")
    if len(first) > _LONGEST:
        digits = hashlib.sha256(first.encode()).hexdigest()[:16]
        return first[:_KEPT].replace("*", "_") + "_" + digits
    return first.replace("*", "_")


class Deployer:
    """Deploys under `folder`; then tells `server`, and runs `hook` (argument list, no shell; empty for none).

    changed    names of the lineages that were switched, in order
    timeout    seconds for each command; group: name of a group that may read the keys, "" for none
    server     "" or one of `servers.NAMES`; server_config: its configuration file, None for its own default
    copy       list of `copies.Copy`
    """

    def __init__(
        self,
        folder: str,
        hook: Sequence[str] = (),
        timeout: float = 120,
        group: str = "",
        server: str = "",
        server_config: str | None = None,
        copy: Sequence[Copy] = (),
    ) -> None:
        self.folder = folder
        self.changed: list[str] = []
        self._hook = list(hook)
        self._timeout = timeout
        self._group = group
        self._server = server
        self._server_config = server_config
        self._copy = list(copy)

    def path(self, identifiers: Sequence[str]) -> str:
        """Where a lineage's files are, or will be."""
        return os.path.join(self.folder, folder_name(identifiers))

    def deploy(self, record: Record, key: bytes, chain: bytes) -> None:
        """Put a lineage's `key` (PKCS#8 DER) and `chain` (PEM) in place, or take it away where both are empty.

        Nothing is touched where they are in place. Raises LocalError("deploy" | "disk-full") with the old files still being
        served, and LocalError("hook") when the hook failed: it runs again at the next start.
        """
        identifiers = record.identifiers_text.text().split(",")
        name = folder_name(identifiers)
        link = os.path.join(self.folder, name)
        pending = os.path.join(self.folder, "." + name + ".hook")
        files = _files(bytes(key), bytes(chain)) if chain else None
        try:
            moved = self._remove(name, link) if files is None else self._place(name, link, pending, files)
            for copy in self._copy:
                moved = copies.bring(copy, name, files, self._write_copy) or moved
        except OSError as e:
            raise self._failure(e) from None
        if moved:
            self.changed.append(name)
        if self._tells() and (moved or os.path.exists(pending)):
            if not os.path.exists(pending) and chain:
                _write(pending, b"", 0o600)
            self._tell(self._environment(record, identifiers, link, "deployed" if chain else "retired"))
        if os.path.exists(pending):
            os.unlink(pending)

    def retired(self, name: str) -> None:
        """Run the hook for a lineage that a reset removed. Raises LocalError("hook")."""
        link = os.path.join(self.folder, name)
        environment = dict(os.environ, IPCERT_EVENT="retired", IPCERT_LINEAGE=name, IPCERT_DIR=link)
        self._tell(environment)

    def _tells(self) -> bool:
        return bool(self._hook or self._server)

    def _place(self, name: str, link: str, pending: str, files: Mapping[str, bytes]) -> bool:
        version = ".%s@%s" % (name, hashlib.sha256(files[FULLCHAIN] + files[KEY]).hexdigest()[:16])
        gid = self._gid()
        try:
            there = os.readlink(link)
            if there in (version, version + "+"):
                if _same(link, self._with_snippet(files, there)) and _guarded(os.path.join(link, KEY), gid):
                    return False
                if there == version:
                    version += "+"  # somebody changed them: serve what there is until the new folder is whole
        except FileNotFoundError:
            pass
        except OSError as e:
            if e.errno == errno.EINVAL:
                text = "%s exists and is not ours; move it away, or choose another deploy.dir."
                raise LocalError("deploy", text % link) from None
            raise
        disk.folder(self.folder)
        target = os.path.join(self.folder, version)
        # Left by a power cut, and perhaps only half of it.
        _erase(target)
        disk.make(target)
        try:
            files = self._with_snippet(files, version)
            for file in files:
                if file == KEY:
                    _write_key(os.path.join(target, file), files[file], gid)
                else:
                    _write(os.path.join(target, file), files[file], 0o644)
            _flush(target)
            if self._tells():
                _write(pending, b"", 0o600)
            temporary = os.path.join(self.folder, "." + name + ".new")
            if os.path.lexists(temporary):
                os.unlink(temporary)
            os.symlink(version, temporary)
            os.rename(temporary, link)
            _flush(self.folder)
        except BaseException:
            if not os.path.exists(link) or os.readlink(link) != version:
                _erase(target)
            raise
        self._sweep(name, version)
        return True

    def _with_snippet(self, files: Mapping[str, bytes], version: str) -> Mapping[str, bytes]:
        if not self._server:
            return files
        from . import servers

        name, data = servers.snippet(self._server, os.path.join(self.folder, version))
        return {name: data, **files}

    def _gid(self) -> int | None:
        """The number of the group that may read keys, or None."""
        if not self._group:
            return None
        import grp

        try:
            return grp.getgrnam(self._group).gr_gid
        except KeyError:
            text = "There is no group %s; make it, or change deploy.group. The certificates there are the old ones."
            raise LocalError("deploy", text % self._group) from None

    def _write_copy(self, path: str, data: bytes, secret: bool) -> None:
        # Only into a file that is made now: one that lies there may be somebody's who waits for the key.
        if secret:
            _write_key(path, data, self._gid(), os.O_EXCL)
        else:
            _write(path, data, 0o644, os.O_EXCL)

    def _remove(self, name: str, link: str) -> bool:
        if not os.path.islink(link):
            return False
        os.unlink(link)
        _flush(self.folder)
        self._sweep(name, None)
        return True

    def _sweep(self, name: str, keep: str | None) -> None:
        """Erase the folders of retired versions: a key that is no longer used must not lie about."""
        for other in os.listdir(self.folder):
            if other.startswith("." + name + "@") and other != keep:
                _erase(os.path.join(self.folder, other))

    def _failure(self, e: OSError) -> LocalError:
        if e.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            text = "The disk that holds %s is full; free some space. The certificates there are the old ones."
            return LocalError("disk-full", text % self.folder)
        text = "Cannot deploy to %s: %s; check the folder and who owns it. The certificates there are the old ones."
        return LocalError("deploy", text % (e.filename or self.folder, (e.strerror or str(e)).lower()))

    def _environment(
        self, record: Record, identifiers: Sequence[str], link: str, event: str
    ) -> dict[str, str]:
        from ..formatting import utc

        return dict(
            os.environ,
            IPCERT_EVENT=event,
            IPCERT_LINEAGE=folder_name(identifiers),
            IPCERT_IDENTIFIERS=",".join(identifiers),
            IPCERT_DIR=link,
            IPCERT_FULLCHAIN=os.path.join(link, FULLCHAIN),
            IPCERT_PRIVKEY=os.path.join(link, KEY),
            IPCERT_CHAIN=os.path.join(link, CHAIN),
            IPCERT_CERT=os.path.join(link, CERT),
            IPCERT_NOT_AFTER=utc(record.not_after),
        )

    def _tell(self, environment: Mapping[str, str]) -> None:
        """The web server first, then the owner's hook."""
        if self._server:
            from . import servers

            for command in servers.commands(self._server, self._server_config):
                self._run("command '%s'" % " ".join(command), command, environment)
        if self._hook:
            self._run("deploy hook " + self._hook[0], self._hook, environment)

    def _run(self, what: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        import signal
        import subprocess

        tail = "the certificate is in place, and it is tried again in an hour, or at the next start."
        try:
            words = _words()
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                env=environment,
                start_new_session=True,
            )
        except OSError as e:
            raise LocalError(
                "hook", "Cannot run the %s: %s; %s" % (what, (e.strerror or str(e)).lower(), tail)
            ) from None
        try:
            status = child.wait(self._timeout)
        except BaseException as e:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if not isinstance(e, subprocess.TimeoutExpired):
                raise
            text = "The %s took longer than %d seconds and was ended; %s"
            raise LocalError("hook", text % (what, self._timeout, tail)) from None
        if status:
            how = "exit status %d" % status if status > 0 else "signal %d" % -status
            raise LocalError("hook", "The %s failed (%s); %s" % (what, how, tail))


def _words() -> int:
    """Where a program's words go: to our stderr, never to stdout, which --json keeps to itself.

    Nowhere (subprocess.DEVNULL) where stderr is closed or full, or its reader has left or does not read: a hook must not
    fail, or wait, for that.
    """
    import select
    import subprocess

    try:
        poll = select.poll()
        poll.register(2, select.POLLOUT)
        if [events for _, events in poll.poll(0)] == [select.POLLOUT]:
            if not stat.S_ISREG(os.fstat(2).st_mode) or os.fstatvfs(2).f_bavail:
                return 2
    except OSError:
        pass  # it cannot be asked: nobody reads there
    return subprocess.DEVNULL


def _files(key: bytes, chain: bytes) -> dict[str, bytes]:
    """name -> bytes, the key last so that a disk that fills up does so before it."""
    end = chain.index(_END) + len(_END)
    lines = base64.b64encode(key)
    pem = b"-----BEGIN PRIVATE KEY-----\n"
    for k in range(0, len(lines), 64):
        pem += lines[k : k + 64] + b"\n"
    return {
        FULLCHAIN: chain,
        CHAIN: chain[end:].lstrip(),
        CERT: chain[:end] + b"\n",
        KEY: pem + b"-----END PRIVATE KEY-----\n",
    }


def _same(link: str, files: Mapping[str, bytes]) -> bool:
    for name in files:
        try:
            with open(os.path.join(link, name), "rb") as file:
                if file.read(len(files[name]) + 1) != files[name]:
                    return False
        except FileNotFoundError:
            return False
    return True


def _guarded(path: str, gid: int | None) -> bool:
    """True when nobody but the owner, and the group where there is one, may read a key."""
    try:
        seen = os.stat(path)
    except FileNotFoundError:
        return False
    return seen.st_mode & 0o777 == (0o600 if gid is None else 0o640) and gid in (None, seen.st_gid)


def _write_key(path: str, data: bytes, gid: int | None, flags: int = os.O_TRUNC) -> None:
    """A file that only its owner reads, and the group `gid` where it is not None."""
    _write(path, data, 0o600 if gid is None else 0o640, flags, gid)


def _write(path: str, data: bytes, mode: int, flags: int = os.O_TRUNC, gid: int | None = None) -> None:
    fd = disk.create(path, mode & 0o600 if gid is not None else mode, flags)
    try:
        # The mode is given through the descriptor: the path may be another file a moment later.
        if gid is not None:
            os.fchown(fd, -1, gid)
            os.fchmod(fd, mode)
        view = memoryview(data)
        while len(view):
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def _flush(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def forget(folder: str, copy: Sequence[Copy] = ()) -> list[str]:
    """Remove every lineage that was ever deployed under `folder`, keys overwritten first; returns their names.

    Only our own links are touched: those to a hidden folder of the same name. `copy`: list of `copies.Copy`, removed
    too. Raises LocalError("deploy").
    """
    found = []
    try:
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            link = os.path.join(folder, name)
            if os.path.islink(link) and os.readlink(link).startswith("." + name + "@"):
                os.unlink(link)
                found.append(name)
                for one in copy:
                    copies.bring(one, name, None, _write)
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            path = os.path.join(folder, name)
            if name.startswith(".") and "@" in name and os.path.isfile(os.path.join(path, KEY)):
                _erase(path)
            elif name.startswith(".") and name.endswith(".hook") and name[1:-5] in found:
                os.unlink(path)
        if found:
            _flush(folder)
    except OSError as e:
        text = "Cannot erase what was deployed to %s: %s; check the folder and who owns it."
        raise LocalError("deploy", text % (folder, (e.strerror or str(e)).lower())) from None
    return found


def _erase(folder: str) -> None:
    """Remove a version's folder, the key overwritten first; nothing happens where there is none."""
    if not os.path.lexists(folder):
        return
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name == KEY:
            try:
                fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    os.write(fd, bytes(os.fstat(fd).st_size))
                    os.fsync(fd)
                finally:
                    os.close(fd)
            except OSError:
                pass  # unlinking it is what matters
        os.unlink(path)
    os.rmdir(folder)
