"""Power cuts at every change of a simulated medium and around every request; the journal damaged bit by bit.

`tools/test faults` runs the same campaigns with more outcomes for each cut.
"""

import base64
import hashlib
import json
import os

import pytest

from ipcert import limits
from ipcert.errors import LocalError, RemoteError
from ipcert.journal import NEWER, TORN, VERSION, WHOLE, Journal, Slots, Text
from ipcert.keys import Ring
from tools.lib import cache
from tools.lib.faults import ca, disk, power
from tools.lib.faults.home import ID, START, Counter, Home, Port


@pytest.mark.parametrize("kind", disk.KINDS)
def test_power_cuts_lose_nothing(kind):
    counts = power.Campaign(kind, 1, 1).live()
    print("%s: %d cuts, %d boots" % (kind, counts.cuts, counts.boots))
    assert counts.lost == []
    assert counts.cuts > 500 and counts.boots > 100


@pytest.mark.parametrize("kind", disk.KINDS)
@pytest.mark.parametrize("number", [disk.FULL, disk.READ_ONLY])
def test_a_full_or_read_only_medium_stops_it_and_loses_nothing(kind, number):
    counts = power.Full(kind, number, 11).live()
    assert counts.lost == [] and counts.full > 5


def lived(**options):
    """A home with certificates, two journal slots and a key ring that is in use."""
    home = Home(disk.Disk(), ca.CA({}), [power.NAME, power.ADDRESS], **options)
    home.run(START + 10 * limits.DAY)
    return home


def loaded(files):
    """(journal, found) from the two slots in `files`."""
    journal = Journal(Ring(), Port.sha256)
    return journal, Slots(journal).load(files.get)


def test_a_bit_flip_anywhere_is_noticed_and_the_other_slot_serves():
    files = lived().disk.files()
    newest, found = loaded(files)
    assert found
    seq = newest.sequence
    a, b = Slots.NAMES
    newer = a if loaded({a: files[a]})[0].sequence == seq else b
    for at in range(len(files[newer])):
        for bit in (1, 128):
            data = bytearray(files[newer])
            data[at] ^= bit
            journal, found = loaded({**files, newer: bytes(data)})
            assert found and journal.sequence == seq - 1, at
    for length in range(len(files[newer])):
        journal, found = loaded({**files, newer: files[newer][:length]})
        assert found and journal.sequence == seq - 1, length


def test_two_damaged_slots_are_refused_and_left_alone():
    home = lived()
    for name in Slots.NAMES:
        home.disk.names[name].live[40] ^= 4
    before = home.disk.files()
    with pytest.raises(LocalError) as e:
        Home(home.disk, home.ca, [power.NAME, power.ADDRESS], home.now + 60)
    assert e.value.code == "journal-corrupt" and "reset" in str(e.value)
    assert home.disk.files() == before


def test_a_newer_journal_is_refused_untouched():
    home = lived()
    for name in Slots.NAMES:
        data = home.disk.names[name].live
        data[4] = VERSION + 1
        end = len(data) - 8
        data[end:] = hashlib.sha256(bytes(data[:end])).digest()[:8]
        journal = Journal(Ring(), Port.sha256)
        assert journal.check(data, len(data)) == NEWER
    before = home.disk.files()
    with pytest.raises(LocalError) as e:
        Home(home.disk, home.ca, [power.NAME, power.ADDRESS], home.now + 60)
    assert e.value.code == "journal-newer" and home.disk.files() == before


# What version 1 did not know, and what its absence means.
NEW_IN_2 = {
    "account_role": 0,
    "other_account_file_id": 0,
    "other_account_url": "",
    "other_account_key_hash": "0" * 16,
}
JOURNAL = ("sequence", "clock_floor", "last_file_id", "account_file_id", "account_url", "account_key_hash")


def told(owner, name):
    """A field of the journal or of a record as the vectors have it: texts as str, hashes in hex."""
    value = getattr(owner, name)
    if isinstance(value, Text):
        return value.text()
    return value.hex() if isinstance(value, bytearray) else value


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_state_that_an_older_version_wrote_opens_and_goes_on(version):
    """The files are as that version of the journal left them; nothing in it is made by today's code."""
    with open(os.path.join(cache.ROOT, "tests", "vectors", "state-%d.json" % version)) as file:
        old = json.load(file)
    options = old.get("options", {})
    files = {name: base64.b64decode(data) for name, data in old["files"].items()}
    assert files["journal-a"][4] == files["journal-b"][4] == version
    there = ca.CA({})
    home = Home(disk.Disk(files=files), there, old["identifiers"], old["now"] + 60, **options)
    journal = home.device.journal
    for name in JOURNAL:
        assert told(journal, name) == old[name], name
    for name, missing in NEW_IN_2.items():
        assert told(journal, name) == old.get(name, missing), name
    assert journal.ring.data.hex() == old["ring"] and journal.ring.next == old["ring_next"]
    for r, was in zip(home.records, old["records"]):
        assert was == {name: told(r, name) for name in was}
    assert len(home.records) == len(old["records"]) == 2
    # It goes on: nothing is ordered before its time, and the plan is kept to.
    due = min(was["planned_at"] for was in old["records"])
    home.run(due - 1)
    assert not there.orders and set(home.deployed) == set(old["identifiers"])
    home.run(due + limits.DAY)
    assert len(there.orders) == home.device.issued == 1  # by a new account: this CA never knew the old one
    assert {data[4] for name, data in home.disk.files().items() if name in Slots.NAMES} == {VERSION}


