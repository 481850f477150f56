"""The Python environment of the tools and tests.

Two layers, so that a second checkout is ready in seconds: one environment with the pinned requirements, shared by
all checkouts, and a thin one for this checkout on top, in which ipcert and its two shims are installed editable.
"""

import os
import subprocess
import sys

from . import cache, debian
from .run import last_line, quiet
from .say import Stop, note

REQUIREMENTS = (("tools", "requirements.txt"), ("tests", "vectors", "requirements.txt"))
PROJECTS = (".", os.path.join("ports", "ucryptolib_shim"), os.path.join("ports", "urequests_compat"))
"""Our distributions: each is a directory with a pyproject.toml."""
OLDEST = ("tools", "requirements-oldest.txt")
"""The oldest versions of what we stand on that we promise to work with."""


def this_python():
    """What makes this interpreter's environments differ from another's."""
    base = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    return f"{base} {sys.version} {sys.platform}"


def interpreter():
    """The interpreter that environments are made with: never one of a virtual environment."""
    return getattr(sys, "_base_executable", None) or sys.executable


def python(directory):
    """The interpreter of the environment in `directory`."""
    return os.path.join(directory, "bin", "python")


def with_requirements(name, lines, hashed=True):
    """An environment with exactly these pinned requirements (list of lines), each file of them checked by its hash.

    hashed: False where the hashes are not kept (`hashes`). Returns its directory.
    """
    directory = cache.path(f"{name}-{cache.key(this_python(), *lines)}")

    def make(target):
        note(f"making a Python environment ({name})")
        _create(target)
        command = [
            python(target),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ]
        if hashed:
            from . import hashes

            # Exactly these: what they need is pinned too, or `pip check` says what is missing.
            path = os.path.join(target, "requirements.txt")
            with open(path, "w") as file:
                file.write(hashes.hashed(lines))
            command += ["--require-hashes", "--no-deps", "-r", path]
        else:
            command += lines
        quiet(command, "pip could not install the pinned Python packages; is the package index reachable?")
        quiet(
            [python(target), "-m", "pip", "check", "--disable-pip-version-check"],
            f"what is pinned for {name} is not all that it needs",
        )

    return cache.once(directory, make)


def base(oldest=False):
    """The shared environment with what REQUIREMENTS pin; with `oldest`, in the versions of OLDEST where it has one.

    Returns its directory.
    """
    pins = set()
    for file in REQUIREMENTS:
        pins |= set(lines(*file))
    if oldest:
        instead = set(lines(*OLDEST))
        names = {line.split("==")[0] for line in instead}
        pins = {pin for pin in pins if pin.split("==")[0] not in names} | instead
    return with_requirements("python-oldest" if oldest else "python", sorted(pins))


def lines(*path):
    """The lines of a requirements file of this checkout, without comments."""
    found = [line.split("#")[0].strip() for line in cache.read(*path).decode().splitlines()]
    return [line for line in found if line]


def checkout(oldest=False):
    """This checkout's environment, made when missing or when a pyproject.toml changed. Returns its directory."""
    shared = base(oldest)
    present = [os.path.exists(os.path.join(cache.ROOT, project, "pyproject.toml")) for project in PROJECTS]
    projects = [project for project, there in zip(PROJECTS, present) if there]
    texts = [cache.read(project, "pyproject.toml") for project in projects]
    directory = cache.path(f"checkout-{cache.key(cache.ROOT, shared, *projects, *texts)}")

    def make(target):
        note("installing ipcert and its shims, editable")
        quiet(
            [interpreter(), "-m", "venv", "--without-pip", target],
            "The Python environment could not be made.",
        )
        with open(os.path.join(_packages(target), "_shared.pth"), "w") as file:
            file.write(f"import site; site.addsitedir({_packages(shared)!r})\n")
        command = [
            python(shared),
            "-m",
            "pip",
            "--python",
            python(target),
            "install",
            "--quiet",
            "--no-input",
        ]
        command += ["--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--ignore-installed"]
        for project in projects:
            command += ["--editable", os.path.join(cache.ROOT, project)]
        quiet(command, "pip could not install this checkout.")

    return cache.once(directory, make)


def enter():
    """Go on under this checkout's environment: the process is replaced unless it already runs there."""
    directory = checkout()
    if os.path.realpath(sys.prefix) != os.path.realpath(directory):
        os.execv(python(directory), [python(directory), *sys.argv])


def script(name):
    """The path of a command that came with the pinned requirements (ruff, mypy, ...)."""
    return os.path.join(base(), "bin", name)


def _create(target):
    command = [interpreter(), "-m", "venv", target]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode and "ensurepip" in done.stdout and debian.is_debian():
        debian.need("python3-venv")
        done = subprocess.run(
            [*command, "--clear"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    if done.returncode:
        raise Stop(f"{interpreter()} could not make a virtual environment: {last_line(done.stdout)}.")


def _packages(directory):
    version = "python%d.%d" % sys.version_info[:2]
    return os.path.join(directory, "lib", version, "site-packages")
