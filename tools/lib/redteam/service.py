"""Somebody who has taken over the service's user: what they leave in its folders for root to read, and what they do to root's terminal."""

import contextlib
import datetime
import os
import socket
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tools.lib import cache
from tools.lib.ca import certificates

NAME = "nas.example.net"
SECONDS = 30  # that root's side may take, on a busy machine
USER = 1  # "daemon", which has a group of its name, stands for the service's user where this runs as root


def user():
    """The user id of the attacker: another one than ours where we are root."""
    return USER if os.geteuid() == 0 else os.getuid()


def pair(*names, key=None):
    """PEM (certificate, key) for these names, self-signed. `key`: another kind of key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    start, end = now - datetime.timedelta(hours=1), now + datetime.timedelta(days=1)
    nobody = certificates.name("")
    general = [x509.DNSName(name) for name in names]
    made = certificates.sign(nobody, key.public_key(), nobody, key, start, end, general)
    return certificates.pem(made), certificates.secret(key)


class Left:
    """A deploy folder as the service's user leaves it: one good lineage, and whatever attacks add.

    live, name, folder    path of the deploy folder; the lineage that is attacked, and the path of its version's folder
    """

    def __init__(self, scratch):
        self.scratch = scratch
        self.live = os.path.join(scratch, "live")
        os.makedirs(self.live)
        self.attack(NAME)

    def attack(self, name):
        """Leave a good lineage for `name`, to be attacked."""
        self.name = name
        self.folder = self.lineage(name, *pair(name))

    def lineage(self, name, chain, key):
        """Leave a lineage; returns its version's folder."""
        folder = os.path.join(self.live, ".%s@0123456789abcdef" % name)
        os.mkdir(folder)
        for file, data in (
            ("fullchain.pem", chain),
            ("cert.pem", chain),
            ("chain.pem", b""),
            ("privkey.pem", key),
        ):
            with open(os.path.join(folder, file), "wb") as out:
                out.write(data)
        os.symlink(os.path.basename(folder), os.path.join(self.live, name))
        return folder

    def own(self):
        """Give everything to the service's user."""
        for where, folders, files in os.walk(self.live):
            for name in [".", *folders, *files]:
                os.chown(os.path.join(where, name), user(), -1, follow_symlinks=False)

    def instead(self, file, make):
        """Have `make(path)` put something else in a file's place."""
        path = os.path.join(self.folder, file)
        os.unlink(path)
        make(path)


def _link(target):
    return lambda path: os.symlink(target, path)


def _device(major, minor):
    import stat

    return lambda path: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(major, minor))


def _write(data):
    def write(path):
        with open(path, "wb") as file:
            file.write(data)

    return write


def _sparse(path):
    with open(path, "wb") as file:
        file.truncate(1 << 40)


def _socket(path):
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as one:
        here = os.getcwd()
        os.chdir(os.path.dirname(path))
        try:
            one.bind(os.path.basename(path))
        finally:
            os.chdir(here)


def _put(file, make):
    return lambda left: left.instead(file, make)


def _both(chain, key):
    def put(left):
        left.instead("fullchain.pem", _write(chain))
        left.instead("privkey.pem", _write(key))

    return put


def files(scratch, name=NAME):
    """{what it is: function of a `Left` whose lineage `name` is attacked}: what lies where root reads.

    `scratch`: a folder that gets another user's pair, which would fit.
    """
    secret = os.path.join(scratch, "secret")
    os.makedirs(secret, 0o700)
    chain, key = pair(name)
    for file, data in (("fullchain.pem", chain), ("privkey.pem", key)):
        path = os.path.join(secret, file)
        _write(data)(path)
        os.chmod(path, 0o600)
    other_chain, other_key = pair("other.example.net")

    def linked(left):
        left.instead("fullchain.pem", _link(os.path.join(secret, "fullchain.pem")))
        left.instead("cert.pem", _link(os.path.join(secret, "fullchain.pem")))
        left.instead("privkey.pem", _link(os.path.join(secret, "privkey.pem")))

    def hard(left):
        for file in ("fullchain.pem", "privkey.pem"):
            left.instead(file, lambda path, file=file: os.link(os.path.join(secret, file), path))

    def linked_folder(left):
        link = os.path.join(left.live, name)
        os.unlink(link)
        os.symlink(secret, link)

    def linked_version(left):
        os.rename(left.folder, left.folder + ".away")
        os.symlink(secret, left.folder)

    found = {
        "links to another one's files": linked,
        "other names of another one's files": hard,
        "a lineage that is a link elsewhere": linked_folder,
        "a version that is a link elsewhere": linked_version,
    }
    for file in ("fullchain.pem", "privkey.pem"):
        found[f"a FIFO as {file}"] = _put(file, os.mkfifo)
        found[f"a folder as {file}"] = _put(file, os.mkdir)
        found[f"a socket as {file}"] = _put(file, _socket)
        found[f"a terabyte of nothing as {file}"] = _put(file, _sparse)
        found[f"nothing as {file}"] = _put(file, _write(b""))
        found[f"{file} of another lineage"] = _put(
            file, _write(other_chain if file == "fullchain.pem" else other_key)
        )
        if os.geteuid() == 0:
            for what, number in (("/dev/zero", 5), ("/dev/random", 8)):
                found[f"{what} as {file}"] = _put(file, _device(1, number))
    rsa_pair = pair(name, key=rsa.generate_private_key(65537, 1024))
    bare_pair = pair()
    many = pair(name, *["n%d.example.net" % k for k in range(100)])
    for what, (chain_, key_) in {
        "a weak RSA key": rsa_pair,
        "no names": bare_pair,
        "a hundred names": many,
    }.items():
        found[what] = _both(chain_, key_)
    encrypted = serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"x"),
    )
    found["an encrypted key"] = _put("privkey.pem", _write(encrypted))
    return found


