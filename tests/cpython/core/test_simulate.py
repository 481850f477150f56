"""The gate holds for the shipped policy, and fails for every other one: tools/simulate run as anybody would run it."""

import json
import os
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
TOOL = os.path.join(ROOT, "tools", "simulate")
RESULT = os.path.join(ROOT, "tools", "simulate-result.json")

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="the simulator's libraries need Python 3.11"
)


def simulate(*words):
    return subprocess.run([sys.executable, TOOL, *words], capture_output=True, text=True, timeout=1500)


@pytest.fixture(scope="module", autouse=True)
def environment():
    done = simulate("setup")
    assert done.returncode == 0, done.stderr


def gate(*words):
    done = simulate("gate", "--json", *words)
    assert done.returncode in (0, 1) and done.stdout, done.stderr
    data = json.loads(done.stdout)
    assert data["holds"] == (done.returncode == 0)
    return data


def broken(data, goal):
    """The rows of a goal that fail not only by their bound but by the figure itself."""
    return [
        r["what"]
        for r in data["rows"]
        if r["goal"] == goal and r["holds"] is False and r["figure"] > r["limit"] and not r["at_least"]
    ]


@pytest.mark.slow(200)
def test_the_small_gate_holds(tmp_path):
    page = tmp_path / "report.html"
    data = gate("--small", "--html", str(page))
    failed = [(r["what"], r["figure"], r["bound"], r["limit"]) for r in data["rows"] if r["holds"] is False]
    assert data["holds"], failed
    assert sorted(data["goals"]) == ["G1", "G2", "G3", "G4", "G5"]
    for goal in data["goals"]:
        assert [r for r in data["rows"] if r["goal"] == goal and r["holds"]]
    text = page.read_text()
    assert text.count("<svg") >= 8 and "http" not in text.replace("http://www.w3.org", "")


@pytest.mark.parametrize("policy", ["certbot", "cron", "tick", "predictable", "redraw"])
def test_a_bad_policy_fails_among_ordinary_homes(policy):
    data = gate("--tiny", "--only", "g2", "--policy", policy)
    assert not data["holds"] and broken(data, "G2")


def test_as_few_homes_show_nothing_wrong_with_the_shipped_policy():
    assert broken(gate("--tiny", "--only", "g2"), "G2") == []


@pytest.mark.full
@pytest.mark.parametrize("policy", ["certbot", "cron", "tick", "predictable", "redraw"])
def test_a_bad_policy_fails_by_a_wide_margin_among_more_homes(policy):
    data = gate("--quick", "--only", "g2", "--policy", policy)
    assert not data["holds"] and broken(data, "G2")


def test_renewing_at_boot_fails_after_long_outages():
    data = gate("--quick", "--only", "g3", "--policy", "ari")
    assert not data["holds"] and broken(data, "G3")


def test_the_same_quick_gate_lets_the_shipped_policy_pass():
    data = gate("--quick", "--only", "g2,g3")
    assert data["holds"], [r for r in data["rows"] if r["holds"] is False]


def test_the_log_is_what_the_world_sees(tmp_path):
    out = tmp_path / "log.tsv"
    assert simulate("log", "--homes", "20", "--days", "60", "--dynamic", "--out", str(out)).returncode == 0
    lines = [line.split("\t") for line in out.read_text().splitlines()]
    assert lines[0] == ["core_seconds", "kind", "identifier"]
    times = [int(line[0]) for line in lines[1:]]
    assert times == sorted(times) and len(times) > 20 * 15
    assert {line[1] for line in lines[1:]} == {"ip", "dns"}
    again = tmp_path / "again.tsv"
    simulate("log", "--homes", "20", "--days", "60", "--dynamic", "--out", str(again))
    assert again.read_bytes() == out.read_bytes()


def test_the_committed_result_is_a_full_run_that_says_how_to_repeat_it():
    with open(RESULT) as file:
        data = json.load(file)
    assert data["size"] == "full" and data["policy"] == "ipcert" and data["complete"]
    assert data["command"].startswith("tools/simulate gate") and str(data["seed"]) in data["command"]
    assert {r["goal"] for r in data["rows"]} == {"G1", "G2", "G3", "G4", "G5"}
    done = simulate("report", RESULT, "--html", os.devnull)
    assert done.returncode == 0 and "G2 Ordinary homes" in done.stdout


def test_a_goal_that_does_not_exist_is_refused():
    done = simulate("gate", "--only", "g9")
    assert done.returncode == 2 and "g9" in done.stderr and "Traceback" not in done.stderr
