"""The one list of Python files: what a wheel, a mip package and a frozen firmware carry all come from here."""

from pathlib import Path

from tools.lib import cache

ROOT = Path(cache.ROOT)

# (folder that is put on the import path, package in it, files that are left out)
CORE = ("", "ipcert", ())
FIRMWARE = ("", "ipcert", ("explanations.py", "port.py"))  # without what only people and type checkers read
PORT = ("ports/micropython", "ipcert_port", ())
HTTP = ("ports/urequests_compat", "urequests_compat", ("_openssl.py",))
MICROPYTHON = (FIRMWARE, PORT, HTTP)
# What a firmware's maker may leave out, by the name that `manifest.py` takes. Everything else is the set "core".
FEATURES = {
    "tls-alpn": (
        "ipcert/acme/alpn.py",
        "ipcert/encoding/alpn_certificate.py",
        "ipcert_port/solvers/tlsalpn.py",
    ),
    "dns": ("ipcert/acme/records.py", "ipcert/encoding/base32.py", "ipcert_port/solvers/dns.py"),
    "account-operations": ("ipcert/order/operations.py",),
    "adopt": ("ipcert/adoption.py",),
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
        if "__pycache__" not in path.parts and path.name not in without:
            found.append((path.relative_to(folder).as_posix(), path))
    return found


def micropython(features=tuple(FEATURES)):
    """Every file that a MicroPython device with these features needs: the core, its port, and the HTTP library."""
    without = {path for name in FEATURES if name not in features for path in FEATURES[name]}
    return [pair for entry in MICROPYTHON for pair in package(entry) if pair[0] not in without]
