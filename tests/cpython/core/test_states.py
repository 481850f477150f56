"""The diagrams in ipcert/acme/STATES.md are those of the tables."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, str(ROOT / "tools" / "states")]


def test_they_are_up_to_date():
    done = subprocess.run([*COMMAND, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_step_and_event_is_drawn():
    from ipcert.acme import authorization, order, steps

    text = (ROOT / "ipcert" / "acme" / "STATES.md").read_text()
    for word in (*steps.STEPS, *order.STATUS, *authorization.STATUS):
        assert word.replace("-", "_") in text
    for word in steps.EVENTS:
        assert word in text


def test_a_word_too_many():
    assert subprocess.run([*COMMAND, "--draw"], capture_output=True).returncode == 1
