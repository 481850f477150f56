"""The diagrams in docs/states.md are those of the tables."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.quick

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, str(ROOT / "tools" / "states")]


def test_every_step_and_event_is_drawn():
    from ipcert.acme import order
    from ipcert.order import states
    from ipcert.order.event_names import EVENTS

    text = (ROOT / "docs" / "states.md").read_text()
    for word in (*states.STATES, *order.STATUS):
        assert word in text
    for word in EVENTS:
        assert word in text


def test_a_word_too_many():
    assert subprocess.run([*COMMAND, "--draw"], capture_output=True).returncode == 2
