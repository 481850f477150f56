"""Tiers, the order of a run, and fixtures for the tests that run under CPython.

Tiers. A test says where it is written which run it is part of:

    pytest.mark.quick   in `tools/test quick`, and in the others: seconds, no server, no emulator
    no mark             in `tools/test`: every feature end to end at least once, at its smallest
    pytest.mark.full    in `tools/test full` alone: a repetition of another test at a larger size

The portable tests cannot import pytest: those of QUICK_FOLDERS are quick. Each run ends by naming what it left out.

Order. Tests of one file run in one process, one after the other, since they share servers and images; files run side by
side, those with tests that are marked `pytest.mark.slow(SECONDS)` first, the longest at the front. The cases of the files
in APART share nothing, and are dealt out one by one.
"""

import os
import re
import sys

import cryptography
import pytest
from cryptography import x509
from hypothesis import HealthCheck, settings

from tools.lib import loopback
from tools.lib.ca.pebble import Pebble

loopback.ask_directly()

# The tests start some thousand processes of ours: what one of them has compiled, the next is not to compile again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

TIERS = ("quick", "test", "full")
QUICK_FOLDERS = ("tests/portable/",)
APART = (
    "tests/micropython/test_portable.py",
    "tests/oldest/test_oldest.py",
    "tests/portable/test_device_power.py",
)


def pytest_addoption(parser):
    parser.addoption(
        "--tier", choices=TIERS, default="full", help="run the tests of this tier and the smaller ones"
    )


def _tier(item):
    """The smallest tier that an item is part of."""
    if item.get_closest_marker("full"):
        return "full"
    if item.get_closest_marker("quick") or item.nodeid.startswith(QUICK_FOLDERS):
        return "quick"
    return "test"


def _scope(nodeid):
    """What runs in one process, one test after the other: a file, or one case of a file in APART."""
    file = nodeid.split("::")[0]
    return nodeid if file in APART else file


def _in_turn(items):
    """The items, those that take longest first, so that none of them is waited for at the end."""
    seconds = {}
    for item in items:
        mark = item.get_closest_marker("slow")
        scope = _scope(item.nodeid)
        seconds[scope] = seconds.get(scope, 0) + (mark.args[0] if mark else 0)
    return sorted(items, key=lambda item: -seconds[_scope(item.nodeid)])


def pytest_collection_modifyitems(config, items):
    wanted = TIERS.index(config.getoption("--tier"))
    left = [item for item in items if TIERS.index(_tier(item)) > wanted]
    config.stash[LEFT_OUT] = [(_tier(item), item.nodeid) for item in left]
    items[:] = _in_turn([item for item in items if TIERS.index(_tier(item)) <= wanted])
    if left:
        config.hook.pytest_deselected(items=left)


LEFT_OUT = pytest.StashKey[list]()
OUTCOMES = {}  # (file's name, test's name) of tests/interop -> what its cases came to


def pytest_sessionfinish(session):
    """In a worker: hand over what was left out. In the process that was started: see that what is promised was run."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, [])
    elif _promised_but_not_passed():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", [])


def pytest_runtest_logreport(report):
    file, _, name = report.nodeid.partition("::")
    if file.startswith("tests/interop/") and (report.when == "call" or report.skipped):
        OUTCOMES.setdefault((file.split("/")[-1], name.split("[")[0]), set()).add(report.outcome)


def promised():
    """{(file, test)} of tests/interop that the table of features names."""
    with open(os.path.join(os.path.dirname(__file__), "interop", "FEATURES.md")) as file:
        return set(re.findall(r"`([\w.-]+\.py)::(\w+)`", file.read()))


def _promised_but_not_passed():
    return sorted(pair for pair in promised() & OUTCOMES.keys() if "passed" not in OUTCOMES[pair])


def pytest_terminal_summary(terminalreporter, config):
    for file, name in _promised_but_not_passed():
        terminalreporter.write_line(f"FEATURES.md names a test that did not pass here: {file}::{name}")
    left = config.stash.get(LEFT_OUT, [])
    for tier in TIERS[1:]:
        names = [nodeid for other, nodeid in left if other == tier]
        if names:
            files = sorted({name.split("::")[0] for name in names})
            command = "tools/test" + (" full" if tier == "full" else "")
            shown = names if tier == "full" else files
            terminalreporter.write_line(f"left to `{command}`: {len(names)} tests: {', '.join(shown)}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return _scope(nodeid)

    return ByFile(config, log)


# The same examples in every run, and no verdict on how fast a busy machine draws them.
settings.register_profile(
    "ipcert", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ipcert")


# Simulated media, mutations and fuzzing do not depend on the libraries: once, with the newest, is enough.
if int(cryptography.__version__.split(".")[0]) < 40:
    collect_ignore_glob = [
        "cpython/core/test_fuzz.py",
        "cpython/core/test_mutations.py",
        "cpython/faults/test_faults_*.py",
    ]


def _read_chain(data):
    """What cryptography has had since 39, for the tests' own reading of chains on Debian 12's."""
    end = b"-----END CERTIFICATE-----"
    return [x509.load_pem_x509_certificate(part + end) for part in data.split(end)[:-1]]


if not hasattr(x509, "load_pem_x509_certificates"):
    x509.load_pem_x509_certificates = _read_chain


@pytest.fixture(scope="session")
def shared_pebble():
    """One Pebble for a whole run: validates at once, refuses no nonce, reuses no authorization. Use `pebble`."""
    with Pebble() as running:
        yield running


@pytest.fixture
def pebble(shared_pebble):
    """The shared Pebble with its counts at zero. Its ports stay the same; its DNS answers are the caller's to undo."""
    shared_pebble.reset()
    return shared_pebble


@pytest.fixture
def make_pebble():
    """A function that starts a Pebble of the test's own: make_pebble(nonce_reject=50). Stopped after the test."""
    running = []

    def make(**options):
        started = Pebble(**options)
        started.__enter__()
        running.append(started)
        return started

    yield make
    while running:
        running.pop().close()
