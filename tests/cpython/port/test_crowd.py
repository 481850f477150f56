"""What `ipcert plan` says about the crowd: words for people, figures that were measured."""

import os

import pytest
from home import Home

from ipcert_port.cli import anonymity

pytestmark = pytest.mark.quick

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
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
    assert "among 1,000 homes" in text
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


def test_the_figures_are_those_that_the_privacy_page_has():
    with open(os.path.join(ROOT, "docs", "privacy.md")) as file:
        page = file.read()
    table = page[page.index("| the present policy, lifetime of names |") :].split("\n\n")[0]
    bounds = {
        line.split("|")[1].strip(): line.split("|")[-2].split("(")[1].rstrip(") ")
        for line in table.splitlines()[2:]
    }
    assert bounds["90 days"] == str(anonymity.WEEKS_IN_100) and bounds["45 days"] == str(
        anonymity.WEEKS_IN_100_SOON
    )
