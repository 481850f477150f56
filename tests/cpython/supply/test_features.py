"""The feature sets that a firmware's maker chooses from, in the manifest that is frozen."""

import types

import pytest
from project_files import ROOT

from ipcert import features
from tests.cpython.supply.test_import_cycles import graph
from tools.lib.build import files as build_files

pytestmark = pytest.mark.quick


def chosen(**given):
    """The files that manifest.py takes when a maker includes it with these options."""
    found = []

    class Options(types.SimpleNamespace):
        def defaults(self, **values):
            for name, value in values.items():
                setattr(self, name, getattr(self, name, value))

    def package(name, files, base_path, opt):
        found.extend(name + "/" + path for path in files)

    with open(ROOT + "/manifest.py") as manifest:
        exec(
            manifest.read(),
            {"options": Options(**given), "package": package, "metadata": lambda version: None},
        )
    return found


@pytest.mark.parametrize(
    "names", [(), *[(name,) for name in build_files.FEATURES], tuple(build_files.FEATURES)]
)
def test_one_line_in_the_manifest_takes_the_files_of_a_set(names):
    assert chosen(features=" ".join(names)) == [path for path, _ in build_files.micropython(names)]


def test_without_a_choice_everything_is_taken():
    assert chosen() == [path for path, _ in build_files.micropython()]


def test_a_feature_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="no feature 'dsn'"):
        chosen(features="dsn")


LISTED = {path for files in build_files.FEATURES.values() for path in files}


def test_every_file_of_a_feature_is_there():
    assert LISTED <= {path for entry in build_files.MICROPYTHON for path, _ in build_files.package(entry)}


def test_a_file_that_two_features_need_is_there_with_either():
    shared = "ipcert/encoding/hmac.py"
    for names, there in ((), False), (("sealing",), True), (("external-account",), True):
        assert (shared in chosen(features=" ".join(names))) is there


def test_the_table_of_parts_and_the_table_of_files_say_the_same():
    for _, feature, module in features._PARTS:
        assert module.replace(".", "/") + ".py" in build_files.FEATURES[feature]
    for feature, files in build_files.FEATURES.items():
        there = {module.replace(".", "/") + ".py" for _, name, module in features._PARTS if name == feature}
        assert there or all(path.startswith("ipcert_port/") for path in files)


def test_only_a_part_imports_what_may_be_left_out():
    """So nothing of the set "core" can fail for a file that is not there: it asks `features` for it, and is told."""
    edges = {**graph("core"), **graph("micropython")}
    for name, imported in edges.items():
        for other in imported:
            if other.replace("ports/micropython/", "") in LISTED:
                assert name.replace("ports/micropython/", "") in LISTED, f"{name} imports {other}"
