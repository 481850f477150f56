"""The feature sets that a firmware's maker chooses from, in the manifest that is frozen."""

import types

import pytest
from project_files import ROOT

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


def test_every_file_of_a_feature_is_there_and_in_one_feature_only():
    listed = [path for files in build_files.FEATURES.values() for path in files]
    there = [path for entry in build_files.MICROPYTHON for path, _ in build_files.package(entry)]
    assert len(set(listed)) == len(listed) and set(listed) <= set(there)
