"""tools/build fuzz TARGET: the C part of `_ipcert` as a libFuzzer program under AddressSanitizer and UBSan (clang).

native_mbedtls, native_p256m: the functions of ipcert_native.h with either library (ports/native/check/fuzz_core.c).
native_module: module.c in MicroPython's own core, made by its `embed` port (fuzz_module.c).
"""

import json
import shutil
import subprocess

from tools.lib import needs
from tools.lib.build import check, micropython, sources

TARGETS = ("native_mbedtls", "native_p256m", "native_module")

_FLAGS = ("-std=gnu99", "-g", "-O1", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all")
_ASAN = "-fsanitize=address"
_BOTH = "-fsanitize=address,undefined"
_OURS = "-fsanitize=address,undefined,fuzzer-no-link"  # only our own code says what an input has reached
_WARN = ("-Wall", "-Wextra", "-Werror")
_EMBED = """MICROPYTHON_TOP = %s
PACKAGE_DIR = %s
USER_C_MODULES = %s
include $(MICROPYTHON_TOP)/ports/embed/embed.mk
"""


def program(target):
    """Path of the program, built when it is missing."""
    needs.install("build fuzz")
    cc = "clang"
    tree = sources.micropython()
    version = subprocess.run([cc, "--version"], check=True, capture_output=True, text=True).stdout
    key = sources.key(tree.name, version, *micropython.native_files(), micropython.ROOT / __file__)
    return _once("fuzz-%s-%s" % (target, key), target, lambda out: _build(cc, target, tree, out))


def mutant(target, name, old, new):
    """Path of the program with `new` for `old` in the file `name` of ports/native, to see that the target notices."""
    base = program(target).parent
    text = (micropython.NATIVE / name).read_text()
    if text.count(old) != 1:
        raise micropython.BuildError("%s does not hold %r once" % (name, old))
    text = text.replace(old, new)

    def build(out):
        (out / name).write_text(text)
        # Another checkout may have built it.
        done = (base / "steps.json").read_text()
        steps = json.loads(done.replace(json.loads(done)["native"], str(micropython.NATIVE)))["steps"]
        objects = [words[-1] for words in steps]
        k = [words[-3] for words in steps].index(str(micropython.NATIVE / name))
        objects[k] = str(out / "mutant.o")
        micropython.run([*steps[k][:-3], "-w", str(out / name), "-o", objects[k]], out / "log")
        _link(steps[k][0], target, objects, out)

    return _once("fuzz-mutant-%s" % sources.key(base.name, name, text), target, build)


def _once(name, target, build):
    out = sources.cache() / name
    with sources.lock(name):
        if not (out / target).exists():
            shutil.rmtree(str(out), ignore_errors=True)
            out.mkdir(parents=True)
            build(out)
    return out / target


def _build(cc, target, tree, out):
    native, mbedtls = micropython.NATIVE, tree / "lib" / "mbedtls"
    p256m = mbedtls / "3rdparty" / "p256-m" / "p256-m"
    library = "p256m" if target == "native_p256m" else "mbedtls"
    include = [native, native / "natmod" / "shim", mbedtls / "include", mbedtls / "library", p256m]
    theirs = [mbedtls / "library" / f for f in check.LIBRARY + check.CURVE[library]]
    ours = [native / f for f in ("sign.c", "jws.c", "arena.c", "curve_%s.c" % library)]
    defines = ['-DMBEDTLS_CONFIG_FILE="check/config.h"']
    core = []
    if library == "p256m":
        theirs.append(p256m / "p256-m.c")
        defines.append("-DFUZZ_P256M")
    if target == "native_module":
        package = _embed(tree, out)
        defines += ["-isystem", out, "-isystem", package, "-isystem", package / "port"]
        core = sorted(package.rglob("*.c"))
        ours += [native / "module.c", native / "check" / "fuzz_module.c"]
    else:
        defines.append("-DIPCERT_FUZZ")
        ours.append(native / "check" / "fuzz_core.c")
    steps = []
    for flags, files in (
        ((_OURS, *_WARN), ours),
        # MicroPython's own core does what UBSan forbids; it is not what is tried here.
        ((_ASAN, "-w"), core),
        ((_BOTH, "-w", "-O2"), theirs),
    ):
        for file in files:
            words = [cc, *_FLAGS, *flags, *defines, *["-I%s" % i for i in include], "-c", file]
            words += ["-o", out / ("%d-%s.o" % (len(steps), file.stem))]
            steps.append([str(word) for word in words])
            micropython.run(words, out / "log")
    (out / "steps.json").write_text(json.dumps({"native": str(micropython.NATIVE), "steps": steps}))
    _link(cc, target, [words[-1] for words in steps], out)


def _link(cc, target, objects, out):
    # Under another name first: a program that is there is whole.
    micropython.run([cc, _BOTH + ",fuzzer", *objects, "-o", out / "linked"], out / "log")
    (out / "linked").rename(out / target)


def _embed(tree, out):
    """MicroPython's core as its embed port hands it out, with the names that module.c uses."""
    package = out / "package"
    shutil.copy2(str(micropython.NATIVE / "check" / "embed" / "mpconfigport.h"), str(out / "mpconfigport.h"))
    flags = "CFLAGS += -I%s/lib/mbedtls/include -DMBEDTLS_CONFIG_FILE='\"check/config.h\"'\n" % tree
    (out / "Makefile").write_text(flags + _EMBED % (tree, package, micropython.NATIVE.parent))
    micropython.run(["make", "-C", out, "BUILD=%s" % (out / "build")], out / "log")
    return package
