"""The tests on the other kind of ARM that NAS boxes have: Debian 12's 32-bit userland (armhf), under qemu-user.

The system is only unpacked, not configured: Python, what ipcert stands on in Debian 12's versions, and pytest.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from tools.lib import cache, debian, foreign, needs, venv
from tools.lib.run import quiet
from tools.lib.say import Stop, note
from tools.lib.testing.tiers import OLDEST

PACKAGES = (
    *(
        "python3",
        "python3-cryptography",
        "python3-idna",
        "python3-rich",
        "python3-dnspython",
    ),
    *(
        "python3-pytest",
        "python3-hypothesis",
        "openssl",
        "ca-certificates",
        "coreutils",
        "dash",
        "base-files",
        "base-passwd",
    ),
)
# Whole devices over months, with power cuts: minutes under qemu-user.
_LONG = ("test_device", "test_issuance")
# The shim's test builds a MicroPython to compare with.
PORT = [path for path in OLDEST if path.startswith("tests/cpython/") and "shim" not in path]

# As root, in a mount name space of its own. $1: the system; $2: this checkout; $3: pytest's settings; $4: where Python
# looks for modules; then the words.
_ENTER = """
root=$1 checkout=$2 settings=$3 modules=$4
shift 4
mount --bind "$checkout" "$root/src"
mount -o remount,bind,ro "$root/src"
mount --bind "$settings" "$root/settings"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
exec chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/tmp LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH="$modules" \
    sh -c 'cd /src && exec python3 -m pytest -c /settings/pytest.ini --rootdir=/src -p no:cacheprovider "$@"' pytest "$@"
"""


def system():
    """The directory of the unpacked armhf system, made when missing."""

    def make(target):
        note("unpacking an armhf Debian: about a minute, once")
        archive = os.path.join(target, "system.tar")
        foreign.bootstrap("armhf", "extract", PACKAGES, archive, security=False)
        tree = os.path.join(target, "root")
        for name in ("src", "settings", "proc", "dev"):
            os.makedirs(os.path.join(tree, name))
        # Nothing in it needs to be root's: so whoever owns the cache can remove it.
        command = ["tar", "-x", "--no-same-owner", "--exclude=./dev", "-f", archive, "-C", tree]
        quiet(command, "The armhf system could not be unpacked.")
        os.unlink(archive)
        for name in ("passwd", "group"):
            shutil.copyfile(
                os.path.join(tree, "usr/share/base-passwd", name + ".master"), os.path.join(tree, "etc", name)
            )

    return os.path.join(cache.once(cache.path(f"nas-armhf-{cache.key(*PACKAGES)}"), make), "root")


def _settings(directory):
    """pytest's settings of pyproject.toml without its demand for a newer pytest than Debian 12 has, as a file there.

    Returns the folders, as they are inside, where Python looks for modules.
    """
    text = cache.read("pyproject.toml").decode()
    section = re.search(r"^\[tool\.pytest\.ini_options\]\n(.*?)(?=^\[)", text, re.MULTILINE | re.DOTALL)[1]
    rows = ["[pytest]"]
    modules = [os.path.join("ports", "cpython"), *venv.PROJECTS[1:]]
    for name, value in re.findall(r"^(\w+) = (\[\n.*?^\]|[^\n]*)$", section, re.MULTILINE | re.DOTALL):
        words = re.findall(r'"([^"]*)"', value)
        if name == "pythonpath":
            modules += words
        elif name not in ("minversion", "testpaths"):
            rows.append(f"{name} =" + "".join("\n    " + word for word in words))
    with open(os.path.join(directory, "pytest.ini"), "w") as file:
        file.write("\n".join(rows) + "\n")
    return ":".join(os.path.normpath(os.path.join("/src", folder)) for folder in modules)


def quick():
    """What ./tools/test runs of it: the core but for its longest tests."""
    names = sorted(os.listdir(os.path.join(cache.ROOT, "tests", "portable")))
    return [f"tests/portable/{name}" for name in names if name[:5] == "test_" and not name.startswith(_LONG)]


def whole():
    """Everything that makes sense there: the core, and the port's tests of what stands on Debian's libraries."""
    port = [path for path in PORT if os.path.exists(os.path.join(cache.ROOT, path))]
    return ["tests/portable", *port]


def run(words):
    """Run pytest with these words (paths and options) on the armhf Python. (exit status, its output).

    The output is shown as it comes. Raises `Stop` where the system cannot be made.
    """
    needs.install("board QEMU_VIRT_ARM64 armhf")
    foreign.ready("armhf")
    before = debian.root()
    if before is None:
        raise Stop("Entering the armhf system takes root, or sudo without a password.")
    root = system()
    with tempfile.TemporaryDirectory(prefix="armhf-") as directory:
        modules = _settings(directory)
        command = [
            *before,
            "unshare",
            "--mount",
            "sh",
            "-e",
            "-c",
            _ENTER,
            "enter",
            root,
            cache.ROOT,
            directory,
            modules,
        ]
        text = ""
        with subprocess.Popen(
            [*command, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as child:
            for line in child.stdout:
                print(line, end="", flush=True)
                text += line
    return child.returncode, text


def main(words):
    """`tools/board QEMU_VIRT_ARM64 armhf`: everything, or the paths that are named; options are pytest's."""
    named = any(os.path.exists(os.path.join(cache.ROOT, word.split("::")[0])) for word in words)
    return run([*words, *([] if named else whole())])[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
