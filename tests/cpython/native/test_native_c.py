"""The C part of `_ipcert` as a host program, with either library: against vectors under AddressSanitizer and UBSan, and
with its memory searched for what it signed with."""

import json
import subprocess
from pathlib import Path

import pytest

from tools.lib.build import check

ROOT = Path(__file__).resolve().parents[3]

VECTORS = json.loads((ROOT / "tests" / "vectors" / "ecdsa.json").read_text())
ARENA = 2048  # what ipcert_mbedtls.h gives it


def run(program, *words, text=""):
    done = subprocess.run([str(program), *words], input=text, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("library", ["mbedtls", "p256m"])
def test_vectors(library):
    cases = [(v["d"], v["digest"], v["extra"] or "-", v["rs"]) for v in VECTORS["signatures"]]
    cases += [(v["d"], "00" * 32, "-", "bad") for v in VECTORS["bad"]]
    out = run(check.driver(library), "vectors", text="".join("%s %s %s\n" % c[:3] for c in cases))
    assert out.split() == [c[3] for c in cases]


@pytest.mark.parametrize("library", ["mbedtls", "p256m"])
def test_soak(library):
    peak = int(run(check.driver(library), "soak", "150"))
    assert 0 < peak <= ARENA * 3 // 4, "the arena has less than a quarter to spare"


def traces(library, bits, *more):
    """(pieces of keys, pieces of nonces, calls that left something in the arena, bytes of stack used)"""
    program = check.driver(library, bits, sanitize=False, more=more)
    return [int(n) for n in run(program, "traces", "30").split()]


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("library", ["mbedtls", "p256m"])
def test_no_key_and_no_nonce_is_left_in_memory(library, bits):
    keys, nonces, dirty, used = traces(library, bits)
    assert (keys, nonces, dirty) == (0, 0, 0)
    assert used < (6144 if bits == 64 else 3072)


def test_a_key_on_the_stack_would_be_found():
    assert traces("p256m", 64, "-DIPCERT_STACK=16")[0] > 0
