"""Run a command of somebody else's quietly, and keep its last words for the error."""

import subprocess

from .say import Stop


def quiet(command, sentence, **options):
    """Run `command`; its output is returned as text. Raises `Stop` with `sentence` and its last line if it fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    except OSError as error:
        raise Stop(f"{sentence} ({error})") from error
    if done.returncode:
        raise Stop(f"{sentence} ({last_line(done.stdout) or f'exit status {done.returncode}'})")
    return done.stdout


def last_line(text):
    """The last line of `text` that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
