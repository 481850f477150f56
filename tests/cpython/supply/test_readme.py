"""What the documents name is there: tests, files and commands."""

import os
import re

import pytest

pytestmark = pytest.mark.quick

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "boards/README.md", "ports/README.md"]
DOCUMENTS += sorted("docs/" + name for name in os.listdir(os.path.join(ROOT, "docs")))


def _text(name):
    path = os.path.join(ROOT, name)
    if not os.path.exists(path):
        return ""
    with open(path) as file:
        return file.read()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_test_that_is_named_exists(document):
    for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", _text(document)):
        assert re.search(r"def %s\(" % name, _text(path)), "%s names %s::%s" % (document, path, name)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_exists(document):
    for path in re.findall(r"`((?:ipcert|ports|boards|tests|tools)/[\w./-]+)`", _text(document)):
        assert os.path.exists(os.path.join(ROOT, path)), "%s names %s" % (document, path)


def test_every_command_that_the_owners_page_shows_is_one():
    from ipcert_port.cli import commands

    shown = re.findall(r"^    (ipcert [^#\n]+)", _text("docs/nas.md"), re.M)
    assert len(shown) > 15
    for line in shown:
        assert commands._parse(line.split()[1:]).command == line.split()[1], line
    text = " ".join(shown)
    for word in (
        "--profile",
        "--challenge",
        "--preferred-chain",
        "--reason",
        "--by-key",
        "rollover",
        "recover",
    ):
        assert word in text


def test_the_readme_has_its_two_commands_and_the_seven_recommendations():
    text = _text("README.md")
    assert "./tools/demo" in text and "./tools/test" in text
    table = text.split("## What Let's Encrypt asks")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 7 and all("tests/" in row for row in rows)
