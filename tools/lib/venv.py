"""The Python environments of the tools and tests: made by uv, with every file of every package held to its hash.

[dependency-groups] in pyproject.toml say what is wanted, LOCK in which versions and with which hashes. `oldest` contradicts
the other groups, so that it has a lock of its own. uv comes first, by pip, from the same lock.
"""

import os
import re
import sys

import tomllib

from tools.lib import cache, debian
from tools.lib.run import quiet
from tools.lib.say import Stop, note

PACKAGES = ("python3-venv", "ca-certificates")
"""Debian packages that uv's own environment is made with: the row `uv` of needs.py."""
LOCK = os.path.join("tools", "lock.txt")
OLDEST = os.path.join("tools", "lock-oldest.txt")
PROJECTS = (".", os.path.join("ports", "ucryptolib_shim"), os.path.join("ports", "urequests_compat"))
"""Our distributions: each is a directory with a pyproject.toml. The first brings the packages of the others with it."""
DEPENDENCIES = ("--requirements", "pyproject.toml")
"""uv's words for what ipcert itself depends on; the groups add to it."""


def groups():
    """{name: requirements} of every dependency group."""
    return _pyproject()["dependency-groups"]


def project(directory="."):
    """The table [project] of one of PROJECTS."""
    return _pyproject(directory)["project"]


def key(*things):
    """The key of an environment that is made of these: another interpreter or another way to make it, another key."""
    python = f"{os.path.realpath(interpreter())} {sys.version} {sys.platform}"
    return cache.key(python, cache.read("tools", "lib", "venv.py"), *things)


def interpreter():
    """The interpreter that environments are made with: never one of a virtual environment."""
    return getattr(sys, "_base_executable", None) or sys.executable


def python(directory):
    """The interpreter of the environment in `directory`."""
    return os.path.join(directory, "bin", "python")


def pins(lock):
    """[(name, version), ...] of what a lock pins."""
    return re.findall(r"^([^\s#=]+)==(\S+)", cache.read(lock).decode(), re.M)


def pinned(name, lock=LOCK):
    """The lines of a lock that pin one package. Raises `Stop` where there are none."""
    match = re.search(rf"^{re.escape(name)}==.*?(?=^\S|\Z)", cache.read(lock).decode(), re.M | re.S)
    if not match:
        raise Stop(f"{lock} does not pin {name}: run tools/build lock.")
    return match.group()


def program():
    """The directory of the environment with uv, made when it is missing."""
    lines = pinned("uv")

    def make(target):
        debian.need(*PACKAGES)
        quiet([interpreter(), "-m", "venv", target], f"{interpreter()} could not make a virtual environment.")
        path = os.path.join(target, "requirements.txt")
        with open(path, "w") as file:
            file.write(lines)
        words = "install --quiet --no-input --disable-pip-version-check --require-hashes --no-deps --only-binary :all:"
        command = [python(target), "-m", "pip", *words.split(), "--requirement", path]
        quiet(command, "pip could not install uv.")

    return cache.once(cache.path(f"uv-{key(lines)}"), make)


def uv(words, sentence, variables=(), **options):
    """Run uv in the checkout; its output as text. Raises `Stop` with `sentence`."""
    command = [os.path.join(program(), "bin", "uv"), *words]
    environment = dict(os.environ, UV_CACHE_DIR=cache.path("uv"), UV_NO_PROGRESS="1", **dict(variables))
    environment.update(UV_SYSTEM_CERTS="1", UV_PYTHON_DOWNLOADS="never")
    if "PIP_INDEX_URL" in os.environ:  # one setting for both
        environment.setdefault("UV_DEFAULT_INDEX", os.environ["PIP_INDEX_URL"])
    return quiet(command, sentence, cwd=cache.ROOT, env=environment, **options)


def _pyproject(directory="."):
    return tomllib.loads(cache.read(directory, "pyproject.toml").decode())


def fill(target, *words, lock=LOCK):
    """Make an environment in the directory `target` with what uv's `words` ask for, as `lock` pins it."""
    note(f"making a Python environment ({' '.join(words)})")
    uv(["venv", "--quiet", "--python", interpreter(), target], "The Python environment could not be made.")
    command = ["pip", "install", "--quiet", "--python", target, "--require-hashes", "--no-build"]
    uv([*command, "--constraints", lock, *words], f"uv could not install what {lock} pins.")


def add(target, *words):
    """Install distributions of ours, without what they depend on, into the environment in `target`."""
    command = ["pip", "install", "--quiet", "--python", target, "--no-deps", *words]
    uv(command, "uv could not install this checkout.")


def environment(name):
    """The environment of one dependency group; all but `tests` and `oldest` are shared by all checkouts. Its directory."""
    if name in ("tests", "oldest"):
        return checkout(name == "oldest")
    directory = cache.path(f"{name}-{key(name, groups()[name], cache.read(LOCK))}")
    return cache.once(directory, lambda target: fill(target, "--group", name))


def checkout(oldest=False):
    """This checkout's environment: the tests' group, and ipcert, which brings its two shims, editable. Returns its directory."""
    name, lock = ("oldest", OLDEST) if oldest else ("tests", LOCK)
    texts = [cache.read(project, "pyproject.toml") for project in PROJECTS]
    directory = cache.path(f"checkout-{key(cache.ROOT, name, cache.read(lock), *texts)}")

    def make(target):
        fill(target, *DEPENDENCIES, "--all-extras", "--group", name, lock=lock)
        add(target, "--no-build-isolation", "--editable", PROJECTS[0])

    return cache.once(directory, make)


def enter():
    """Go on under this checkout's environment: the process is replaced unless it already runs there."""
    directory = checkout()
    if os.path.realpath(sys.prefix) != os.path.realpath(directory):
        try:
            # Started as `python -m module`, it is started so again: by its path it would not find the rest of tools.
            module = getattr(sys.modules["__main__"], "__spec__", None)
            words = ["-m", module.name, *sys.argv[1:]] if module else sys.argv
            os.execv(python(directory), [python(directory), *words])
        except OSError as error:
            raise Stop(f"{directory} is damaged: remove it and run this again. ({error})") from error


def script(name):
    """The path of a command that came with the tests' group (ruff, mypy, ...)."""
    return os.path.join(checkout(), "bin", name)
