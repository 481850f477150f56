"""Each guard bites: with it taken away, in a process of its own, a named test fails."""

import os
import subprocess
import sys

import pytest

from tools.lib import cache

# What is taken away (Python, run before the test), and the test that must fail then.
MUTATIONS = {
    "a key is used before it is in the journal": (
        "t = bytearray(states.ISSUANCE_TABLE); change(t, states.SUBJECT_KEY, states.OK, states.FINALIZE); "
        "states.ISSUANCE_TABLE = bytes(t)",
        "faults/test_faults_power.py::test_power_cuts_lose_nothing[cpython-posix]",
    ),
    "an order is answered before it is in the journal": (
        "t = bytearray(states.ISSUANCE_TABLE); change(t, states.NEW_ORDER, states.OK, states.ORDER_STATUS); "
        "change(t, states.REPLACEMENT_ORDER, states.OK, states.ORDER_STATUS); states.ISSUANCE_TABLE = bytes(t)",
        "faults/test_faults_power.py::test_power_cuts_lose_nothing[cpython-posix]",
    ),
    "an account is made before its key is in the journal": (
        "t = bytearray(states.SESSION_TABLE); change(t, states.ACCOUNT_KEY, states.OK, states.ACCOUNT); "
        "states.SESSION_TABLE = bytes(t)",
        "faults/test_faults_power.py::test_power_cuts_lose_nothing[cpython-posix]",
    ),
    "the journal overwrites the slot that counts": (
        "old = journal.Slots.encode\n"
        "def encode(self):\n"
        "    self._current = 1 - self._current\n"
        "    return old(self)\n"
        "journal.Slots.encode = encode",
        "faults/test_faults_power.py::test_power_cuts_lose_nothing[raw]",
    ),
    "the journal's check value is not looked at": (
        "journal.same = lambda a, i, b, k, n: True",
        "faults/test_faults_power.py::test_a_bit_flip_anywhere_is_noticed_and_the_other_slot_serves",
    ),
    "the monotonic counter is not looked at": (
        "from ipcert.storage import Storage\nStorage._refuse_old = lambda self, found: None",
        "faults/test_faults_power.py::test_a_flash_that_is_rolled_back_is_noticed_where_the_port_has_a_counter",
    ),
    "the folder is not flushed before an erased file is blanked": (
        "from tools.lib.faults import disk\ndisk.Disk.sync_folder = lambda self: None",
        "faults/test_faults_power.py::test_power_cuts_lose_nothing[cpython-posix]",
    ),
    "no limit on a JSON body": (
        "limits.BODY = 2 ** 29",
        "core/test_guards.py::test_a_body_above_the_limit_is_refused",
    ),
    "no limit on a request's line": (
        "limits.REQUEST_LINE = 2 ** 29",
        "core/test_guards.py::test_a_line_above_the_limit_is_refused",
    ),
    "a token is not checked": (
        "http01.is_url = lambda text, least, most: True",
        "core/test_guards.py::test_only_a_known_and_wellformed_token_is_answered",
    ),
    "any token is answered": (
        "http01.Answers.find = lambda self, token: b'x' if token else None",
        "core/test_guards.py::test_only_a_known_and_wellformed_token_is_answered",
    ),
    "a key is not compared with earlier ones": (
        "keys.Ring.holds = lambda self, buf, off: False",
        "core/test_guards.py::test_a_random_source_that_repeats_itself_is_noticed",
    ),
    "a certificate for another key is taken": (
        "certificate.same = lambda a, i, b, k, n: True",
        "core/test_guards.py::test_a_certificate_for_another_key_is_refused",
    ),
}

_FIRST = """
import sys
import pytest
from ipcert import journal, keys, limits
from ipcert.acme import certificate, http01
from ipcert.order import states

def change(table, step, event, after):
    for k in range(0, len(table), 3):
        if table[k] == step and table[k + 1] == event:
            table[k + 2] = after
            return
    raise SystemExit(99)

%s
sys.exit(pytest.main(["-q", "-x", "--no-header", "-p", "no:cacheprovider", sys.argv[1]]))
"""


@pytest.mark.parametrize("what", sorted(MUTATIONS))
def test_a_named_test_fails_without(what):
    mutation, test = MUTATIONS[what]
    command = [sys.executable, "-c", _FIRST % mutation, os.path.join("tests", "cpython", test)]
    done = subprocess.run(command, cwd=cache.ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, (
        done.stdout[-2000:] + done.stderr[-2000:]
    )  # pytest's "tests failed", and no other end
    assert "1 failed" in done.stdout