def test_what_the_check_says_of_every_length():
    data = lived().disk.files()["journal-a"]
    journal = Journal(Ring(), Port.sha256)
    assert journal.check(data, len(data)) == WHOLE
    for n in range(len(data)):
        assert journal.check(data[:n], n) == TORN


def test_state_of_another_device_is_noticed_and_not_used():
    home = lived()
    before = home.disk.files()
    with pytest.raises(LocalError) as e:
        Home(home.disk, home.ca, [power.NAME], home.now, port=lambda store: Port(store, number=b"device-2"))
    assert e.value.code == "cloned" and home.disk.files() == before
    orders = len(home.ca.orders)
    Home(
        home.disk, home.ca, [power.NAME, power.ADDRESS], home.now, port=lambda store: Port(store, number=ID)
    ).run()
    assert len(home.ca.orders) == orders


def counted(counter):
    """A port with that monotonic counter."""
    return lambda store: Port(store, counter=counter)


def test_a_flash_that_is_rolled_back_is_noticed_where_the_port_has_a_counter():
    counter = Counter()
    home = lived(port=counted(counter))
    old = home.disk.files()
    assert counter.value == home.device.journal.sequence > 0
    home.run(home.now + 10 * limits.DAY)
    again = disk.Disk(home.disk.kind, old)
    orders = len(home.ca.orders)
    with pytest.raises(LocalError) as e:
        Home(again, home.ca, [power.NAME, power.ADDRESS], home.now, port=counted(counter))
    assert e.value.code == "rolled-back" and again.files() == old and len(home.ca.orders) == orders
    # The state as it is goes on, also where its newest slot was lost; and so does a device that was reset.
    newest = max(Slots.NAMES, key=lambda name: loaded({name: home.disk.files()[name]})[0].sequence)
    one = {name: data for name, data in home.disk.files().items() if name != newest}
    for files in (home.disk.files(), one, {}):
        living = Home(
            disk.Disk(home.disk.kind, files),
            home.ca,
            [power.NAME],
            home.now,
            port=counted(Counter(counter.value)),
        )
        living.run(home.now + limits.DAY)
        assert living.device.last_error is None and living.device.journal.sequence > counter.value


def test_a_cut_between_the_journal_and_the_counter_is_no_rollback():
    counter = Counter()
    moments = []

    def watch(stage, it):
        if stage == "written":
            moments.append((home.disk.files(), counter.value, home.now))

    home = Home(disk.Disk(), ca.CA({}), [power.ADDRESS], port=counted(counter))
    home.watch = watch
    home.run(START + 5 * limits.DAY)
    assert len(moments) > 10
    for files, value, now in moments:
        Home(disk.Disk(home.disk.kind, files), home.ca, [power.ADDRESS], now, port=counted(Counter(value)))


def test_a_rollover_that_fails_keeps_both_keys_where_they_belong():
    home = lived()
    journal = home.device.journal
    gen, orders = journal.account_file_id, len(home.ca.orders)
    accounts = dict(home.ca.accounts)

    home.before = lambda it: RemoteError("network", "gone") if "keyChange" in it.url else None
    home.device.event("account", "rollover")
    home.run()
    assert home.device.last_error.code == "network" and home.ca.accounts == accounts
    assert journal.account_file_id == gen and journal.pending_account_file_id
    # The CA never saw the new key: the old one goes on, and the new one is erased.
    home.before = None
    home.device.last_error = None
    home.device.event("renew", power.ADDRESS)
    home.run()
    assert home.device.last_error is None and len(home.ca.orders) == orders + 1
    assert journal.account_file_id == gen and not journal.pending_account_file_id
    assert [name for name in home.disk.files() if name.startswith("account-")] == ["account-%d" % gen]

    # The CA took the new key and its answer was lost: the new one goes on, and the old one is erased.
    home.after = lambda it, answer: RemoteError("network", "gone") if "keyChange" in it.url else answer
    home.device.event("account", "rollover")
    home.run()
    assert home.ca.accounts != accounts
    home.after = None
    home.device.last_error = None
    home.device.event("renew", power.ADDRESS)
    home.run()
    assert home.device.last_error is None and len(home.ca.accounts) == 1 and home.ca.broken == []
    assert journal.account_file_id > gen and not journal.pending_account_file_id
    assert [n for n in home.disk.files() if n.startswith("account-")] == [
        "account-%d" % journal.account_file_id
    ]
