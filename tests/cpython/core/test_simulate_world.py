"""The simulator's worlds and lifetimes, home by home: what each part of the world does, and that the kind one did not change."""

import hashlib
import json
import random
import statistics

import pytest

from ipcert import plan
from tools.lib.sim import home, red, world
from tools.lib.sim.world import DAY, HOUR, START

pytestmark = pytest.mark.quick

SEED = 7


def words(number):
    source = random.Random(SEED * 1000003 + number)

    def fill(buf):
        buf[:] = source.randbytes(len(buf))

    return plan.Words(fill, 2048)


@pytest.fixture(scope="module")
def surroundings():
    return world.ca_downtime(SEED, 365), world.regional_outages(SEED, 365)


def one(number, surroundings, kind="kind", life=None, days=365, **more):
    ca, regions = surroundings
    return world.World(SEED, number, days, False, ca, kind=kind, life=life, regions=regions, **more)


def lived(number, surroundings, *rest, **more):
    w = one(number, surroundings, *rest, **more)
    return w, home.run(w, words(number))


def test_the_kind_world_has_not_changed_by_a_second():
    digest = hashlib.sha256()
    ca = world.ca_downtime(SEED, 365)
    for number in range(10):
        w = world.World(SEED, number, 365, number % 2 == 1, ca)
        # The policy may change, the world may not: the outages, changes and ages.
        digest.update(repr((w.outages, w.renumberings, w.age_ip, w.age_name, w.longest())).encode())
    assert digest.hexdigest() == "0d87fc4467ff5c2dfc734963c40d864ed6423aeb01194013beb6be438da9fe78"


def test_a_homes_outages_are_in_every_world():
    ca, regions = world.ca_downtime(SEED, 365), world.regional_outages(SEED, 365)
    for number in range(20):
        kind = one(number, (ca, regions))
        for name in world.WORLDS:
            other = one(number, (ca, regions), name)
            for spans, all_of_it in ((kind.power, other.power), (kind.line, other.line)):
                assert all(any(a <= x and y <= b for a, b in all_of_it) for x, y in spans), (number, name)
                assert all(b < c for (_, b), (c, _) in zip(all_of_it, all_of_it[1:]))


def test_each_part_happens_about_as_often_as_its_rate_says(surroundings):
    n = 600
    homes = [one(number, surroundings, "all") for number in range(n)]
    years = (homes[0].end - homes[0].begin) / world.YEAR
    for found, expected in (
        (sum(w.nights for w in homes), n * world.NIGHTS),
        (sum(w.nightly for w in homes), n * world.NIGHTLY),
        (sum(w.families > 1 for w in homes), n * world.FAMILIES),
        (sum(len(w.resets) for w in homes), n * world.RESETS * years),
        (sum(len(w.lost) for w in homes), n * world.LOST[0] * years),
        (sum(w.enrolled >= START for w in homes), n * 0.181),  # 1 - exp(-0.2)
        (sum(w.died > 0 for w in homes), n * 0.0445),  # a year less what those live later who begin in it
    ):
        assert abs(found - expected) < 4 * expected**0.5, (found, expected)


def test_a_name_lives_as_long_as_the_run_says_and_an_address_160_hours(surroundings):
    for days in (90, 64, 45, 10):
        quiet = dict(life=world.Lifetimes(days * DAY), quiet=True)
        for number in range(3):
            w, log = lived(number, ([], []), **quiet)
            gaps = [(b - a) / DAY for a, b in zip(log.name, log.name[1:])]
            assert gaps and all(0.1 * days < g < 0.95 * days for g in gaps)
            addresses = [(b - a) / HOUR for a, b in zip(log.ip, log.ip[1:])]
            assert 0.1 * 160 < min(addresses) and max(addresses) < 0.95 * 160
            assert not log.lapses


def test_a_ca_may_shorten_the_lifetime_in_the_middle_of_the_record():
    life = world.lifetimes("90:45", 365)
    middle = START + 365 * DAY // 2
    before, after = [], []
    for number in range(6):
        w, log = lived(number, ([], []), life=life, quiet=True)
        assert not log.lapses
        for a, b in zip(log.name, log.name[1:]):
            (before if a < middle else after).append(b - a)
    assert max(after) < 45 * DAY and statistics.mean(before) > 1.6 * statistics.mean(after)


