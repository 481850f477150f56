"""ipcert, its two shims included, as one Debian package, ipcert_VERSION_all.deb: for any architecture, Debian 12 or newer."""

import os
import re
import shutil
import zipfile

from ipcert import limits
from tools.lib import cache, needs
from tools.lib.build import wheel
from tools.lib.run import quiet
from tools.lib.say import Stop

SOURCE = os.path.join("ports", "cpython", "debian")
"""What only the Debian package has."""
OPTIONS = os.path.join("ipcert_port", "config", "options.py")
DEPENDS = (
    "python3 (>= 3.9)",
    "python3 (>= 3.11) | python3-tomli",
    "python3-cryptography (>= 38)",
    "python3-idna",
    "python3-miniupnpc",
    "python3-rich",
    "ca-certificates",
    "init-system-helpers",
    "systemd | systemd-standalone-sysusers",
)
_HOOK = '""", shown=["systemctl", "reload", "nginx"])'
_OUR_HOOK = """
        As the package has it: ipcert-nginx.path sees that file, and lets nginx read ipcert-nginx's configuration anew.
        (server = "nginx" is for an ipcert that runs as root.)\"\"\", shown=["touch", "/run/ipcert/deployed"], active=True)"""

# Where a file of this checkout goes, and its mode.
FILES = {
    "ports/cpython/ipcert.service": ("lib/systemd/system/ipcert.service", 0o644),
    f"{SOURCE}/ipcert-nginx.service": ("lib/systemd/system/ipcert-nginx.service", 0o644),
    f"{SOURCE}/ipcert-nginx.path": ("lib/systemd/system/ipcert-nginx.path", 0o644),
    f"{SOURCE}/nginx.service.conf": ("lib/systemd/system/nginx.service.d/ipcert.conf", 0o644),
    f"{SOURCE}/ipcert.sysusers": ("usr/lib/sysusers.d/ipcert.conf", 0o644),
    f"{SOURCE}/ipcert.tmpfiles": ("usr/lib/tmpfiles.d/ipcert.conf", 0o644),
    f"{SOURCE}/ipcert.sh": ("usr/bin/ipcert", 0o755),
    f"{SOURCE}/ipcert-nginx.sh": ("usr/sbin/ipcert-nginx", 0o755),
    f"{SOURCE}/copyright": ("usr/share/doc/ipcert/copyright", 0o644),
    "README.md": ("usr/share/doc/ipcert/README.md", 0o644),
    "docs/nas.md": ("usr/share/doc/ipcert/docs/nas.md", 0o644),
    "docs/privacy.md": ("usr/share/doc/ipcert/docs/privacy.md", 0o644),
    "SECURITY.md": ("usr/share/doc/ipcert/SECURITY.md", 0o644),
    "ports/cpython/nginx.example.conf": ("usr/share/doc/ipcert/examples/nginx.example.conf", 0o644),
    "ports/cpython/Caddyfile.example": ("usr/share/doc/ipcert/examples/Caddyfile.example", 0o644),
}
SCRIPTS = ("postinst", "prerm", "postrm")


def version():
    """The package's version: that of pyproject.toml."""
    return re.search(r'^version = "([^"]+)"$', cache.read("pyproject.toml").decode(), re.MULTILINE)[1]


def options():
    """The table of settings on a machine with this package: 'ipcert init' writes the hook that our units wait for."""
    text = cache.read("ports", "cpython", OPTIONS).decode()
    if text.count(_HOOK) != 1:
        raise Stop(f"ports/cpython/{OPTIONS} must hold {_HOOK} once.")
    return text.replace(_HOOK, _OUR_HOOK)


def build():
    """The path of the package, made when this checkout's is not there yet. Raises `Stop`."""
    files = sorted(FILES) + [f"{SOURCE}/{name}" for name in SCRIPTS] + ["tools/lib/build/deb.py", "LICENSE"]
    key = cache.key(*wheel.contents(), *files, *(cache.read(name) for name in files))

    def place(target):
        make(os.path.join(target, "work"), _path(target))

    return _path(cache.once(cache.path(f"deb-{key}"), place))


def make(scratch, path):
    """Make the package as the file `path`; the directory `scratch` is made and removed. Raises `Stop`."""
    needs.install("build deb")
    tree = os.path.join(scratch, "tree")
    os.makedirs(tree, 0o755)
    _fill(tree, os.path.join(scratch, "wheels"))
    quiet(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, path],
        "The Debian package could not be built.",
        env=dict(os.environ, SOURCE_DATE_EPOCH=str(limits.BUILT + limits.EPOCH_UNIX)),
    )
    shutil.rmtree(scratch)


def _path(directory):
    return os.path.join(directory, f"ipcert_{version()}_all.deb")


def _fill(tree, wheels):
    os.makedirs(wheels)
    packages = os.path.join(tree, "usr/lib/python3/dist-packages")
    for path in wheel.build(wheels):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(packages)
    for directory, folders, files in os.walk(packages):
        for name in folders:
            os.chmod(os.path.join(directory, name), 0o755)
        for name in files:
            os.chmod(os.path.join(directory, name), 0o644)
    for name, (place, mode) in FILES.items():
        _put(tree, place, cache.read(name), mode)
    _put(packages, OPTIONS, options().encode(), 0o644)
    for name in SCRIPTS:
        _put(tree, f"DEBIAN/{name}", cache.read(SOURCE, name), 0o755)
    size = sum(
        os.path.getsize(os.path.join(directory, name))
        for directory, _, files in os.walk(tree)
        for name in files
    )
    _put(tree, "DEBIAN/control", _control(size // 1024 + 1).encode(), 0o644)


def _put(tree, place, data, mode):
    path = os.path.join(tree, place)
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)


def _control(kilobytes):
    return f"""Package: ipcert
Version: {version()}
Architecture: all
Maintainer: the ipcert authors <ipcert@packages.invalid>
Installed-Size: {kilobytes}
Depends: {", ".join(DEPENDS)}
Suggests: nginx, libnginx-mod-stream, python3-dnspython
Section: net
Priority: optional
Description: public TLS certificates for this device's name and address
 ipcert obtains one certificate for the name of the box in someone's home and
 one for its address, renews them, and does so in such a way that the public
 record of certificates does not say that the two belong together.
 .
 This package has the command, the service, and what lets nginx serve both
 certificates. It begins with: ipcert init
"""
