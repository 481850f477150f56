"""One bare tree: made from the base, entered in namespaces of its own, removed whatever happens.

The command sees the tree as its root, processes of the tree only, and the host's network, since the registries are
there. Mounts live in the command's own mount namespace and end with it, so that removing the tree meets none of the
host's files. The tree has no init, so apt must start no service in it: policy-rc.d says so, as in any container.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
import time

from tools.lib import cache, debian, foreign, needs
from tools.lib.fresh import finishing, registries
from tools.lib.run import quiet
from tools.lib.say import Stop, note

INCLUDED = ("ca-certificates", "git", "python3")
"""What the README asks of a machine, beside Debian's smallest set."""
SUITES = ("bookworm", "trixie")
BASE_DAYS = 7  # an older base is made again, with the suite's updates
HOME = "/home/fresh"
CHECKOUT = f"{HOME}/ipcert"
_DEVICES = "null zero full random urandom tty net/tun kvm"

# As root of the new namespaces: this machine's root is left behind, then the tree's shell runs the words.
_ENTER = f"""
set -eu
cd "$1"
shift
mount --bind . .
cd "$PWD"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm dev/net
for device in {_DEVICES}; do
    [ -e /dev/$device ] || continue
    : >dev/$device
    mount --bind /dev/$device dev/$device
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
hostname fresh
pivot_root . mnt
exec chroot . /bin/sh -c 'umount -l /mnt && cd {CHECKOUT} && "$@"; exit $?' sh "$@"
"""


def possible():
    """None where a tree can be made and entered, else the sentence that says what is missing."""
    if not debian.is_debian():
        return "A bare tree is made on a Debian machine: run this on one."
    if os.geteuid() != 0:
        return "A bare tree takes root: run this as root, or with sudo."
    command = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "true"]
    if subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
        return "This kernel or container allows no namespaces, which a bare tree takes: run this on a whole machine."
    return None


def base(suite):
    """The path of the tar archive of the bare system, made when missing or old. Raises `Stop`."""
    lines, options = registries.apt_sources(suite), registries.apt_options()
    directory = cache.path("fresh", f"base-{suite}-{cache.key(*INCLUDED, *lines, *options)}")
    archive = os.path.join(directory, "tree.tar")
    with contextlib.suppress(OSError):
        if time.time() - os.stat(archive).st_mtime > BASE_DAYS * 86400:
            shutil.rmtree(directory)

    def make(target):
        note(f"making a bare {suite} (half a minute)")
        architecture = quiet(["dpkg", "--print-architecture"], "dpkg does not say its architecture.").strip()
        words = [f"--aptopt={option}" for option in options]
        made = os.path.join(target, "tree.tar")
        foreign.bootstrap(architecture, "minbase", INCLUDED, made, suite, words, lines=lines)

    cache.once(directory, make)
    return archive


