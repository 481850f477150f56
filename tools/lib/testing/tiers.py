"""`tools/test`: pytest, told which tier, how many at a time, and where its caches are.

Every check of the project is one pytest item: lint, types, the portable tests on each MicroPython, the suite on the
oldest libraries, the boards. What a test belongs to stands where it is written (tests/conftest.py, "Tiers").
"""

import os
import subprocess
import sys
import time

from tools.lib import cache, needs

LEAST_COVERAGE = 95  # percent of the branches and lines of ipcert/ that ./tools/test must run
# What runs cryptography and HTTP: the port as a user meets it. Run again on the oldest libraries that we promise to work with.
OLDEST = [
    f"tests/cpython/port/test_{name}.py"
    for name in "cli deploy drive net responder serve store ucryptolib_shim urequests_compat".split()
]
OLDEST += ["tests/cpython/native/test_native_sign.py"]
OLDEST += [f"tests/interop/test_{name}.py" for name in "commands features issue".split()]
AT_ONCE = 3  # tests side by side: they wait for processes and clocks a good part of the time


def run(tier, words):
    """Run the tests of `tier` ("quick", "test" or "full"), or those of them that pytest's `words` choose.

    Prints how long it took; returns an exit status.
    """
    os.chdir(cache.ROOT)
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", f"--tier={tier}", "-o", f"cache_dir={cache.path('pytest')}"]
    whole = not any(os.path.exists(word.split("::")[0]) for word in words)
    if whole:
        # At once, before several tests ask for it; a test that is run alone has its targets install what they need.
        needs.install("test quick" if tier == "quick" else "test")
        command += [
            "-q",
            "--durations=15",
            "--durations-min=10",
            "-n",
            str(AT_ONCE),
            "--no-loadscope-reorder",
        ]
        if not words and tier != "quick":
            command += ["--cov", f"--cov-fail-under={LEAST_COVERAGE}"]
    environment = dict(os.environ, HYPOTHESIS_STORAGE_DIRECTORY=cache.path("hypothesis"))
    status = subprocess.run([*command, *words], env=environment).returncode
    took = time.monotonic() - began
    print(f"tools/test{'' if tier == 'test' else ' ' + tier}: {took:.0f} s, exit status {status}", flush=True)
    return status
