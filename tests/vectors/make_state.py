"""Writes state-N.json: the files that a home leaves under the journal's version N, and what a later version must read there.

    PYTHONPATH=. python3 tests/vectors/make_state.py

Run it once, with the code of a release that has a new version; the file is never made again. Keys in it belong to nobody.
"""

import base64
import json
import os

from ipcert import journal
from tools.lib.faults import ca, disk
from tools.lib.faults.home import START, Home

HERE = os.path.dirname(os.path.abspath(__file__))
IDENTIFIERS = ["nas.janet.example", "203.0.113.7"]
OPTIONS = {"accounturi": True}  # two accounts
DAY = 86400
INTEGERS = (
    "at",
    "lo",
    "hi",
    "why",
    "not_before",
    "not_after",
    "gen",
    "since",
    "window_end",
    "poll_at",
    "account",
)


def record(r):
    """What one lineage's record must still say."""
    found = {"ids": r.ids.text(), **{name: getattr(r, name) for name in INTEGERS}}
    return {**found, "key_hash": r.key_hash.hex(), "profile": r.profile.text(), "ari": r.ari.text()}


def state(home):
    """The whole vector of a home at rest."""
    j = home.device.journal
    numbers = ("seq", "floor", "generation", "account_gen", "other_gen", "role")
    return {
        "made_by": "the code of journal version %d: two lineages, two accounts, eleven days in"
        % journal.VERSION,
        "identifiers": IDENTIFIERS,
        "options": OPTIONS,
        "now": home.now,
        **{name: getattr(j, name) for name in numbers},
        "account": j.account.text(),
        "account_hash": j.account_hash.hex(),
        "other": j.other.text(),
        "other_hash": j.other_hash.hex(),
        "ring": j.ring.data.hex(),
        "ring_next": j.ring.next,
        "records": [record(r) for r in home.records],
        "files": {name: base64.b64encode(data).decode() for name, data in sorted(home.disk.files().items())},
    }


def main():
    path = os.path.join(HERE, "state-%d.json" % journal.VERSION)
    if os.path.exists(path):
        raise SystemExit("%s is there already; it stands for what that version wrote." % path)
    home = Home(disk.Disk(), ca.CA({}), IDENTIFIERS, **OPTIONS)
    home.run(START + 11 * DAY)
    with open(path, "w") as file:
        json.dump(state(home), file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