def names():
    """Server names of a certificate that are directives, patterns or paths somewhere."""
    return (
        'x"; load_module /tmp/x.so; #',
        "x.example; }",
        "x.example\n}",
        "../../../etc/passwd",
        "..",
        ".",
        "*",
        "~.*",
        "$hostname",
        "-oProxyCommand=x",
        "%s%n",
        "\x1b]0;x\x07",
        "_",
        "*.*.example.net",
        "a" * 64 + ".example.net",
        "",
    )


def root_reads(left, *words):
    """What root's side makes of the folder: (exit status or "late", what it printed), in a process with a limit."""
    config = os.path.join(left.scratch, "ipcert.toml")
    with open(config, "w") as file:
        file.write(f'[identifiers]\nnames = ["{NAME}"]\n[deploy]\ndir = "{left.live}"\n[ca]\ntest = true\n')
    command = [sys.executable, "-m", "ipcert_port.deploy.nginx", "--config", config, *words]
    ports = os.path.join(cache.ROOT, "ports")
    path = [
        cache.ROOT,
        *(os.path.join(ports, name) for name in ("cpython", "urequests_compat", "ucryptolib_shim")),
    ]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=SECONDS,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(path)),
        )
    except subprocess.TimeoutExpired:
        return "late", ""
    return done.returncode, done.stdout + done.stderr


def folders(outcome):
    """Let root read a folder with all that the service's user can leave, and one good lineage between."""
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        if os.geteuid():
            outcome.skip("devices and other users' files", "that takes root")
        kinds = [
            what
            for what in files(os.path.join(scratch, "kinds"))
            if os.geteuid() == 0 or "another one's" not in what
        ]
        left = Left(os.path.join(scratch, "files"))
        tried = {what: f"n{number}.example.net" for number, what in enumerate(kinds)}
        made = []
        for what, name in tried.items():
            left.attack(name)
            made.append((files(os.path.join(scratch, name), name)[what], left.folder, name))
        left.own()
        for make, left.folder, left.name in made:
            make(left)
        status, text = root_reads(left)
        served = _served(text)
        for what, name in tried.items():
            held = status == 0 and name not in served and NAME in served
            outcome.held(f"service's user: {what}", held, (status, text[-200:]))
        left = Left(os.path.join(scratch, "names"))
        made_for = []
        for name in names():
            safe = "".join(c for c in name if c not in "/\0\n")[:100]
            try:
                chain, key = pair(name)
            except ValueError:
                outcome.skip(f"service's user: the name {name!r}", "no certificate can be made for it")
                continue
            if safe in ("", ".", ".."):
                safe = "x%d" % len(made_for)
            left.lineage(safe, chain, key)
            made_for.append(name)
        left.own()
        status, text = root_reads(left)
        good = status == 0 and _served(text) == [NAME] and "load_module" not in _configuration(text)
        for name in made_for:
            outcome.held(f"service's user: the name {name!r}", good, (status, text[-200:]))


def _configuration(text):
    return "\n".join(line for line in text.splitlines() if not line.startswith(("ipcert-nginx: ", "# ")))


def _served(text):
    """The names of the lineages that a printed configuration serves."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["ssl_certificate"]:
            found.append(os.path.basename(os.path.dirname(words[1].rstrip(";"))))
    return sorted(set(found))


# Root's terminal.

_ATTACKER = r"""
import fcntl, json, os, sys, termios
found = {"uid": os.getuid(), "session": os.getsid(0), "terminals": {}, "typed": 0, "environment": sorted(os.environ)}
for fd in range(64):
    try:
        found["terminals"][str(fd)] = os.fstat(fd).st_rdev if os.isatty(fd) else 0
    except OSError:
        continue
try:
    mine = os.open("/dev/tty", os.O_RDWR)
    found["dev_tty"] = True
except OSError:
    found["dev_tty"] = False
