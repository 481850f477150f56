"""tools/build sizes: what ipcert costs a firmware, in bytes."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.lib import needs
from tools.lib.build import files as build_files
from tools.lib.build import micropython, natmod, sources

# README's budget: the aim, and what is measured against it.
AIMS = {
    "everything": 110000,
    "core": 75000,
    "heap": 24 * 1024,
    "armv7m": 8 * 1024,
    "x64": 10 * 1024,
    "usermod": 2 * 1024,
}

# What the usermod adds beside an Mbed TLS that the firmware has for TLS. hmac_drbg.c is only there for the nonces.
USERMOD = ("native/module.o", "native/sign.o", "native/jws.o", "native/arena.o", "native/curve_mbedtls.o")
NONCES = ("lib/mbedtls/library/hmac_drbg.o",)


def compile_file(name, path, out):
    """Compile one file with mpy-cross, as `manifest.py` has it frozen: without line numbers."""
    command = [
        str(micropython.mpy_cross()),
        "-O3",
        "-msmall-int-bits=31",
        "-s",
        name,
        "-o",
        str(out),
        str(path),
    ]
    subprocess.run(command, check=True)


def bytecode(files):
    """Bytes of the .mpy files that mpy-cross makes of them, names and strings included."""
    total = 0
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.mpy"
        for name, path in files:
            compile_file(name, path, out)
            total += out.stat().st_size
    return total


def frozen(features):
    """What freezing ipcert with these features adds to a 32-bit image, by mpy-tool.py's own account.

    {"bytecode", "total"}; total has the constants, strings and names too. Names that the firmware has anyway are not
    counted, nor are those that asyncio, which is frozen into every port, brings along.
    """
    tree = sources.micropython()
    names = micropython.interpreter(32).parent / "objects" / "genhdr" / "qstrdefs.preprocessed.h"
    shared = [
        ("asyncio/" + path.name, path) for path in sorted((tree / "extmod" / "asyncio").glob("[!m]*.py"))
    ]

    def account(files):
        with tempfile.TemporaryDirectory() as scratch:
            compiled = []
            for name, path in files:
                compiled.append(str(Path(scratch) / name.replace("/", "_")) + ".mpy")
                compile_file(name, path, compiled[-1])
            tool = [sys.executable, str(tree / "tools" / "mpy-tool.py"), "-f", "-q", str(names)]
            done = subprocess.run(
                [*tool, "-mlongint-impl=mpz", *compiled], stdout=subprocess.PIPE, text=True, check=True
            )
        found = {}
        for name, label in (("bytecode", "bc content: "), ("total", "total: ")):
            found[name] = int(done.stdout.rsplit("\n" + label, 1)[1].split("\n")[0])
        return found

    ours, bare = account(shared + build_files.micropython(features)), account(shared)
    return {name: ours[name] - bare[name] for name in ours}


def sets():
    """{set: `frozen`}: the core alone, the core with each feature, and everything."""
    found = {"core": frozen(())}
    for feature in build_files.FEATURES:
        found["core +" + feature] = frozen((feature,))
    found["everything"] = frozen(tuple(build_files.FEATURES))
    return found


def usermod():
    """{build: {"native", "nonces", "bss"}} of `_ipcert` as a firmware module, for the builds that are here."""
    found = {}
    builds = [
        ("x64", "", micropython.interpreter().parent / "objects"),
        ("x86", "", micropython.interpreter(32).parent / "objects"),
    ]
    board = board_build()
    if board:
        builds.append(("armv7m", "arm-none-eabi-", board))
    for name, prefix, build in builds:
        own = natmod.sections([build / o for o in USERMOD], prefix)
        nonces = natmod.sections([build / o for o in NONCES], prefix)["native"]
        found[name] = {"native": own["native"], "nonces": nonces, "bss": own["bss"]}
    return found


def heap(bits=32):
    """heap.py's figures of a whole job against a real Pebble, TLS buffers left out."""
    command = [sys.executable, "-m", "tools.lib.build.heap", str(bits)]
    done = subprocess.run(command, cwd=build_files.ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise micropython.BuildError("the heap of a whole job could not be measured")
    return json.loads(done.stdout.splitlines()[-1])


def board_build():
    """The newest build folder of the Cortex-M board, if it was built here (tools/build board QEMU_MPS2_AN385)."""
    found = [
        p.parent.parent for p in sources.cache().glob("boards/QEMU_MPS2_AN385-objects-*/native/module.o")
    ]
    return max(found, key=lambda p: (p / "native" / "module.o").stat().st_mtime) if found else None


def measure():
    """Everything that --json prints."""
    needs.install("build sizes")
    everything = build_files.micropython()
    parts = {
        name: [pair for pair in everything if pair[0].startswith(folder + "/")]
        for name, folder in (("core", "ipcert"), ("port", "ipcert_port"), ("http", "urequests_compat"))
    }
    code = {name: bytecode(files) for name, files in parts.items()}
    code["together"] = sum(code.values())
    natmods = {}
    for arch in natmod.TOOLCHAINS:
        if natmod.can_build(arch):
            natmods[arch] = natmod.sizes(arch)
    return {
        "mpy": code,
        "frozen": sets(),
        "heap": heap(),
        "natmod": natmods,
        "usermod": usermod(),
        "aims": AIMS,
    }


def table(found):
    """The result as lines for a person."""
    code = found["mpy"]
    lines = ["flash of core, port and HTTP, frozen into a 32-bit image, bytes: in all, and bytecode alone"]
    for name, size in found["frozen"].items():
        aim = "  aim %d" % AIMS[name] if name in AIMS else ""
        lines.append("  %-26s %7d %7d%s" % (name, size["total"], size["bytecode"], aim))
    lines.append("as .mpy files, bytes")
    lines += ["  %-22s %7d" % (name, code[name]) for name in ("core", "port", "http", "together")]
    lines.append("GC heap of a whole job, 32 bits, TLS buffers left out, bytes")
    lines.append("  %-22s %7d  aim %d" % ("above the imports", found["heap"]["above"], AIMS["heap"]))
    lines.append("  %-22s %7d" % ("imports", found["heap"]["imports"]))
    lines.append("native: natmod (p256-m, SHA-256, nonces and all)")
    for arch, size in found["natmod"].items():
        aim = "  aim %d" % AIMS[arch] if arch in AIMS else ""
        lines.append("  %-22s %7d  RAM %d%s" % (arch, size["native"], size["bss"], aim))
    lines.append("native: usermod, beside the firmware's Mbed TLS")
    for name, size in found["usermod"].items():
        words = "  %-22s %7d  and HMAC-DRBG %d, arena %d" % (
            name,
            size["native"],
            size["nonces"],
            size["bss"],
        )
        lines.append(words)
    return "\n".join(lines)


def main(as_json):
    found = measure()
    print(json.dumps(found, indent=2) if as_json else table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main("--json" in sys.argv))
