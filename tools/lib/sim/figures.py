"""The tables of README.md and docs/privacy.md, made from what tools/lib/sim/attacked.py measured.

    python tools/lib/sim/figures.py tools/simulate-figures.json [--advice]

prints one; --advice: the README's, with what an owner can do. Needs nothing but Python. A cell is the share of homes that
were found, in percent, and its one-sided 95 % bound; it is bold where the bound misses a limit of G3 or G6.
"""

import json
import sys

LIVES = ("90", "64", "45")
WORLDS = ("kind", "all")

# Of attacked's report: key, for people, what an owner can do, and G3's or G6's limit in the worlds kind and all.
ROWS = (
    ("none of these", "never off for a day, nor anything below", "nothing is needed", (0.1, 0.1)),
    ("all", "all", "", (0.01, 0.02)),
    ("off 1-7 d", "off for 1 to 7 days in a row", "nothing is needed", (0.1, 0.1)),
    ("off 7-14 d", "off for 7 to 14 days in a row", "leave the device on", (0.1, 0.1)),
    ("off 14-28 d", "off for 14 to 28 days in a row", 'the same; set `recovery = "private"`', (0.1, 0.1)),
    ("off over 28 d", "off for more than 28 days in a row", "the same", (0.2, 0.2)),
    ("name lapsed", "the name's certificate expired", "the same", (0.1, 0.1)),
    ("off at night", "switched off at night", "leave the device on", (0.1, 0.1)),
    (
        "validation lost over 14 d",
        "validation lost for more than 14 days",
        "mend the port forwarding soon",
        (0.1, 0.1),
    ),
    ("reset", "reset or replaced", "leave `first_delay` at 14 days", (0.1, 0.1)),
    ("begun", "began within the year", "the same", None),
    ("died", "the device died", "nothing", None),
)
LEAST = 40  # homes: of fewer a bound says nothing


def cell(report, key, limit):
    """The text of one cell; "" where there are too few such homes."""
    if key == "all":
        share, bound, homes = report["top1"], report["bound"], report["homes"]
    else:
        share, bound, homes = report["classes"].get(key, (0, 0, 0))
    if homes < LEAST:
        return ""
    text = f"{_percent(share)} % ({_percent(bound)})"
    return f"**{text}**" if limit is not None and bound > limit else text


def _percent(share):
    return f"{100 * share:.2g}" if share < 0.1 else f"{100 * share:.0f}"


def table(reports, advice=False):
    """Lines of Markdown. reports: a list of attacked's, each with life and world."""
    found = {(one["world"], one["life"]): one for one in reports}
    head = [f"{life} days" for life in LIVES] + [f"{life} days, less kind" for life in LIVES]
    yield "| homes | guessing | " + " | ".join(head + ["what an owner can do"] * advice) + " |"
    yield "|---|" + "---:|" * (1 + len(head)) + "---|" * advice
    for key, text, what, limits in ROWS:
        cells = [
            cell(found[kind, life], key, limits and limits[kind != "kind"])
            if (kind, life) in found and (kind == "all" or key not in _UNKIND)
            else ""
            for kind in WORLDS
            for life in LIVES
        ]
        guessing = f"{100 / reports[0]['size']:.2g} %"
        yield f"| {text} | {guessing} | " + " | ".join(cells + [what] * advice) + " |"


_UNKIND = ("off at night", "validation lost over 14 d", "reset", "begun", "died")


def main(arguments):
    """Print the table."""
    with open(arguments[0], encoding="utf-8") as file:
        reports = json.load(file)
    print("\n".join(table(reports, "--advice" in arguments)))


if __name__ == "__main__":
    main(sys.argv[1:])
