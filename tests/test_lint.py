"""Lint, format, the stubs against the modules, and the types of the core, the CPython port and the tools: each as the pinned tool
says it. What mypy is to check is in pyproject.toml.
"""

import subprocess
import sys

import pytest

from tools.lib import cache

pytestmark = pytest.mark.quick

MYPY_CACHE = cache.path("mypy", cache.key(cache.ROOT))
CHECKS = {
    "ruff check": ["ruff", "check", "--no-cache"],
    "ruff format": ["ruff", "format", "--no-cache", "--check"],
    "types of the core's bodies": ["tools.lib.testing.core_types"],
    "types of the CPython port": [
        "mypy",
        f"--cache-dir={MYPY_CACHE}",
        "ports/cpython/ipcert_port",
    ],
    "types of the tools": ["mypy", f"--cache-dir={MYPY_CACHE}", "--python-version=3.11", "-p", "tools"],
    "stubs": [
        "mypy.stubtest",
        "ipcert",
        "--ignore-missing-stub",
        "--concise",
        "--allowlist",
        "tools/stubs-allowed.txt",
    ],
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_tool_finds_nothing(name):
    done = subprocess.run(
        [sys.executable, "-m", *CHECKS[name]],
        cwd=cache.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
