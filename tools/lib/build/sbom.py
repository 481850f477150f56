"""tools/build sbom: what ipcert is made of and made with, as CycloneDX 1.5 JSON, from the same pins as the builds.

scope  required   what the wheels ask for, and what is compiled into a firmware
       optional   the wheels' extras
       excluded   what builds and tests them, and is in nothing that is handed out
A Python package's version is the one that the tests run with; `ipcert:accepts` has the range that the wheel asks for.
`ipcert:hashes` names the file of this tree that has the hashes which its download is held to.
"""

import os
import re
import sys
import uuid

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot5
from packageurl import PackageURL

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
    "ipcert": "MIT",
    "ucryptolib-shim": "MIT",
    "urequests-compat": "MIT",
}
LIBRARY = ComponentType.LIBRARY


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
    return Component(
        type=kind,
        bom_ref=purl,
        name=name,
        version=version,
        scope=ComponentScope(scope),
        purl=PackageURL.from_string(purl),
        licenses=[LicenseExpression(LICENCES[name])] if name in LICENCES else [],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else [],
        properties=[Property(name="ipcert:" + key, value=value) for key, value in properties],
    )


def bom():
    """The whole, as an object. Neither when nor by what it was written: the same pins give the same bytes."""
    ours = _ours()
    asked = _asked()
    root = _component(LIBRARY, "ipcert", ours["ipcert"], "required", f"pkg:pypi/ipcert@{ours['ipcert']}")
    found = {}  # purl -> component
    for name in sorted(set(ours) - {"ipcert"}):
        purl = f"pkg:pypi/{name}@{ours[name]}"
        found[purl] = _component(LIBRARY, name, ours[name], "required", purl)
    for lock in (venv.LOCK, venv.OLDEST):
        for name, version in venv.pins(lock):
            spec, scope = asked.get(name, (None, "excluded")) if lock == venv.LOCK else (None, "excluded")
            properties = [("hashes", lock)] + ([("accepts", spec)] if spec else [])
            purl = f"pkg:pypi/{name}@{version}"
            found.setdefault(purl, _component(LIBRARY, name, version, scope, purl, properties))
    pinned = {one.name for one in found.values()}
    for name, (spec, scope) in asked.items():
        if name not in pinned:  # only an older Python than the tools' needs it
            purl = f"pkg:pypi/{name}"
            found[purl] = _component(LIBRARY, name, None, scope, purl, [("accepts", spec)])
    for name in FIRMWARE:
        version, file, digest = sources.PINS[name]
        purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B')}?arch=source"
        found[purl] = _component(LIBRARY, name, version, "required", purl, [("file", file)], digest)
    for name, (module, release, _) in golang.MODULES.items():
        purl = f"pkg:golang/{module}@{release}"
        properties = [("hashes", golang.sums(name))]
        found[purl] = _component(ComponentType.APPLICATION, module, release, "excluded", purl, properties)
    whole = Bom(components=found.values(), metadata=BomMetaData(component=root))
    whole.register_dependency(root, [one for one in found.values() if one.scope == ComponentScope.REQUIRED])
    whole.metadata.timestamp = None
    whole.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(sorted(found)))
    return whole


def text():
    """What tools/sbom.json holds."""
    return JsonV1Dot5(bom()).output_as_string(indent=1) + "\n"


def main(check):
    """Write tools/sbom.json, or with `check` say whether it is out of date. Returns an exit status."""
    wanted = text()
    if check:
        try:
            with open(FILE) as file:
                same = file.read() == wanted
        except OSError:
            same = False
        if not same:
            sys.stderr.write("tools/build: tools/sbom.json is out of date: run tools/build sbom\n")
        return 0 if same else 1
    with open(FILE, "w") as file:
        file.write(wanted)
    print(FILE)
    return 0
