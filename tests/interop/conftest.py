"""Notes which tests of this folder ran, for the feature table: in a file, as they may run in several processes."""

import os

import pytest

_notes = []  # lines that are not yet in the file
_file = []
_left_out = set()


@pytest.fixture(scope="session")
def notes_file(tmp_path_factory):
    """The file, which all workers of one run share: "FILE TEST OUTCOME" in each line."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "ran"


@pytest.fixture(scope="session", autouse=True)
def _note(notes_file):
    _file.append(notes_file)


def _write():
    if _file and _notes:
        with open(_file[0], "a") as file:
            file.write("".join(_notes))
        _notes.clear()


def pytest_runtest_logreport(report):
    name = report.nodeid.split("[")[0].split("::")
    if len(name) > 1 and (report.when == "call" or report.skipped):
        _notes.append("%s %s %s\n" % (name[0].split("/")[-1], name[-1], report.outcome))
        _write()


def pytest_sessionfinish():
    _write()


def pytest_deselected(items):
    _left_out.update((item.path.name, item.originalname) for item in items)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    # The table is checked last: then it is known what ran.
    items.sort(key=lambda item: item.name.startswith("test_the_named_tests_ran"))


@pytest.fixture
def left_out():
    """The (file, test) that this run's options leave out."""
    return _left_out


@pytest.fixture
def ran(notes_file):
    """A function: {(file, test): set of outcomes} of what ran until now, in this process and in others."""

    def read():
        found = {}
        for line in notes_file.read_text().splitlines() if notes_file.exists() else ():
            file, test, outcome = line.split(" ")
            found.setdefault((file, test), set()).add(outcome)
        return found

    return read
