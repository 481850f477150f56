"""The one list of Python files: what a wheel, a mip package and a frozen firmware carry all come from here."""

import ast
from pathlib import Path

from tools.lib import cache

ROOT = Path(cache.ROOT)

# (folder that is put on the import path, package in it, files that are left out)
CORE = ("", "ipcert", ())
# Without what only people, tests and type checkers read.
FIRMWARE = ("", "ipcert", ("explanations.py", "event_names.py", "ipcert/port.py"))
PORT = ("ports/micropython", "ipcert_port", ())
HTTP = ("ports/urequests_compat", "urequests_compat", ("_openssl.py",))
MICROPYTHON = (FIRMWARE, PORT, HTTP)
# What a firmware's maker may leave out, by the name that `manifest.py` takes. Everything else is the set "core". A file that two
# features need goes where neither is taken. `ipcert.features` has the same names, for the errors.
FEATURES = {
    "tls-alpn": (
        "ipcert/acme/alpn.py",
        "ipcert/encoding/alpn_certificate.py",
        "ipcert_port/solvers/tlsalpn.py",
    ),
    "dns": ("ipcert/acme/records.py", "ipcert/encoding/base32.py", "ipcert_port/solvers/dns.py"),
    "account-operations": (
        "ipcert/acme/key_change.py",
        "ipcert/order/operations.py",
        "ipcert/pending_key.py",
        "ipcert/operation_commands.py",
    ),
    "adopt": ("ipcert/adoption.py",),
    "combined": ("ipcert/consent.py",),
    "external-account": ("ipcert/acme/external_account.py", "ipcert/encoding/hmac.py"),
    "alternate-chains": ("ipcert/acme/alternates.py",),
    "sealing": ("ipcert/encoding/hmac.py", "ipcert/encoding/seal.py"),
    "fat": ("ipcert_port/port/slots.py",),
    "texts": ("ipcert/texts.py",),
}
# What `tools/vendor` copies: a port's packages, and for MicroPython the router's program.
VENDORED = {
    "micropython": (*MICROPYTHON, ("ports/router", "ipcert_router", ())),
    "cpython": (
        CORE,
        ("ports/cpython", "ipcert_port", ()),
        ("ports/urequests_compat", "urequests_compat", ("_tls.py",)),
        ("ports/ucryptolib_shim", "ucryptolib_shim", ()),
    ),
}


def package(entry, suffix=".py"):
    """Files of one entry as sorted [(path on the device, Path here)]."""
    base, name, without = entry
    folder = ROOT / base
    found = []
    for path in sorted((folder / name).rglob("*" + suffix)):
        if (
            "__pycache__" not in path.parts
            and path.name not in without
            and path.relative_to(folder).as_posix() not in without
        ):
            found.append((path.relative_to(folder).as_posix(), path))
    return found


def says_nothing(path):
    """True for a package's own file that has no code: MicroPython takes the folder for a package without it."""
    return path.name == "__init__.py" and len(ast.parse(path.read_text()).body) == 1


def micropython(features=tuple(FEATURES)):
    """Every file that a MicroPython device with these features needs: the core, its port, and the HTTP library."""
    taken = {path for name in features for path in FEATURES[name]}
    without = {path for paths in FEATURES.values() for path in paths} - taken
    found = [pair for entry in MICROPYTHON for pair in package(entry)]
    return [pair for pair in found if pair[0] not in without and not says_nothing(pair[1])]
