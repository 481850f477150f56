"""`tools/board BOARD powercut`: power is cut in the middle of chosen flash writes of issuance and renewal.

Each cut starts from the same freshly set-up hub: it issues two certificates and renews both, and goes off during write
number N of that. It is switched on again and has to come to the same end by itself.
"""

import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from tools.lib.board import console, firmware, outcome, qemu
from tools.lib.board import flash as board_flash
from tools.lib.board.ca import HubPebble
from tools.lib.board.console import KINDS
from tools.lib.board.demo import ADDRESS, NAME, visit

COMPRESS = 1209600  # 14 days become 1 second
_ORDERS = 4  # of a run without a cut: two certificates, each renewed once
_SECONDS = 240  # for one hub to come to its end
_NEVER = "that write never came"


def kind(write):
    """What a write of the flash's log was for, in words."""
    mark, erase, _ = write
    name = KINDS[mark - 1].rstrip("-") if mark else "other"
    if name == "erase":
        name = "erase a file"
    return f"{name} ({'block erase' if erase else 'program'})"


def choose(kinds, count):
    """`count` positions (from 1) spread over every kind: each kind in turn gives its next, evenly spaced ones."""
    where = {}
    for position, name in enumerate(kinds, 1):
        where.setdefault(name, []).append(position)
    share = {name: 0 for name in where}
    left = min(count, len(kinds))
    while left:
        for name in sorted(where, key=lambda n: share[n] / len(where[n])):
            if left and share[name] < len(where[name]):
                share[name] += 1
                left -= 1
                break
    chosen = []
    for name, number in share.items():
        spots = where[name]
        chosen += [spots[(2 * k + 1) * len(spots) // (2 * number)] for k in range(number)]
    return sorted(chosen)


class Job:
    """Two certificates, then both renewed, over as many boots as it takes. `hub` is a console.Console."""

    def __init__(self, hub, ca):
        self.hub, self.ca = hub, ca
        self.before = len(ca.issued())
        self.orders = ca.new_orders()
        self.asked = set()

    def _issued(self, ids):
        return [one for one in self.ca.issued()[self.before :] if outcome.names(one) == [ids]]

    def finish(self):
        """Runs until both are renewed. Raises HubError when the hub goes off or takes too long."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            state = self.hub.value(
                "[device.activity, [[r.identifiers_text.text(), r.file_id, r.planned_at - hub.now()] for r in device.journal.records()]]"
            )
            activity, records = state
            idle = activity == 0 and all(due > 0 for _, _, due in records)
            live = {ids for ids, gen, _ in records if gen}
            if idle and live == {ADDRESS, NAME}:
                missing = [ids for ids in (ADDRESS, NAME) if not self._renewed(ids)]
                if not missing:
                    return
                self.hub.ask(f"hub.event('renew', {missing[0]!r})")
            time.sleep(0.4)
        raise qemu.HubError("the hub did not finish; " + self.hub._tail())

    def _renewed(self, ids):
        """True when what is served for an identifier is not the first certificate that the CA issued for it."""
        seen = visit(self.hub.forwards[443], self.ca.root(), None if ids == ADDRESS else ids, ids)
        issued = self._issued(ids)
        return not isinstance(seen, str) and seen[0] in issued[1:]

    def extra_orders(self):
        return self.ca.new_orders() - self.orders - _ORDERS


def _one(image, folder, ca, forwards, cut):
    """One hub whose power is cut at a write (0: not at all): (writes it took, extra orders, what is wrong or None)."""
    flash = folder / "flash"
    shutil.copyfile(folder / "fresh", flash)
    boot = {"main": "off"}
    start = board_flash.counters(flash)["writes"]
    with console.Console(image, flash, forwards=forwards, boot=boot) as hub:
        job = Job(hub, ca)
        try:
            hub.run(cut)
            try:
                job.finish()
                if cut:
                    return [], 0, _NEVER
            except qemu.HubError:
                if hub.process.poll() is None and board_flash.counters(flash)["cuts"] == 0:
                    raise
                hub.wait()
                hub.start()
                hub.run()
                job.finish()
            files = hub.value("files.names()")
            wrong = _leftovers(files)
        except qemu.HubError as error:
            wrong = str(error)[-700:]
        extra = job.extra_orders()
    if wrong is None and extra > 1:
        wrong = f"the CA saw {extra} orders more"
    if wrong is None and board_flash.counters(flash)["refused"]:
        wrong = "the file system programmed without an erase"
    return board_flash.writes(flash)[start:], extra, wrong


def _leftovers(files):
    """A sentence when old keys or chains stayed behind, else None."""
    for start, most in (("account-", 1), ("key-", 2), ("chain-", 2)):
        found = [name for name in files if name.startswith(start)]
        if len(found) != most:
            return f"{len(found)} files {start}*, not {most}: {', '.join(files)}"
    return None


def job(name, count, say):
    """Cuts at `count` writes; a dict for --json."""
    image = firmware.build(name) / "firmware.elf"
    with tempfile.TemporaryDirectory() as scratch, HubPebble(nonce_reject=0) as ca:
        folder = Path(scratch)
        forwards = {80: ca.http_port, 443: firmware.free_port()}
        with console.Console(image, folder / "fresh", forwards=forwards, boot={"main": "off"}) as hub:
            console.provision(hub, ca, [NAME, ADDRESS], compress=COMPRESS)
        log, _, wrong = _one(image, folder, ca, forwards, 0)
        if wrong:
            return {"problems": ["without any cut: " + wrong]}
        kinds = [kind(write) for write in log]
        chosen = choose(kinds, count)
        say(
            f"A run without a cut takes {len(kinds)} flash writes; {len(chosen)} of them are cut in their middle"
        )
        problems, extra, histogram = [], Counter(), Counter()
        for number, cut in enumerate(chosen, 1):
            _, more, wrong = _one(image, folder, ca, forwards, cut)
            while wrong == _NEVER and (earlier := kinds[: cut - 1]).count(kinds[cut - 1]):
                # No two runs take the same number of writes, so one near the end may not come: the one before it.
                cut = len(earlier) - earlier[::-1].index(kinds[cut - 1])
                _, more, wrong = _one(image, folder, ca, forwards, cut)
            histogram[kinds[cut - 1]] += 1
            extra[more] += 1
            if wrong:
                problems.append(f"cut at write {cut} ({kinds[cut - 1]}): {wrong}")
            say(f"{number:3}  write {cut:4}  {kinds[cut - 1]:28}  {more} orders more  {wrong or 'ok'}")
    return {
        "writes": len(kinds),
        "cuts": len(chosen),
        "histogram": {
            name: {"writes": kinds.count(name), "cuts": histogram[name]} for name in sorted(set(kinds))
        },
        "extra_orders": {str(number): times for number, times in sorted(extra.items())},
        "problems": problems,
    }


def run(args):
    """Returns an exit status: 0 only when every cut ended well."""
    out = job(args.board, args.cuts, outcome.speaker(args))
    lines = [
        f"{name:30} {row['writes']:4} writes {row['cuts']:3} cut"
        for name, row in out.get("histogram", {}).items()
    ]
    lines.append(f"orders more than without a cut: {out.get('extra_orders')}")
    return outcome.show(args, "powercut", out, lines)
