"""Builds ports/native/check/driver.c: the C part of `_ipcert` as a host program, with either library."""

from tools.lib import needs
from tools.lib.build import micropython, sources

COMMON = ("sign.c", "jws.c", "arena.c", "check/driver.c")
LIBRARY = ("sha256.c", "md.c", "hmac_drbg.c", "platform_util.c", "constant_time.c")
CURVE = {
    "mbedtls": (
        "ecdsa.c",
        "ecp.c",
        "ecp_curves.c",
        "bignum.c",
        "bignum_core.c",
        "asn1write.c",
        "asn1parse.c",
    ),
    "p256m": (),
}


def driver(library, bits=64, sanitize=True, more=()):
    """Path of the program for library "mbedtls" or "p256m"; `more` flags for the compiler."""
    needs.install("build driver 32" if bits == 32 else "build driver")
    tree = sources.micropython() / "lib" / "mbedtls"
    flags = [
        "-std=gnu99",
        "-g",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        '-DMBEDTLS_CONFIG_FILE="check/config.h"',
    ]
    if sanitize:
        flags += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    flags += more
    if bits == 32:
        flags += ["-m32", *micropython.KERNEL_HEADERS]
    name = "check-%s-%s" % (
        library,
        sources.key(tree.parent.parent.name, micropython.compiler(), *flags, *micropython.native_files()),
    )
    out = sources.cache() / name
    program = out / "driver"
    with sources.lock(name):
        if not program.exists():
            out.mkdir(parents=True, exist_ok=True)
            native = micropython.NATIVE
            p256m = tree / "3rdparty" / "p256-m" / "p256-m"
            files = [native / f for f in COMMON] + [tree / "library" / f for f in LIBRARY + CURVE[library]]
            files.append(native / ("curve_%s.c" % library))
            if library == "p256m":
                files.append(p256m / "p256-m.c")
            include = [native, native / "natmod" / "shim", tree / "include", tree / "library", p256m]
            command = ["gcc", *flags, *["-I%s" % i for i in include], *files, "-o", out / "linked"]
            micropython.run(command, out / "log")
            (out / "linked").rename(program)
    return program
