"""Hands a chain and its key to what serves them: a folder for each lineage, switched in one step.

    DIR/example.net -> .example.net@<version>/     fullchain.pem  privkey.pem (0600)  chain.pem  cert.pem

The folder's files belong together and never change; a new certificate is a new folder, and renaming the symbolic
link is the switch. Whoever reads the files through one resolved path never sees a key with another key's chain; at worst
the files of a retired version are gone, or blank, and the path has to be resolved again.
"""

import base64
import errno
import hashlib
import os

from ipcert.errors import Ours

FULLCHAIN, KEY, CHAIN, CERT = "fullchain.pem", "privkey.pem", "chain.pem", "cert.pem"
_END = b"-----END CERTIFICATE-----"


def folder_name(identifiers):
    """The folder's name for a lineage: that of its first identifier.

    A wildcard's star becomes "_"; an IPv6 address gets "ipv6-" before it and hyphens for colons, because shells and
    search paths take a colon for a separator. No name can look like that: names that are certified hold a dot.
    """
    first = identifiers[0]
    if ":" in first:
        return "ipv6-" + first.replace(":", "-")
    return first.replace("*", "_")


class Deployer:
    """Deploys under `folder`; then runs `hook` (argument list, no shell; empty for none) for `timeout` seconds.

    changed    names of the lineages that were switched, in order; progress: where a hook's output is announced
    """

    def __init__(self, folder, hook=(), timeout=120):
        self.folder = folder
        self.changed = []
        self._hook = list(hook)
        self._timeout = timeout

    def path(self, identifiers):
        """Where a lineage's files are, or will be."""
        return os.path.join(self.folder, folder_name(identifiers))

    def deploy(self, record, key, chain):
        """Put a lineage's `key` (PKCS#8 DER) and `chain` (PEM) in place, or take it away where both are empty.

        Nothing is touched where they are in place. Raises Ours("deploy" | "disk-full") with the old files still being
        served, and Ours("hook") when the hook failed: it runs again at the next start.
        """
        identifiers = record.ids.text().split(",")
        name = folder_name(identifiers)
        link = os.path.join(self.folder, name)
        pending = os.path.join(self.folder, "." + name + ".hook")
        try:
            if chain:
                moved = self._place(name, link, pending, _files(bytes(key), bytes(chain)))
            else:
                moved = self._remove(name, link)
        except OSError as e:
            raise self._failure(e) from None
        if moved:
            self.changed.append(name)
        if self._hook and (moved or os.path.exists(pending)):
            self._run(record, identifiers, link, "deployed" if chain else "retired")
        if os.path.exists(pending):
            os.unlink(pending)

    def _place(self, name, link, pending, files):
        version = ".%s@%s" % (name, hashlib.sha256(files[FULLCHAIN] + files[KEY]).hexdigest()[:16])
        try:
            there = os.readlink(link)
            if there in (version, version + "+"):
                if _same(link, files):
                    return False
                if there == version:
                    version += "+"  # somebody changed them: serve what there is until the new folder is whole
        except FileNotFoundError:
            pass
        except OSError as e:
            if e.errno == errno.EINVAL:
                text = "%s exists and is not ours; move it away, or choose another deploy.dir."
                raise Ours("deploy", text % link) from None
            raise
        os.makedirs(self.folder, 0o755, exist_ok=True)
        target = os.path.join(self.folder, version)
        # Left by a power cut, and perhaps only half of it.
        _erase(target)
        os.mkdir(target, 0o755)
        try:
            for file in files:
                _write(os.path.join(target, file), files[file], 0o600 if file == KEY else 0o644)
            _flush(target)
            if self._hook:
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

    def _remove(self, name, link):
        if not os.path.islink(link):
            return False
        os.unlink(link)
        _flush(self.folder)
        self._sweep(name, None)
        return True

    def _sweep(self, name, keep):
        """Erase the folders of retired versions: a key that is no longer used must not lie about."""
        for other in os.listdir(self.folder):
            if other.startswith("." + name + "@") and other != keep:
                _erase(os.path.join(self.folder, other))

    def _failure(self, e):
        if e.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            text = "The disk that holds %s is full; free some space. The certificates there are the old ones."
            return Ours("disk-full", text % self.folder)
        text = "Cannot deploy to %s: %s; check the folder and who owns it. The certificates there are the old ones."
        return Ours("deploy", text % (self.folder, (e.strerror or str(e)).lower()))

    def _run(self, record, identifiers, link, event):
        import signal
        import subprocess
        import sys

        from .show import utc

        environment = dict(
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
        tail = "the certificate is in place, and the hook runs again at the next start."
        try:
            # Its words go where ours go, so that --json keeps stdout to itself.
            child = subprocess.Popen(
                self._hook,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,
                env=environment,
                start_new_session=True,
            )
        except OSError as e:
            raise Ours(
                "hook", "Cannot run the deploy hook %s: %s; %s" % (self._hook[0], e.strerror.lower(), tail)
            ) from None
        try:
            status = child.wait(self._timeout)
        except BaseException as e:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if not isinstance(e, subprocess.TimeoutExpired):
                raise
            text = "The deploy hook %s took longer than %d seconds and was ended; %s"
            raise Ours("hook", text % (self._hook[0], self._timeout, tail)) from None
        if status:
            how = "exit status %d" % status if status > 0 else "signal %d" % -status
            raise Ours("hook", "The deploy hook %s failed (%s); %s" % (self._hook[0], how, tail))


def _files(key, chain):
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


def _same(link, files):
    for name in files:
        try:
            with open(os.path.join(link, name), "rb") as file:
                if file.read(len(files[name]) + 1) != files[name]:
                    return False
        except FileNotFoundError:
            return False
    return True


def _write(path, data, mode):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        os.fchmod(fd, mode)
        view = memoryview(data)
        while len(view):
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def _flush(folder):
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def forget(folder):
    """Remove every lineage that was ever deployed under `folder`, keys overwritten first; returns their names.

    Only our own links are touched: those to a hidden folder of the same name. Raises Ours("deploy").
    """
    found = []
    try:
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            link = os.path.join(folder, name)
            if os.path.islink(link) and os.readlink(link).startswith("." + name + "@"):
                os.unlink(link)
                found.append(name)
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
        raise Ours("deploy", text % (folder, (e.strerror or str(e)).lower())) from None
    return found


def _erase(folder):
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
