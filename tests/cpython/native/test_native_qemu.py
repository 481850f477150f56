"""`_ipcert` on other processors, emulated: the natmod in MicroPython's stock firmware, the usermod in the hub's."""

import json
from pathlib import Path

import pytest

from tools.lib.build import natmod
from tools.lib.build import qemu as build_qemu

ROOT = Path(__file__).resolve().parents[3]

VECTORS = json.loads((ROOT / "tests" / "vectors" / "ecdsa.json").read_text())

ON_TARGET = """
import _ipcert, micropython
from binascii import hexlify as h, unhexlify as u
out = bytearray(600)
def locked(f):
    micropython.heap_lock()
    try:
        return f()
    finally:
        micropython.heap_unlock()
def key(d):
    k = bytearray(97)
    k[:32] = u(d)
    _ipcert.public(k)
    return k
def point(d):
    print(h(key(d)[32:]).decode())
def sign(d, digest, extra):
    k, e, g = key(d), u(extra), u(digest)
    locked(lambda: _ipcert.sign_digest(k, e, g, out, 0))
    print(h(out[:64]).decode())
def bad(d):
    try:
        key(d)
    except ValueError:
        print("bad")
def jws(d, parts, payload, extra):
    k, e, q, p = key(d), u(extra), [u(x) for x in parts], u(payload)
    n = locked(lambda: _ipcert.jws(k, e, q, p, len(p), out, 0))
    print(out[:n].decode())
def sha(data, n):
    locked(lambda: _ipcert.sha256(data, 0, n, out, 0))
    print(h(out[:32]).decode())
def made():
    k = bytearray(97)
    print(_ipcert.generate(k, bytes(48)), h(k[:32]).decode())
"""

# What HMAC-DRBG over SHA-256 seeded with 48 zero bytes gives first: the same key in every build.
FIRST = "0bdb4ee263c00592f9c132acffb9793eaa74069f9a1792b5a8d3208f96ba9a89"


def check(execute):
    """All vectors that fit a small console, through `execute(source) -> what it printed`."""
    execute(ON_TARGET)
    assert execute("made()").split() == ["True", FIRST]
    for v in VECTORS["public"]:
        assert execute("point(%r)" % v["d"]).strip() == v["point"], v["comment"]
    for v in VECTORS["bad"]:
        assert execute("bad(%r)" % v["d"]).strip() == "bad", v["comment"]
    for v in VECTORS["signatures"]:
        assert execute("sign(%r, %r, %r)" % (v["d"], v["digest"], v["extra"])).strip() == v["rs"], v[
            "comment"
        ]
    for v in VECTORS["jws"]["cases"]:
        if len(v["jws"]) <= 500:
            words = (VECTORS["jws"]["d"], v["parts"], v["payload"], v["extra"])
            assert execute("jws(%r, %r, %r, %r)" % words).strip() == v["jws"]
    for n, digest in VECTORS["sha256"]["cases"]:
        if n <= 129:
            execute("data = u(%r)" % VECTORS["sha256"]["data"][: 2 * n])
            assert execute("sha(data, %d)" % n).strip() == digest


@pytest.mark.parametrize(
    "arch, board", [("armv7m", "MPS2_AN385"), ("armv6m", "MPS2_AN385"), ("rv32imc", "VIRT_RV32")]
)
def test_natmod(arch, board):
    module = natmod.build(arch)
    with build_qemu.Target(board) as target:
        assert target.load(module) == "native natmod, p256-m"
        check(target.execute)


def test_usermod(tmp_path):
    from tools.lib.board import firmware, qemu

    image = firmware.build("QEMU_MPS2_AN385") / "firmware.elf"
    with qemu.Hub(image, tmp_path / "flash", boot={"main": "off"}) as hub:
        assert hub.evaluate("__import__('_ipcert').NAME").startswith("'native usermod, Mbed TLS")
        check(hub.execute)
