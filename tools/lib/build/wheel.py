"""ipcert, and its shims where they are wanted alone, as wheels, built from this checkout and installed into an environment of their own."""

import os
import shutil

from tools.lib import cache, venv

_EPOCH = "315532800"  # 1980, the first year of zip files
_OURS = (
    "ipcert",
    "ports/cpython/ipcert_port",
    "ports/ucryptolib_shim",
    "ports/urequests_compat",
    "pyproject.toml",
)


def build(target, projects=venv.PROJECTS[:1]):
    """Build the wheels of these distributions of this checkout into the directory `target`; returns their paths.

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
    for directory, folders, files in os.walk(copy):
        for name in folders + files:
            os.chmod(os.path.join(directory, name), 0o755 if name in folders else 0o644)
    command = ["build", "--quiet", "--wheel", "--no-build-isolation", "--python", venv.checkout()]
    for project in projects:
        words = [*command, "--out-dir", target, os.path.join(copy, project)]
        venv.uv(words, "The wheels could not be built.", {"SOURCE_DATE_EPOCH": _EPOCH}, umask=0o022)
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


def installed():
    """An environment with the wheel of this checkout and what they depend on. Returns its directory."""
    key = venv.key(cache.read(venv.LOCK), *contents())

    def make(target):
        venv.fill(target, *venv.DEPENDENCIES)
        venv.add(target, *build(os.path.join(target, "wheels")))

    return cache.once(cache.path(f"wheel-{key}"), make)
