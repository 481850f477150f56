"""What runs cryptography and HTTP, once more on the oldest versions that we promise to work with: Debian 12's.

Each file is one run of pytest in that environment. Simulated media, mutations and fuzzing do not depend on libraries.
"""

import os
import re
import subprocess

import pytest

from tools.lib import cache, venv
from tools.lib.testing import tiers

SECONDS = {"tests/interop/test_issue.py": 190, "tests/interop/test_commands.py": 70}


@pytest.mark.parametrize(
    "file", [pytest.param(file, marks=pytest.mark.slow(SECONDS.get(file, 0))) for file in tiers.OLDEST]
)
def test_the_file_passes_on_the_oldest_libraries(file):
    command = [venv.python(venv.checkout(oldest=True)), "-m", "pytest", "-q", "-p", "no:cacheprovider", file]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("COV_", "PYTEST_"))
    }
    done = subprocess.run(
        command, cwd=cache.ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"\d+ passed", done.stdout)
