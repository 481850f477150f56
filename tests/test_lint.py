"""Lint, format, the stubs against the modules, the types of their bodies and of the CPython port, each as the pinned tool says it."""

import subprocess
import sys

import pytest

from tools.lib import cache

pytestmark = pytest.mark.quick

CHECKS = {
    "ruff check": ["ruff", "check", "--no-cache"],
    "ruff format": ["ruff", "format", "--no-cache", "--check"],
    "types of the core's bodies": ["tools.lib.testing.core_types"],
    "types of the CPython port": [
        "mypy",
        "--check-untyped-defs",
        "--ignore-missing-imports",
        "--disable-error-code=var-annotated",
        "--cache-dir=/dev/null",
        "ports/cpython/ipcert_port",
    ],
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