class Tree:
    """A new tree with a clone of `source`, for a `with` block.

    source  a checkout's directory
    dirty   with what is not committed there; else as it is at HEAD
    """

    def __init__(self, suite, source=cache.ROOT, dirty=False):
        if sentence := possible():
            raise Stop(sentence)
        needs.install("fresh")
        self.suite = suite
        self._archive = base(suite)
        self._source = source
        self._dirty = dirty
        self._environment = {
            **registries.environment(),
            "HOME": HOME,
            "LANG": "C.UTF-8",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "TERM": os.environ.get("TERM", "dumb"),
        }

    def __enter__(self):
        trees = cache.path("fresh", "trees")
        os.makedirs(trees, exist_ok=True)
        # The lock file is beside the tree, and held until the tree is gone: it tells a killed run's from a living one's.
        with cache.lock("fresh-trees"):
            remove_left(trees)
            number, self._lock = tempfile.mkstemp(prefix=f"{self.suite}-", suffix=".lock", dir=trees)
            self._held = os.fdopen(number, "w")
            fcntl.flock(self._held, fcntl.LOCK_EX)
        self.path = self._lock[: -len(".lock")]
        try:
            self._fill()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _fill(self):
        os.mkdir(self.path)
        quiet(["tar", "-C", self.path, "-xpf", self._archive], f"{self._archive} could not be unpacked.")
        registries.put_into(self.path)
        self._file("etc/hostname", "fresh\n")
        self._file("etc/machine-id", os.urandom(16).hex() + "\n")  # the first boot's work
        self._file(
            "etc/hosts", "127.0.0.1 localhost\n127.0.1.1 fresh\n::1 localhost ip6-localhost ip6-loopback\n"
        )
        self._file("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        self._file("etc/dpkg/dpkg.cfg.d/fresh", "force-unsafe-io\n")  # what is thrown away need not be synced
        os.mkdir(self.path + HOME)
        checkout = self.path + CHECKOUT
        quiet(
            ["git", "clone", "-q", "--no-local", self._source, checkout], "The checkout could not be cloned."
        )
        if self._dirty:
            copy_changes(self._source, checkout)
        self._bare = self.debian_packages()

    def _file(self, name, text, mode=0o644):
        path = os.path.join(self.path, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)

    def __exit__(self, *_):
        with finishing():
            _remove(self.path)
            os.unlink(self._lock)
        self._held.close()

    def run(self, command, **streams):
        """Run `command` in the checkout; its exit status. It and all that it started are gone when this returns."""
        namespaces = "--mount --pid --uts --ipc --fork --kill-child --propagation private".split()
        # setpriv: should this process be killed, the kernel kills unshare, and that all of the tree.
        words = ["setpriv", "--pdeathsig", "KILL", "unshare", *namespaces]
        child = subprocess.Popen(
            [*words, "sh", "-c", _ENTER, "sh", self.path, *command], env=self._environment, **streams
        )
        try:
            return child.wait()
        finally:
            child.kill()
            child.wait()

    def debian_packages(self):
        """The set of packages installed in the tree, each as "name version"."""
        query = [
            f"--admindir={self.path}/var/lib/dpkg",
            "-W",
            "-f",
            "${db:Status-Abbrev}${Package} ${Version}\n",
        ]
        text = quiet(["dpkg-query", *query], "The tree's packages could not be listed.")
        return {line[3:].strip() for line in text.splitlines() if line.startswith("ii ")}

    def installed(self):
        """What was installed since the tree was made: {"debian": [...], "python": [...], "go": [...]}, sorted."""
        python, go = set(), set()
        modules = os.path.join("pkg", "mod", "cache", "download") + os.sep
        for directory, names, files in os.walk(self.path + HOME):
            for name in names:
                if name.endswith(".dist-info"):
                    python.add(name[: -len(".dist-info")].replace("-", " "))
            if modules in directory and directory.endswith("@v"):
                module = directory.split(modules)[1][: -len("/@v")]
                go.update(f"{module} {name[:-4]}" for name in files if name.endswith(".zip"))
        return {
            "debian": sorted(self.debian_packages() - self._bare),
            "python": sorted(python),
            "go": sorted(go),
        }


def _remove(path):
    # What was killed a moment ago may still be writing.
    for _ in range(50):
        if (
            subprocess.run(["rm", "-rf", "--one-file-system", path], stderr=subprocess.DEVNULL).returncode
            == 0
        ):
            return
        time.sleep(0.2)
    note(f"{path} could not be removed: remove it by hand.")


def remove_left(trees):
    """Remove the trees of runs that were killed: those whose lock nobody holds."""
    for name in os.listdir(trees):
        if not name.endswith(".lock"):
            continue
        path = os.path.join(trees, name)
        with contextlib.suppress(FileNotFoundError, BlockingIOError), open(path) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(path[: -len(".lock")])
            os.unlink(path)


def copy_changes(source, checkout):
    """Make the files of the clone `checkout` those of the working tree `source`; what git ignores stays out."""
    git = ["git", "-C", source, "ls-files", "-z"]
    sentence = f"git could not list the files of {source}."
    for name in quiet([*git, "--cached", "--others", "--exclude-standard"], sentence).split("\0"):
        here, there = os.path.join(source, name), os.path.join(checkout, name)
        if not name:
            continue
        if os.path.lexists(there):
            os.unlink(there)
        if os.path.lexists(here):
            os.makedirs(os.path.dirname(there), exist_ok=True)
            shutil.copy2(here, there, follow_symlinks=False)
