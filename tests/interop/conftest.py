"""Notes which tests of this folder ran, for the feature table."""

import pytest

RAN = {}


def pytest_runtest_logreport(report):
    name = report.nodeid.split("[")[0].split("::")
    if len(name) > 1 and (report.when == "call" or report.skipped):
        RAN.setdefault((name[0].split("/")[-1], name[-1]), set()).add(report.outcome)


def pytest_collection_modifyitems(items):
    # The table is checked last: then it is known what ran.
    items.sort(key=lambda item: item.name.startswith("test_the_named_tests_ran"))


@pytest.fixture
def ran():
    """{(file, test): set of outcomes} of what ran before."""
    return RAN