for fd in (0, 1, 2):
    for c in "echo taken\n":
        try:
            fcntl.ioctl(fd, termios.TIOCSTI, c.encode())
            found["typed"] += 1
        except OSError:
            pass
with open(os.environ.get("REPORT") or sys.argv[-1], "w") as file:
    json.dump(found, file)
sys.stdout.write("\x1b[c\x1b[5n\x1b]0;title\x07\x1bP$qm\x1b\\\x1b[21t\x9b6n\x1b]52;c;YQ==\x07hello\x1b[31mred\x1b[0m\n")
sys.stdout.flush()
"""


class Rooted:
    """Root at a terminal, with this checkout's `ipcert` command, whose service's user runs an attacker in its place.

    `run(words)` returns (the terminal's device number, what the attacker found, what the terminal was shown, what was typed into
    it by nobody). Takes root.
    """

    def __init__(self, scratch):
        self._scratch = scratch
        self._report = os.path.join(scratch, "report")
        package = os.path.join(scratch, "path", "ipcert_port")
        os.makedirs(package)
        real = os.path.join(cache.ROOT, "ports", "cpython", "ipcert_port")
        for name, text in (
            ("__init__.py", "__path__.append(%r)\n" % real),
            ("__main__.py", _ATTACKER),
        ):
            with open(os.path.join(package, name), "w") as file:
                file.write(text)
        self.home = os.path.join(scratch, "home")
        os.makedirs(self.home)
        os.chown(self.home, user(), -1)
        for path in (scratch, os.path.join(scratch, "path"), package):
            os.chmod(path, 0o755)
        with open(self._report, "w"):
            os.chmod(self._report, 0o666)
        with open(os.path.join(cache.ROOT, "ports", "cpython", "debian", "ipcert.sh")) as file:
            text = file.read()
        # The package's Python and folder, as they are here.
        text = text.replace("/usr/bin/python3 -I", sys.executable).replace("/var/lib/ipcert", self.home)
        self.script = os.path.join(scratch, "ipcert")
        with open(self.script, "w") as file:
            file.write(text)

    def run(self, terminals=(0, 1, 2)):
        """`terminals`: which of its first three files are root's terminal; the others are /dev/null."""
        import fcntl
        import json
        import select
        import termios
        import time

        master, slave = os.openpty()
        number = os.fstat(slave).st_rdev
        null = os.open(os.devnull, os.O_RDWR)

        def begin():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        pythonpath = os.pathsep.join([os.path.join(self._scratch, "path"), cache.ROOT])
        environment = dict(os.environ, PYTHONPATH=pythonpath, SECRET="x", REPORT=self._report, TERM="xterm")
        ends = [slave if fd in terminals else null for fd in range(3)]
        with open(self._report, "w") as file:
            file.write("{}")
        child = subprocess.Popen(
            ["/bin/sh", self.script, "status", self._report],
            stdin=ends[0], stdout=ends[1], stderr=ends[2], env=environment, preexec_fn=begin, cwd="/",
        )  # fmt: skip
        shown = b""
        end = time.monotonic() + SECONDS
        try:
            while time.monotonic() < end:
                if select.select([master], [], [], 0.2)[0]:
                    shown += os.read(master, 4096)
                elif child.poll() is not None:
                    break
            # What somebody typed is waiting for root's shell.
            typed = select.select([slave], [], [], 0)[0] and os.read(slave, 4096) or b""
        finally:
            child.kill()
            child.wait()
            for fd in (master, slave, null):
                os.close(fd)
        with open(self._report) as file:
            return number, json.load(file), shown, typed


def terminal(outcome):
    """Let the service's user at the terminal of a root that runs `ipcert status`."""
    if os.geteuid():
        outcome.skip("root's terminal", "that takes root")
        return
    with tempfile.TemporaryDirectory() as scratch:
        rooted = Rooted(scratch)
        for terminals in ((0, 1, 2), (1, 2), (0,), (2,), ()):
            number, found, shown, typed = rooted.run(terminals)
            what = f"root's terminal as {terminals or 'none'} of its files: "
            outcome.held(what + "the command runs as the service's user", found.get("uid") == user(), found)
            devices = set(found.get("terminals", {}).values())
            outcome.held(what + "it is none of the attacker's", number not in devices, found)
            own = len([d for d in devices if d]) <= 1 and found.get("dev_tty") == bool(terminals)
            outcome.held(what + "nor the one that it controls", own, found)
            outcome.held(what + "nothing is typed into it", not typed, typed)
            bad = [
                one
                for one in (b"\x1b[c", b"\x1b[5n", b"\x1b]", b"\x1bP", b"\x1b[21t", b"\x9b", b"\xc2\x9b")
                if one in shown
            ]
            outcome.held(what + "nothing shown makes it answer", not bad, shown)
            outcome.held(
                what + "root's environment stays root's",
                "SECRET" not in found.get("environment", ["SECRET"]),
                found,
            )
