"""ipcert and its shims as wheels, built from this checkout and installed into an environment of their own."""

import os
import shutil

from . import cache, venv
from .run import quiet

_EPOCH = "315532800"  # 1980, the first year of zip files
_OURS = (
    "ipcert",
    "ports/cpython/ipcert_port",
    "ports/ucryptolib_shim",
    "ports/urequests_compat",
    "pyproject.toml",
)


def build(target):
    """Build the wheels of this checkout into the directory `target`; returns their paths.

    Built from a copy, so that nothing is left in the checkout. The same files give the same bytes: times are _EPOCH, and
    modes do not come from the checkout.
    """
    copy = os.path.join(target, "source")
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist")
    for name in (*_OURS, "LICENSE", "README.md"):
        source = os.path.join(cache.ROOT, name)
        if os.path.isdir(source):
            shutil.copytree(source, os.path.join(copy, name), ignore=skip)
        elif os.path.exists(source):
            os.makedirs(copy, exist_ok=True)
            shutil.copy(source, os.path.join(copy, name))
    command = [venv.python(venv.base()), "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    command += ["--disable-pip-version-check", "--wheel-dir", target]
    command += [os.path.join(copy, project) for project in venv.PROJECTS]
    for directory, folders, files in os.walk(copy):
        for name in folders + files:
            os.chmod(os.path.join(directory, name), 0o755 if name in folders else 0o644)
    environment = dict(os.environ, SOURCE_DATE_EPOCH=_EPOCH)
    quiet(command, "The wheels could not be built.", env=environment, umask=0o022)
    shutil.rmtree(copy)
    return sorted(os.path.join(target, name) for name in os.listdir(target) if name.endswith(".whl"))


def contents():
    """The contents (bytes) of every file of this checkout that goes into the wheels, always in the same order."""
    found = []
    for name in _OURS:
        path = os.path.join(cache.ROOT, name)
        if os.path.isfile(path):
            found.append(cache.read(name))
        for directory, folders, files in os.walk(path):
            folders[:] = sorted(
                folder for folder in folders if folder != "__pycache__" and "egg-info" not in folder
            )
            found += [cache.read(directory, file) for file in sorted(files) if not file.endswith(".pyc")]
    return found


def installed(requirements):
    """An environment with the wheels of this checkout and `requirements`. Returns its directory."""
    key = cache.key(venv.this_python(), *requirements, *contents())

    def make(target):
        shutil.rmtree(target)
        quiet([venv.interpreter(), "-m", "venv", target], "The Python environment could not be made.")
        wheels = build(os.path.join(target, "wheels"))
        command = [
            venv.python(target),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ]
        quiet([*command, *requirements, *wheels], "pip could not install the wheels.")

    return cache.once(cache.path(f"wheel-{key}"), make)
