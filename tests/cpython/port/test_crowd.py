"""What `ipcert plan` says about the crowd: words for people, figures that were measured."""

import json
import os

import pytest
from home import Home

from ipcert_port.cli import anonymity
from tools.lib.sim import figures

pytestmark = pytest.mark.quick

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
FIGURES = os.path.join(ROOT, "tools", "simulate-figures.json")
NAME = "nas.janet.example"


@pytest.fixture
def home(tmp_path):
    one = Home(tmp_path, None, [NAME], ["127.0.0.1"])
    one.wish("ca", directory="https://127.0.0.1:9/dir")
    return one


def told(home):
    lines = home.json("plan")["crowd"]
    text = home.run("plan").stdout
    assert "The crowd in which you hide:" in text and all(line in text for line in lines)
    return " ".join(lines)


def test_an_owner_reads_how_many_there_are(home):
    text = told(home)
    assert "14 days: about 14 if one home a day starts, about 1,400 if a hundred do." in text
    assert (
        "among 10,000" in text
        and "guessing finds 0.01" in text
        and "off for more than 28 days in a row: " in text
    )
    for word in ("bit", "AUC", "likelihood", "jitter", "lineage", "SAN"):
        assert word not in text.split()


def test_the_settings_change_the_crowd(home):
    home.wish("policy", first_delay="2h")
    assert "next to none" in told(home)
    home.wish("policy", first_delay="7d", strict_ari=True)
    text = told(home)
    assert "7 days: about 7 " in text and "strict_ari makes it smaller" in text
    home.wish("fleet", devices_per_week=70)
    assert "about 70 with the 70 devices a week" in told(home)
    home.wish("identifiers", combined=True)
    assert "There is no crowd" in told(home)


def test_nothing_to_match(home):
    home.wish("identifiers", names=[])
    assert "nothing to match" in told(home)


def test_the_figures_are_those_that_were_measured():
    with open(FIGURES) as file:
        reports = {(one["world"], one["life"]): one for one in json.load(file)}
    assert {life for world, life in reports if world == "kind"} == {str(days) for days in anonymity.BOUNDS}
    for days, bounds in anonymity.BOUNDS.items():
        report = reports["kind", str(days)]
        assert report["size"] == anonymity.AMONG and report["policy"] == "ipcert"
        assert bounds == tuple(round(100 * report["classes"][key][1], 2) for key in anonymity.KEYS)


def test_the_lifetime_in_force_decides_which_figures_are_told():
    found = {}
    for days in (90, 64, 45, 200, 7):
        line = [one for one in anonymity._later(days * 86400, 14 * 86400) if "more than 28 days" in one][0]
        found[days] = float(line.split(": ")[1])
    assert [found[days] for days in (90, 64, 45)] == [
        pytest.approx(anonymity.BOUNDS[days][-1], rel=0.05) for days in (90, 64, 45)
    ]
    assert found[200] == found[90] and found[7] == found[45]


def test_the_tables_on_the_pages_are_those_of_the_figures():
    with open(FIGURES) as file:
        reports = json.load(file)
    for page, advice in (("README.md", True), (os.path.join("docs", "privacy.md"), False)):
        with open(os.path.join(ROOT, page)) as file:
            assert "\n".join(figures.table(reports, advice)) in file.read(), page
