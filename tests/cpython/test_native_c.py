"""The C part of `_ipcert` as a host program under AddressSanitizer and UBSan, with either library, against vectors."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "lib"))

import mpbuild_check  # noqa: E402

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
    out = run(mpbuild_check.driver(library), "vectors", text="".join("%s %s %s\n" % c[:3] for c in cases))
    assert out.split() == [c[3] for c in cases]


@pytest.mark.parametrize("library", ["mbedtls", "p256m"])
def test_soak(library):
    peak = int(run(mpbuild_check.driver(library), "soak", "150"))
    assert 0 < peak <= ARENA * 3 // 4, "the arena has less than a quarter to spare"
