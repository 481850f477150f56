"""The image of the NAS board: Debian 12 for arm64 on a disk, with ipcert from its Debian package.

Three layers, each kept by what it is made of: the system (some minutes, under qemu-user), the kernel, and on top what is
ours, which a change of ours makes again in seconds.
"""

import os
import shutil
import subprocess

from tools.lib import cache, foreign, needs
from tools.lib.build import deb
from tools.lib.run import quiet
from tools.lib.say import Stop, note

BOARD = "QEMU_VIRT_ARM64"
FOLDER = os.path.join(cache.ROOT, "boards", BOARD)
PACKAGES = (
    *("systemd", "systemd-sysv", "udev", "kmod", "iproute2", "netbase", "e2fsprogs", "util-linux"),
    *("ca-certificates", "init-system-helpers", "qemu-guest-agent"),
    *("python3", "python3-cryptography", "python3-idna", "python3-miniupnpc", "python3-rich"),
    *("nginx", "libnginx-mod-stream"),
)
KERNEL = "linux-image-cloud-arm64"
_KEEP = 4  # images
DISK = 2 << 30  # bytes; the file is sparse
# What the kernel needs to find its disk, besides what these need; everything else udev loads from there.
MODULES = ("virtio_pci", "virtio_blk")
_DPKG = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-include=/usr/share/doc/ipcert/*",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/info/*",
    "force-unsafe-io",
)
# update-ca-certificates starts a thousand programs, which takes minutes under qemu-user: its work is done from here.
_HOOKS = (
    """--essential-hook=
chroot "$1" dpkg-divert --quiet --local --rename --add /usr/sbin/update-ca-certificates
ln -s /bin/true "$1/usr/sbin/update-ca-certificates" """,
    """--customize-hook=
rm "$1/usr/sbin/update-ca-certificates"
chroot "$1" dpkg-divert --quiet --local --rename --remove /usr/sbin/update-ca-certificates
cd "$1/usr/share/ca-certificates"
for file in mozilla/*.crt; do
    ln -s "/usr/share/ca-certificates/$file" "$1/etc/ssl/certs/$(basename "$file" .crt).pem"
    cat "$file"
done >"$1/etc/ssl/certs/ca-certificates.crt"
chroot "$1" openssl rehash /etc/ssl/certs""",
)
_INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do /bin/busybox insmod /modules/$module; done
until [ -b /dev/vda ]; do /bin/busybox usleep 50000; done
/bin/busybox mount -t ext4 -o rw /dev/vda /root
exec /bin/busybox switch_root /root /sbin/init
"""
# As root. $1: the system; $2: our package; $3: the board's own files; $4: the kernel's modules; $5: the disk; $6: its size.
_ASSEMBLE = """
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
tar -x -p -f "$1" -C "$tree"
tar -x -f "$4" -C "$tree" --keep-directory-symlink
cp "$2" "$tree/tmp/ipcert.deb"
chroot "$tree" dpkg --install /tmp/ipcert.deb
rm "$tree/tmp/ipcert.deb"
cp -r --no-preserve=ownership "$3/." "$tree/"
chroot "$tree" sh /board-setup
rm "$tree/board-setup"
truncate -s "$6" "$5.new"
mkfs.ext4 -q -F -L nas -E lazy_itable_init=1,nodiscard -m 1 -d "$tree" "$5.new"
chown "$7" "$5.new"
du -s -x -B 1 "$tree" | cut -f 1 >"$5.used"
chroot "$tree" dpkg-query -W -f '${Package} ${Version}\\n' >"$5.packages"
chown "$7" "$5.used" "$5.packages"
mv "$5.new" "$5"
"""


def system():
    """The directory with system.tar: Debian with everything but the kernel and ours; made when missing."""

    def make(target):
        note("making the NAS board's Debian under qemu-user: about eight minutes, once")
        options = [f"--dpkgopt={option}" for option in _DPKG] + list(_HOOKS)
        foreign.bootstrap("arm64", "minbase", PACKAGES, os.path.join(target, "system.tar"), options=options)

    return cache.once(cache.path(f"nas-system-{cache.key(*PACKAGES, *_DPKG, *_HOOKS)}"), make)


def kernel():
    """The directory with vmlinuz, initrd and modules.tar; made when missing."""

    def make(target):
        note("unpacking the NAS board's kernel")
        archive = os.path.join(target, "all.tar")
        foreign.bootstrap("arm64", "extract", (KERNEL, "busybox-static"), archive)
        wanted = ["./boot", "./lib/modules", "./bin/busybox"]
        quiet(["tar", "-x", "-f", archive, "-C", target, *wanted], "The kernel could not be unpacked.")
        os.unlink(archive)
        (version,) = os.listdir(os.path.join(target, "lib", "modules"))
        os.rename(os.path.join(target, "boot", "vmlinuz-" + version), os.path.join(target, "vmlinuz"))
        quiet(["depmod", "-b", target, version], "depmod failed.")
        _initrd(target, os.path.join(target, "lib", "modules", version))
        modules = ["--owner=0", "--group=0", "lib/modules"]
        quiet(
            ["tar", "-c", "-f", os.path.join(target, "modules.tar"), "-C", target, *modules],
            "The kernel's modules could not be packed.",
        )
        for name in ("boot", "lib", "bin"):
            shutil.rmtree(os.path.join(target, name))

    return cache.once(cache.path(f"nas-kernel-{cache.key(KERNEL, *MODULES, _INIT)}"), make)


def _initrd(target, modules):
    """The first file system: busybox, the disk's drivers, and a script of four lines."""
    tree = os.path.join(target, "initrd.tree")
    for name in ("bin", "dev", "root", "modules"):
        os.makedirs(os.path.join(tree, name))
    shutil.copy2(os.path.join(target, "bin", "busybox"), os.path.join(tree, "bin", "busybox"))
    order = _order(modules)
    for path in order:
        shutil.copy(os.path.join(modules, path), os.path.join(tree, "modules"))
    with open(os.path.join(tree, "init"), "w") as file:
        file.write(_INIT.format(modules=" ".join(os.path.basename(path) for path in order)))
    os.chmod(os.path.join(tree, "init"), 0o755)
    names = []
    for directory, folders, files in os.walk(tree):
        names += [os.path.relpath(os.path.join(directory, name), tree) for name in folders + files]
    with open(os.path.join(target, "initrd"), "wb") as file:
        done = subprocess.run(
            ["cpio", "--quiet", "--create", "--format=newc", "--owner=0:0"],
            input="\n".join(sorted(names)).encode(),
            stdout=file,
            cwd=tree,
        )
    if done.returncode:
        raise Stop("cpio could not make the first file system.")
    shutil.rmtree(tree)


def _order(modules):
    """The paths (below `modules`) of MODULES and of what they need, each after what it needs."""
    with open(os.path.join(modules, "modules.dep")) as file:
        rows = dict(line.rstrip("\n").split(":") for line in file)
    order = []
    for name in MODULES:
        (path,) = (path for path in rows if os.path.basename(path) == name + ".ko")
        order += [one for one in [*reversed(rows[path].split()), path] if one not in order]
    return order


def sizes(place):
    """What an image of `image()` is: bytes of its files, the kernel and our package, and the number of Debian packages."""
    with open(os.path.join(place, "disk.used")) as file:
        used = int(file.read())
    with open(os.path.join(place, "disk.packages")) as file:
        packages = len(file.readlines())
    return {
        "files": used,
        "kernel": os.path.getsize(os.path.join(place, "vmlinuz")),
        "package": os.path.getsize(deb.build()),
        "debian_packages": packages,
    }


def _forget_old():
    """Every change of ours is a new image of some hundred megabytes: only the last ones are kept."""
    made = [
        os.path.join(cache.path(), name) for name in os.listdir(cache.path()) if name.startswith("nas-image-")
    ]
    for old in sorted(filter(cache.is_ready, made), key=os.path.getmtime)[:-_KEEP]:
        shutil.rmtree(old, ignore_errors=True)


def image():
    """The directory with disk, vmlinuz, initrd, packages and used; made when missing. Raises `Stop`."""
    needs.install("build board QEMU_VIRT_ARM64")
    package, base, core = deb.build(), system(), kernel()
    own = []
    for directory, folders, files in os.walk(os.path.join(FOLDER, "tree")):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(directory, name)
            own += [os.path.relpath(path, FOLDER), cache.read(path), oct(os.stat(path).st_mode)]
    with open(package, "rb") as file:
        key = cache.key(base, core, file.read(), *own, _ASSEMBLE, DISK)

    def make(target):
        note("installing ipcert into the NAS board's image")
        foreign.ready("arm64")
        disk = os.path.join(target, "disk")
        arguments = [os.path.join(base, "system.tar"), package, os.path.join(FOLDER, "tree")]
        arguments += [os.path.join(core, "modules.tar"), disk, str(DISK), f"{os.getuid()}:{os.getgid()}"]
        foreign.as_root(
            ["sh", "-e", "-c", _ASSEMBLE, "assemble", *arguments], "The NAS board's image could not be made."
        )
        for name in ("vmlinuz", "initrd"):
            os.symlink(os.path.join(core, name), os.path.join(target, name))
        _forget_old()

    return cache.once(cache.path(f"nas-image-{key}"), make)
