"""The attacker who models hidden outages finds in the earlier policy what the table of docs/privacy.md says, and nothing where there is nothing."""

import json
import os
import subprocess
import sys

import pytest

from tools.lib import cache, venv

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="the simulator's libraries need Python 3.11"
)

# Shares that somebody else's attacker of this kind found, N = 2,000: (all homes, off 14-28 d, off over 28 d).
# His table is of samples, and so is ours. Of homes that were off for 14 to 28 days we find 28 % of 2,007 at 45 days, where
# he has 34 %; with the true outages in place of the posterior it is 29 %, and 31 % of those whose outage lies within the
# record as a whole: what the record holds is used up.
NEARLY = 0.85
TABLE = {"45": (0.044, 0.34, 0.78), "64": (0.026, 0.10, 0.60), "90": (0.013, 0.05, 0.33)}


def attacked(*words):
    directory = venv.environment("simulate")
    environment = dict(os.environ, NUMBA_CACHE_DIR=cache.path("numba-" + os.path.basename(directory)))
    done = subprocess.run(
        [venv.python(directory), "-m", "tools.lib.sim.attacked", "--policy", "earlier", *words],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=3000,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_outages_of_more_than_28_days_are_found_at_45_days_and_guessing_is_not():
    said = attacked("--life", "45", "--homes", "1000", "--size", "1000")
    assert said["top1"] > 0.03, said
    assert said["classes"]["off over 28 d"][0] > 0.5, said
    assert said["classes"]["off at most 1 d"][0] < 0.005, said
    assert said["certain"] > 0.002 and said["certain_right"] > 0.8, said
    # 500 names beside 500 other homes' addresses: one in 500 is right by chance, more than six once in 100,000 runs.
    assert said["shuffled"][0] * 500 <= 6.5, said


@pytest.mark.full
@pytest.mark.parametrize("life", sorted(TABLE))
def test_the_table_of_the_issue_is_reached_within_the_bound(life):
    said = attacked("--life", life, "--homes", "10000", "--size", "2000")
    every, some, long = TABLE[life]
    assert said["bound"] >= every, said
    assert said["classes"]["off 14-28 d"][1] >= NEARLY * some, said
    assert said["classes"]["off over 28 d"][1] >= long, said
    assert said["classes"]["off at most 1 d"][0] < 0.001, said
    assert said["certain_right"] is None or said["certain_right"] > 0.9, said
