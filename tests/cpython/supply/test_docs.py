"""The documents hold together: generated pages are fresh, and every relative link leads to a file and a heading."""

import glob
import os
import re
import subprocess
import sys

import pytest
from project_files import PYTHON

pytestmark = pytest.mark.quick

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PAGES = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"]
for pattern in ("docs/*.md", "boards/**/README.md", "ports/**/README.md", "tests/interop/*.md"):
    found = glob.glob(os.path.join(ROOT, pattern), recursive=True)
    PAGES += sorted(os.path.relpath(path, ROOT) for path in found)
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def text(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        return file.read()


def anchors(page):
    """What a link to `page` may name after `#`: its own anchors, and its headings as GitHub turns them into anchors."""
    prose = _FENCE.sub("", text(page))
    found = set(re.findall(r'<a id="([^"]+)"', prose))
    for heading in re.findall(r"^#+ +(.+?) *$", prose, re.M):
        heading = re.sub(r"<[^>]*>|\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number, unique = 0, slug
        while unique in found:
            number += 1
            unique = "%s-%d" % (slug, number)
        found.add(unique)
    return found


def broken(page):
    """The relative links of `page` that lead nowhere."""
    out = []
    for target in _LINK.findall(_FENCE.sub("", text(page))):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if not os.path.exists(os.path.join(ROOT, path)):
            out.append(target)
        elif anchor and anchor not in anchors(path):
            out.append(target)
    return out


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_to_a_file_and_an_anchor(page):
    assert broken(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path, monkeypatch):
    (tmp_path / "a.md").write_text(
        '# One `two`\n<a id="p1"></a>\n[x](b.md) [y](#one-two) [z](#p1) [w](#p2)\n'
    )
    monkeypatch.setattr(sys.modules[__name__], "ROOT", str(tmp_path))
    assert broken("a.md") == ["b.md", "#p2"]


@pytest.mark.parametrize("command", ["docs", "states"])
def test_a_generated_page_is_fresh(command):
    """Where it is not: run tools/docs or tools/states and commit what it writes."""
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "tools", command), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_every_rule_and_every_goal_of_the_privacy_policy_can_be_linked_to():
    wanted = {"p%d" % n for n in range(1, 15)} | {"g%d" % n for n in range(7)}
    assert wanted <= anchors("docs/privacy.md")


def test_every_rule_that_code_cites_is_a_link_that_leads_to_it():
    """In the core and the ports a rule is cited as docs/privacy.md#p5, elsewhere also as P5."""
    known = anchors("docs/privacy.md")
    links = re.compile(r"docs/privacy\.md((?: to | and |, )?#[pg]\d+)+")
    cited = 0
    for name in PYTHON:
        words = text(name)
        found = [number for link in links.finditer(words) for number in re.findall(r"#([pg]\d+)", link[0])]
        bare = re.findall(r"(?<![\w#-])P\d{1,2}\b", links.sub("", words))
        if name.startswith(("ipcert/", "ports/")):
            assert bare == [], f"{name} cites {bare}: write docs/privacy.md#p..."
        for number in found + [one.lower() for one in bare]:
            assert number in known, f"{name} cites {number}"
            cited += 1
    assert cited > 40


def test_every_notice_has_its_row_in_the_integration_page():
    from ipcert import notices

    page = text("docs/integration.md")
    for number in range(len(notices.CODES)):
        row = "| `%s` | %s |" % (notices.code(number), notices.SEVERITY[notices.severity(number)])
        assert row in page, row
