"""What every target needs beside the checkout, in one table. A target installs its row when it starts, and only that.

Pure data and a few small functions: it is read by the system's Python, before any environment is made. The machine is
expected to have no more than Debian's required packages, apt, python3 and git.

A row may have
    rows      other rows that it includes
    debian    Debian packages; {suite: package} where their names differ
    unpacked  Debian packages that are unpacked into the cache and not installed, so that nothing of them starts by itself
    python    dependency groups of pyproject.toml, in the versions of tools/lock.txt
    go        Go programs of golang.MODULES
The last two are made once for all checkouts, and found in the cache afterwards.
"""

from typing import Any

from tools.lib import debian, venv
from tools.lib.build import golang

TABLE: dict[str, dict[str, list[Any]]] = {
    # Parts that the targets share.
    "uv": {"debian": [*venv.PACKAGES]},
    "python": {"rows": ["uv"], "python": ["tests"]},
    "go": {"rows": ["uv"], "python": ["go"]},
    "pebble": {"rows": ["python", "go"], "go": ["pebble"]},
    "step-ca": {"rows": ["pebble"], "go": ["step-ca"]},
    # CAs that others wrote; each validates with the names of a Pebble's DNS server.
    "pebble newer": {"rows": ["python", "go"], "go": ["pebble-newer"]},
    "namespaces": {"rows": ["ip", "mount"]},
    "caddy's acme_server": {"rows": ["pebble", "namespaces"], "go": ["caddy"]},
    "caddy's acme_server, Debian's": {"rows": ["pebble", "namespaces", "caddy"]},
    "acme2certifier": {"rows": ["pebble", "namespaces"], "python": ["acme2certifier"]},
    "serles": {"rows": ["pebble", "namespaces"], "python": ["serles"]},
    "keyring": {"debian": ["debian-archive-keyring"]},
    "sources": {"rows": ["keyring"], "debian": ["bzip2", "xz-utils"]},
    "mmdebstrap": {"rows": ["keyring"], "debian": ["mmdebstrap"]},
    "mount": {"debian": ["mount"]},
    "qemu-user": {"debian": [{"bookworm": "qemu-user-static", "trixie": "qemu-user"}]},
    "foreign": {"rows": ["qemu-user", "mmdebstrap", "mount"], "debian": ["arch-test"]},
    "openssl": {"debian": ["openssl"]},
    "ip": {"debian": ["iproute2"]},
    "busybox": {"debian": ["busybox"]},
    "shellcheck": {"debian": ["shellcheck"]},
    "bind": {"debian": ["bind9", "bind9-utils"]},
    "nginx": {"unpacked": ["nginx", "libnginx-mod-stream"]},
    "caddy": {"unpacked": ["caddy"]},
    "curl": {"debian": ["curl"]},
    "tinyproxy": {"unpacked": ["tinyproxy-bin"]},
    "faketime": {"unpacked": ["libfaketime"]},
    "miniupnpd": {"rows": ["ip"], "unpacked": ["miniupnpd-nftables", "libnftnl11"], "debian": ["libmnl0"]},
    "debian's pebble": {"rows": ["python"], "debian": ["pebble"]},
    # Compilers and emulators.
    "c": {"debian": ["gcc", "libc6-dev", "make"]},
    # gcc-multilib itself cannot be installed beside a cross compiler.
    "c x86": {"rows": ["c"], "debian": [{"bookworm": "gcc-12-multilib", "trixie": "gcc-14-multilib"}]},
    "c arm": {"debian": ["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"]},
    "c riscv": {"debian": ["gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf"]},
    "c armhf": {"debian": ["gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"]},
    "c mips": {"debian": ["gcc-mips-linux-gnu", "libc6-dev-mips-cross"]},
    "clang": {"rows": ["c"], "debian": ["clang", "libclang-rt-dev"]},
    "qemu arm": {"debian": ["qemu-system-arm"]},
    "qemu riscv": {"debian": [{"bookworm": "qemu-system-misc", "trixie": "qemu-system-riscv"}]},
    # tools/build
    "build mpy-cross": {"rows": ["c", "sources"]},
    "build micropython": {"rows": ["build mpy-cross"]},
    "build micropython32": {"rows": ["build mpy-cross", "c x86"]},
    "build micropython-armhf": {"rows": ["build mpy-cross", "c armhf"]},
    "build micropython-mips": {"rows": ["build mpy-cross", "c mips"]},
    "build micropython-armhf --emulated": {"rows": ["build micropython-armhf", "qemu-user"]},
    "build micropython-mips --emulated": {"rows": ["build micropython-mips", "qemu-user"]},
    "build natmod x64": {"rows": ["build mpy-cross", "uv"], "python": ["natmod"]},
    "build natmod x86": {"rows": ["build natmod x64", "c x86"]},
    "build natmod armv6m": {"rows": ["build natmod x64", "c arm"]},
    "build natmod armv7m": {"rows": ["build natmod x64", "c arm"]},
    "build natmod armv7emsp": {"rows": ["build natmod x64", "c arm"]},
    "build natmod rv32imc": {"rows": ["build natmod x64", "c riscv"]},
    "build natmod xtensawin": {
        "rows": ["build natmod x64"]
    },  # its compiler is Espressif's, and not in Debian
    "build fuzz": {"rows": ["build mpy-cross", "clang"]},
    "build driver": {"rows": ["c", "sources"]},
    "build driver 32": {"rows": ["build driver", "c x86"]},
    "build deb": {"rows": ["python"]},
    "build board QEMU_MPS2_AN385": {"rows": ["build mpy-cross", "c arm"]},
    "build board VIRT_RV32": {"rows": ["build mpy-cross", "c riscv"]},
    "build board QEMU_VIRT_ARM64": {
        "rows": ["build deb", "foreign"],
        "debian": ["cpio", "e2fsprogs", "kmod"],
    },
    "build sizes": {
        "rows": [
            "pebble",
            "build micropython32",
            "build natmod x86",
            "build natmod armv6m",
            "build natmod armv7m",
            "build natmod armv7emsp",
            "build natmod rv32imc",
        ]
    },
    "build lock": {"rows": ["go"]},
    "build sbom": {"rows": ["python"]},
    "build manifest": {},
    # tools/board
    "board QEMU_MPS2_AN385": {"rows": ["build board QEMU_MPS2_AN385", "qemu arm", "pebble"]},
    "board QEMU_MPS2_AN385 ipv6": {"rows": ["board QEMU_MPS2_AN385", "ip"]},
    "board VIRT_RV32": {"rows": ["build board VIRT_RV32", "qemu riscv", "python"]},
    "board QEMU_VIRT_ARM64 run": {"rows": ["build board QEMU_VIRT_ARM64", "qemu arm"]},
    "board QEMU_VIRT_ARM64 demo": {"rows": ["board QEMU_VIRT_ARM64 run", "pebble", "openssl"]},
    "board QEMU_VIRT_ARM64 armhf": {"rows": ["foreign"]},
    # MicroPython's stock firmware for a board of its qemu port, and QEMU
    "stock MPS2_AN385": {"rows": ["build mpy-cross", "c arm", "qemu arm"]},
    "stock VIRT_RV32": {"rows": ["build mpy-cross", "c riscv", "qemu riscv"]},
    # tools/test; a part of it that is run alone installs what its targets need
    "test quick": {"rows": ["python", "build micropython"]},
    "test": {
        "rows": [
            "test quick",
            "step-ca",
            "debian's pebble",
            "build natmod x64",
            "build driver 32",
            "build deb",
            "fuzz",
            "simulate",
            "bench jws",
            "bench issue ipcert",
            "vendor demo",
            "stock MPS2_AN385",
            "stock VIRT_RV32",
            "board QEMU_MPS2_AN385",
            "bind",
            "busybox",
            "acme2certifier",
            "caddy's acme_server, Debian's",
            "pebble newer",
            "serles",
            "curl",
            "tinyproxy",
            "faketime",
            "ip",
            "miniupnpd",
            "openssl",
            "shellcheck",
            "build micropython32",
            "build micropython-armhf --emulated",
            "build micropython-mips --emulated",
            "board QEMU_MPS2_AN385 ipv6",
            "board VIRT_RV32",
            "board QEMU_VIRT_ARM64 demo",
            "board QEMU_VIRT_ARM64 armhf",
        ],
        "python": ["oldest"],
    },
    "test faults": {"rows": ["pebble", "build micropython"]},
    "test redteam": {"rows": ["python", "ip", "build micropython"]},
    # The other commands of tools/
    "demo": {"rows": ["pebble"]},
    "demo --runtime micropython": {"rows": ["demo", "build micropython", "openssl"]},
    "bench issue ipcert": {"rows": ["pebble"]},
    "bench issue certbot": {"rows": ["pebble"], "python": ["bench-certbot"]},
    "bench issue lego": {"rows": ["pebble"], "go": ["lego"]},
    "bench issue uacme": {"rows": ["pebble"], "debian": ["uacme"]},
    "bench issue acme-tiny": {"rows": ["pebble", "openssl"], "python": ["bench-acme-tiny"]},
    "bench jws": {"rows": ["python", "build natmod x64", "openssl"], "python": ["bench-jws"]},
    "simulate": {"rows": ["uv"], "python": ["simulate"]},
    "strict-ca": {"rows": ["pebble"]},
    "fuzz": {"rows": ["build fuzz", "uv"], "python": ["fuzz"]},
    "states": {},
    "docs": {},
    "fresh": {"rows": ["mmdebstrap", "mount"]},
    "vendor": {},
    "vendor --mpy": {"rows": ["build mpy-cross"]},
    "vendor demo": {
        "rows": [
            "pebble",
            "nginx",
            "build micropython-armhf --emulated",
            "build micropython-mips --emulated",
        ]
    },
}

_installed = set()


def of(name, kind):
    """All that a row and the rows that it includes have of one kind, each once."""
    row, suite = TABLE[name], debian.suite()
    found = [one for other in row.get("rows", ()) for one in of(other, kind)]
    for one in row.get(kind, ()):
        found.append(one if isinstance(one, str) else one.get(suite, list(one.values())[-1]))
    return list(dict.fromkeys(found))


def install(name):
    """Make sure that everything of a row is there. Raises `Stop` where it cannot be had."""
    if name in _installed:
        return
    debian.need(*of(name, "debian"))
    _installed.add(name)
    for group in of(name, "python"):
        venv.environment(group)
    for program in of(name, "go"):
        golang.build(program)


def unpacked(name):
    """The directory with the files of a row's `unpacked` packages, whose own needs are installed. Raises `Stop`."""
    debian.need(*of(name, "debian"))
    return debian.unpacked(*TABLE[name]["unpacked"])
