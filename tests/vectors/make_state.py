"""Writes state-N.json: the files that a home leaves under the journal's version N, and what a later version must read there.

    PYTHONPATH=. python3 tests/vectors/make_state.py

Run it once, with the code of a release that has a new version; the file is never made again. Keys in it belong to nobody.
"""

import base64
import json
import os

from ipcert import journal, presence
from tools.lib.faults import ca, disk
from tools.lib.faults.home import START, Home

HERE = os.path.dirname(os.path.abspath(__file__))
IDENTIFIERS = ["nas.janet.example", "203.0.113.7"]
OPTIONS = {"accounturi": True}  # two accounts
DAY = 86400
RECORD = (
    "identifiers_text",
    "planned_at",
    "window_start",
    "window_end",
    "reason",
    "not_before",
    "not_after",
    "file_id",
    "created_at",
    "wanted_at",
    "presence",
    "doubted_at",
    "doubt_answers",
    "ari_window_end",
    "ask_window_at",
    "certificate_role",
    "order_role",
    "key_hash",
    "profile",
    "ari_id",
)
JOURNAL = (
    "sequence",
    "clock_floor",
    "last_file_id",
    "account_file_id",
    "other_account_file_id",
    "account_role",
    "account_url",
    "account_key_hash",
    "other_account_url",
    "other_account_key_hash",
)


def fields(owner, names):
    """What the journal or a record must still say: numbers as they are, texts as str, hashes in hex."""
    out = {}
    for name in names:
        value = getattr(owner, name)
        if isinstance(value, journal.Text):
            value = value.text()
        out[name] = value.hex() if isinstance(value, bytearray) else value
    return out


def state(home):
    """The whole vector of a home at rest."""
    ring = home.device.journal.ring
    return {
        "made_by": "the code of journal version %d: two lineages, two accounts, an address that is doubted, eleven days in"
        % journal.VERSION,
        "identifiers": IDENTIFIERS,
        "options": OPTIONS,
        "now": home.now,
        **fields(home.device.journal, JOURNAL),
        "ring": ring.data.hex(),
        "ring_next": ring.next,
        "records": [fields(r, RECORD) for r in home.records],
        "files": {name: base64.b64encode(data).decode() for name, data in sorted(home.disk.files().items())},
    }


def doubt(home):
    """Have a router say another address for some hours: what version 3 can say besides."""
    for _ in range(3):
        home.now += 3600
        presence.missing(home.record(IDENTIFIERS[1]), home.now, presence.ANSWERED)
        home.device.storage.changed = True
        home.device.done(home.device.next(home.now).number)  # as an event ends a wait
        home.run(home.now)


def main():
    path = os.path.join(HERE, "state-%d.json" % journal.VERSION)
    if os.path.exists(path):
        raise SystemExit("%s is there already; it stands for what that version wrote." % path)
    home = Home(disk.Disk(), ca.CA({}), IDENTIFIERS, **OPTIONS)
    home.run(START + 11 * DAY)
    doubt(home)
    with open(path, "w") as file:
        json.dump(state(home), file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
