"""What reads bytes from outside: the kept corpora again, every input cut and bent, and seconds of `tools/fuzz`."""

import json
import os
import random
import subprocess
import sys
import time

import pytest

from tools.lib import cache
from tools.lib.build import fuzz
from tools.lib.fuzz import names, targets


def corpus(name):
    """The kept inputs of a target."""
    folder = os.path.join(cache.ROOT, "tests", "fuzz", name)
    found = []
    for entry in sorted(os.listdir(folder)):
        with open(os.path.join(folder, entry), "rb") as file:
            found.append(file.read())
    return found


def test_every_target_has_a_name_and_a_corpus():
    assert list(targets.TARGETS) == list(names.TARGETS)
    assert sorted(os.listdir(os.path.join(cache.ROOT, "tests", "fuzz"))) == sorted(
        {**names.TARGETS, **names.NATIVE}
    )


@pytest.mark.parametrize("name", sorted(names.TARGETS))
def test_the_corpus_bent_in_every_place(name):
    target = targets.TARGETS[name]
    rng = random.Random(name)
    slowest = 0
    for data in corpus(name)[:60]:
        for at in range(0, len(data), max(len(data) // 40, 1)):
            bent = bytearray(data)
            bent[at] = rng.choice((0, 255, 34, 92, rng.randrange(256)))
            for one in (data[:at], bytes(bent), data[:at] + data[at + 1 :], data[:at] + data[at // 2 :]):
                began = time.process_time()
                target(one)
                slowest = max(slowest, time.process_time() - began)
    assert slowest < 2


@pytest.mark.skipif(sys.version_info < (3, 11), reason="atheris 3.0 wants Python 3.11")
@pytest.mark.slow(40)
@pytest.mark.parametrize("seconds", [1, pytest.param(20, marks=pytest.mark.full)])
def test_a_few_seconds_of_fuzzing_each(seconds):
    command = [sys.executable, os.path.join(cache.ROOT, "tools", "fuzz"), "--seconds", str(seconds), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stderr[-3000:]
    out = json.loads(done.stdout)
    assert out["crashes"] == 0 and set(out["targets"]) == {*names.TARGETS, *names.NATIVE}
    # How many a second allows is the machine's affair, but more than the kept ones it is.
    for name, one in out["targets"].items():
        assert one["inputs"] > (20 if name in names.NATIVE else len(corpus(name))), (name, one)


def test_a_crash_is_noticed():
    for bad in (lambda: targets.need(False, "x"), lambda: targets.identifier(None)):
        with pytest.raises((targets.Broken, AttributeError)):
            bad()


# Each takes a guard of the C code away; the kept inputs alone must meet it.
MUTATIONS = [
    ("native_module", "module.c", "off > info.len || need > info.len - off", "off > info.len"),
    ("native_module", "module.c", "start > end || end > span.n", "start > end"),
    ("native_module", "module.c", "    apart(out, size, payload);\n", ""),
    ("native_module", "module.c", "if (key.n != IPCERT_KEY)", "if (key.n == 0)"),
    (
        "native_mbedtls",
        "arena.c",
        "    mbedtls_platform_zeroize(arena, sizeof(arena));\n    ipcert_arena_unlock();",
        "",
    ),
    ("native_mbedtls", "arena.c", "if (size != 0 && count > IPCERT_ARENA / size)", "if (size == 7)"),
    ("native_p256m", "jws.c", "n / 3 * 4 + (n % 3 * 4 + 2) / 3", "n / 3 * 4 + n % 3"),
]


@pytest.mark.parametrize("target, file, old, new", MUTATIONS)
def test_a_mistake_in_the_c_code_is_noticed(target, file, old, new, tmp_path):
    program = fuzz.mutant(target, file, old, new)
    corpus = os.path.join(cache.ROOT, "tests", "fuzz", target)
    done = subprocess.run(
        [program, "-runs=0", "-artifact_prefix=%s/" % tmp_path, corpus],
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    assert done.returncode and ("AddressSanitizer" in done.stderr or "failed: " in done.stderr), done.stderr
