"""tools/build sbom: what ipcert is made of and made with, as CycloneDX 1.5 JSON, from the same pins as the builds.

scope  required   what the wheels ask for, and what is compiled into a firmware
       optional   the wheels' extras
       excluded   what builds and tests them, and is in nothing that is handed out
A Python package's version is the one that the tests run with; `ipcert:accepts` has the range that the wheel asks for.
`ipcert:hashes` names the file of this tree that has the hashes which its download is held to.
"""

import json
import os
import re
import sys

from tools.lib import cache, venv
from tools.lib.build import golang, sources

FILE = os.path.join(cache.ROOT, "tools", "sbom.json")
# What a firmware is compiled from, and the licences of what is handed out or needed to run it.
FIRMWARE = ("mbedtls", "micropython", "lwip")
LICENCES = {
    "cryptography": "Apache-2.0 OR BSD-3-Clause",
    "dnspython": "ISC",
    "idna": "BSD-3-Clause",
    "lwip": "BSD-3-Clause",
    "mbedtls": "Apache-2.0 OR GPL-2.0-or-later",
    "micropython": "MIT",
    "miniupnpc": "BSD-3-Clause",
    "publicsuffixlist": "MPL-2.0",
    "rich": "MIT",
    "tomli": "MIT",
}


def _asked():
    """{name: (range, scope)} of what pyproject.toml asks for, the shims left out."""
    table = venv.project()
    lines = [(line, "required") for line in table["dependencies"]]
    lines += [(line, "optional") for extra in table["optional-dependencies"].values() for line in extra]
    found = {}
    for line, scope in lines:
        name, spec = re.match(r"([A-Za-z0-9_-]+)([^;]*)", line).groups()
        if name not in _ours():
            found[name] = (spec.strip(), scope)
    return found


def _ours():
    """{name: version} of our distributions."""
    tables = [venv.project(directory) for directory in venv.PROJECTS]
    return {table["name"]: table["version"] for table in tables}


def _component(kind, name, version, scope, purl, properties=(), sha256=None):
    out = {"type": kind, "bom-ref": purl, "name": name, "scope": scope, "purl": purl}
    if version:
        out["version"] = version
    if name in LICENCES:
        out["licenses"] = [{"expression": LICENCES[name]}]
    if sha256:
        out["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    if properties:
        out["properties"] = [{"name": "ipcert:" + key, "value": value} for key, value in properties]
    return out


def bom():
    """The whole, as an object."""
    ours = _ours()
    asked = _asked()
    components = []
    for name in sorted(ours):
        if name != "ipcert":
            one = _component("library", name, ours[name], "required", f"pkg:pypi/{name}@{ours[name]}")
            one["licenses"] = [{"license": {"id": "MIT"}}]
            components.append(one)
    for lock in (venv.LOCK, venv.OLDEST):
        for name, version in venv.pins(lock):
            spec, scope = asked.get(name, (None, "excluded")) if lock == venv.LOCK else (None, "excluded")
            properties = [("hashes", lock)] + ([("accepts", spec)] if spec else [])
            purl = f"pkg:pypi/{name}@{version}"
            if all(one["bom-ref"] != purl for one in components):
                components.append(_component("library", name, version, scope, purl, properties))
    pinned = {one["name"] for one in components}
    for name, (spec, scope) in asked.items():
        if name not in pinned:  # only an older Python than the tools' needs it
            components.append(_component("library", name, "", scope, f"pkg:pypi/{name}", [("accepts", spec)]))
    for name in FIRMWARE:
        version, file, digest = sources.PINS[name]
        purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B')}?arch=source"
        components.append(_component("library", name, version, "required", purl, [("file", file)], digest))
    for name, (module, release, _) in golang.MODULES.items():
        purl = f"pkg:golang/{module}@{release}"
        properties = [("hashes", golang.sums(name))]
        components.append(_component("application", module, release, "excluded", purl, properties))
    root = f"pkg:pypi/ipcert@{ours['ipcert']}"
    needed = sorted(one["bom-ref"] for one in components if one["scope"] == "required")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": root,
                "name": "ipcert",
                "version": ours["ipcert"],
                "purl": root,
                "licenses": [{"license": {"id": "MIT"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": root, "dependsOn": needed}],
    }


def main(check):
    """Write tools/sbom.json, or with `check` say whether it is out of date. Returns an exit status."""
    text = json.dumps(bom(), indent=1) + "\n"
    if check:
        try:
            with open(FILE) as file:
                same = file.read() == text
        except OSError:
            same = False
        if not same:
            sys.stderr.write("tools/build: tools/sbom.json is out of date: run tools/build sbom\n")
        return 0 if same else 1
    with open(FILE, "w") as file:
        file.write(text)
    print(FILE)
    return 0
