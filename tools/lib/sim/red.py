"""The goals that are known not to hold: a committed list with figure and reason, which `gate --no-worse` compares a run with.

A row is known by its goal, lifetime, world, size, recovery and text. It is no worse when its figure is within the bound on
the list: another seed finds somewhat more or less. A row that fails and is not on the list is worse, whatever its figure.
"""

import json
import os

from tools.lib.say import Stop

_KEY = ("goal", "life", "world", "size", "recovery", "what")


def _failing(data):
    for row in data["rows"]:
        if row["holds"] is False:
            yield {**row, "size": data["size"], "recovery": data["recovery"]}


def _key(row):
    return tuple(row[name] for name in _KEY)


def read(path):
    """The list; empty where there is none."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def worse(data, known):
    """A sentence for each row of a run that is worse than the list says."""
    listed = {_key(row): row for row in known}
    found = []
    for row in _failing(data):
        text = f"{row['goal']}, {row['life']} days, {row['world']}: {row['what']}"
        before = listed.get(_key(row))
        if before is None:
            found.append(
                f"{text} fails, and is not on the list: {row['figure']:.4g}, limit {row['limit']:.4g}"
            )
        elif (
            row["at_least"]
            and row["figure"] < before["worst"]
            or not row["at_least"]
            and row["figure"] > before["worst"]
        ):
            found.append(
                f"{text} is worse: {row['figure']:.4g}, on the list {before['figure']:.4g} ({before['worst']:.4g})"
            )
    return found


def update(path, runs):
    """Write the list anew for these runs: what fails in them is on it, what holds in them is not; the rest stays."""
    listed = {_key(row): row for row in read(path)}
    for data in runs:
        if data["policy"] != "ipcert":
            raise Stop("Only runs of the shipped policy belong on the list.")
        for row in data["rows"]:
            before = listed.pop(_key({**row, "size": data["size"], "recovery": data["recovery"]}), None)
            if row["holds"] is False:
                new = {name: row[name] for name in ("goal", "life", "world", "what", "figure", "limit")}
                new.update(size=data["size"], recovery=data["recovery"], seed=data["seed"])
                new["worst"] = row["figure"] if row["bound"] is None else row["bound"]
                new["reason"] = before["reason"] if before else ""
                listed[_key(new)] = new
    rows = sorted(listed.values(), key=lambda row: [str(row[name]) for name in _KEY])
    with open(path, "w", encoding="utf-8") as file:
        json.dump(rows, file, indent=1)
        file.write("\n")