@pytest.mark.parametrize("text", ["0", "", "x", "45:", "90:45:10", "3651", "-4"])
def test_a_lifetime_that_cannot_be_is_refused(text):
    with pytest.raises(ValueError):
        world.lifetimes(text)


def test_a_reset_device_begins_again_as_a_new_one(surroundings):
    found = 0
    for number in range(60):
        w, log = lived(number, surroundings, "resets")
        for at in w.resets:
            if at < START or at > w.end - 20 * DAY or any(at < b < at + 20 * DAY for _, b, _ in w.outages):
                continue
            found += 1
            # The address at once, however young its certificate was; the name within two weeks.
            assert [t for t in log.ip if at <= t < at + 3 * HOUR] or True in (a <= at < b for a, b in w.ca)
            assert [t for t in log.name if at <= t < at + 16 * DAY]
    assert found > 3


def test_nothing_is_issued_while_validation_is_lost_nor_after_a_death_nor_before_a_birth(surroundings):
    lost = born = died = 0
    for number in range(120):
        w, log = lived(number, surroundings, "all")
        for a, b, who in w.lost:
            lost += 1
            for times, mask in ((log.ip, world.ADDRESS), (log.six, world.ADDRESS), (log.name, world.NAME)):
                # An order takes up to 21 seconds.
                assert not who & mask or not [t for t in times if a + 21 < t < b]
        times = log.ip + log.name + log.six
        if w.enrolled >= START:
            born += 1
            assert min(times, default=w.end) >= w.enrolled
        if w.died:
            died += 1
            assert max(times, default=0) < w.died + 22
    assert lost > 50 and born > 10 and died > 1


def test_a_line_that_gets_another_address_every_night_orders_next_to_nothing_for_it(surroundings):
    counts = [
        (w.nightly, len(log.ip), len(log.name))
        for w, log in (lived(number, surroundings, "nightly-renumbering") for number in range(60))
    ]
    assert any(nightly for nightly, _, _ in counts)
    for nightly, addresses, names in counts:
        assert names > 3 and (addresses < 30 if nightly else addresses > 90)


def test_recovery_is_the_owners_choice():
    def waits(recovery):
        found = []
        for number in range(60):
            w = one(number, ([], []), life=world.Lifetimes(name=45 * DAY))
            log = home.run(w, words(number), recovery=recovery)
            found += [
                back - ready for ip, _, ready, _, back, failures, _ in log.lapses if not ip and not failures
            ]
        return found

    # Also where it was switched off during the wait, which then goes on.
    most = 0
    for recovery in (HOUR, DAY, 14 * DAY, 28 * DAY):
        assert most < max(waits(recovery)) < recovery
        most = recovery


# The list of what is known to fail.


def run(figure, holds=False, **more):
    row = dict(
        goal="G3", life="45", world="kind", what="top-1", figure=figure, bound=figure * 1.2, limit=0.01
    )
    row.update(holds=holds, at_least=False, **more)
    return dict(rows=[row], size="full", recovery="balanced", policy="ipcert", seed=1)


def test_a_known_failure_is_no_worse_until_it_leaves_the_bound_that_was_written_down(tmp_path):
    path = str(tmp_path / "red.json")
    assert red.read(path) == [] and len(red.worse(run(0.03), [])) == 1
    red.update(path, [run(0.03)])
    known = red.read(path)
    assert [row["figure"] for row in known] == [0.03] and red.worse(run(0.035), known) == []
    assert "is worse" in red.worse(run(0.037), known)[0]
    assert "not on the list" in red.worse(run(0.03, life="64"), known)[0]
    assert red.worse(run(0.5, holds=True), known) == []


def test_the_list_keeps_its_reasons_and_loses_what_holds(tmp_path):
    path = str(tmp_path / "red.json")
    red.update(path, [run(0.03), run(0.02, world="all")])
    known = red.read(path)
    for row in known:
        row["reason"] = "both fall silent"
    (tmp_path / "red.json").write_text(json.dumps(known))
    red.update(path, [run(0.028), run(0.009, holds=True, world="all")])
    assert [(row["world"], row["figure"], row["reason"]) for row in red.read(path)] == [
        ("kind", 0.028, "both fall silent")
    ]
