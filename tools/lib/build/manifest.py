"""tools/build manifest: package.json (for mip) and manifest.py (for freezing) from the one list of files.

The wheel's packages stand in pyproject.toml; --check compares them with the same list.
"""

import json
import re
import sys

from tools.lib.build import files

PACKAGE = files.ROOT / "package.json"
MANIFEST = files.ROOT / "manifest.py"
PROJECT = files.ROOT / "pyproject.toml"

_HEAD = """# ruff: noqa: F821
# Freezes ipcert into a MicroPython firmware: include() this from a board's manifest.
# include("manifest.py", features="dns adopt") takes the core and these features, features="" the core alone.
# Made by `tools/build manifest`; do not edit. `_ipcert` comes with USER_C_MODULES (ports/native).
metadata(version="%s")
"""
_CHOICE = """_CHOSEN = options.features.split()
for _feature in _CHOSEN:
    if _feature not in _FEATURES:
        raise ValueError("ipcert has no feature '%s': choose from %s" % (_feature, ", ".join(_FEATURES)))
_TAKEN = [path for feature in _CHOSEN for path in _FEATURES[feature]]
_WITHOUT = [path for feature in _FEATURES for path in _FEATURES[feature] if path not in _TAKEN]


def _chosen(name, paths):
    return tuple([path for path in paths if name + "/" + path not in _WITHOUT])


"""


def version():
    """The version that pyproject.toml states."""
    return re.search(r'^version = "([^"]+)"', PROJECT.read_text(), re.M).group(1)


def package_json():
    """mip's description: where each file goes on the device, and its path beside package.json."""
    urls = [[name, path.relative_to(files.ROOT).as_posix()] for name, path in files.micropython()]
    lines = ",\n".join("    " + json.dumps(pair) for pair in urls)
    return '{\n  "version": "%s",\n  "deps": [],\n  "urls": [\n%s\n  ]\n}\n' % (version(), lines)


def manifest_py():
    """MicroPython's manifest with one package() for each of ours."""
    text = _HEAD % version()
    text += 'options.defaults(\n    features="%s"\n)\n_FEATURES = {\n' % " ".join(files.FEATURES)
    for feature, paths in files.FEATURES.items():
        listed = "".join('        "%s",\n' % path for path in paths)
        if len(paths) == 1:  # as the formatter has it
            text += '    "%s": ("%s",),\n' % (feature, paths[0])
        else:
            text += '    "%s": (\n%s    ),\n' % (feature, listed)
    text += "}\n" + _CHOICE
    taken = files.micropython()
    for entry in files.MICROPYTHON:
        base, name, _ = entry
        text += 'package(\n    "%s",\n    _chosen(\n        "%s",\n        (\n' % (name, name)
        for path, _ in [pair for pair in files.package(entry) if pair in taken]:
            text += '            "%s",\n' % path[len(name) + 1 :]
        text += '        ),\n    ),\n    base_path="%s",\n    opt=3,\n)\n' % (base or ".")
    return text


def wheel_packages():
    """The packages that pyproject.toml puts into the wheel, and those that are in the tree."""
    listed = re.search(r"^packages = \[(.*?)\]", PROJECT.read_text(), re.M | re.S).group(1)
    stated = sorted(re.findall(r'"([^"]+)"', listed))
    found = set()
    for entry in files.VENDORED["cpython"]:
        found.update(name.rpartition("/")[0].replace("/", ".") for name, _ in files.package(entry))
    return stated, sorted(found)


def main(check):
    """Write both files, or with `check` say what is out of date. Returns an exit status."""
    stale = []
    for path, text in ((PACKAGE, package_json()), (MANIFEST, manifest_py())):
        if check:
            if not path.exists() or path.read_text() != text:
                stale.append("%s is out of date: run tools/build manifest" % path.name)
        else:
            path.write_text(text)
            print(path)
    stated, found = wheel_packages()
    if stated != found:
        stale.append("pyproject.toml's packages are %s, the tree has %s" % (stated, found))
    for line in stale:
        sys.stderr.write("tools/build: %s\n" % line)
    return 1 if stale else 0
