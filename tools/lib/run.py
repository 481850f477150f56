"""Run a command of somebody else's quietly, and turn its last words into one sentence that says what to do."""

import ctypes
import os
import re
import signal
import subprocess

from tools.lib.say import DISK_FULL, Stop

_SIGKILL_WITH_PARENT = 1  # PR_SET_PDEATHSIG

CAUSES = (
    (
        r"No space left on device|Disk quota exceeded|not enough free space",
        DISK_FULL,
    ),
    (
        r"Connection refused|Name or service not known|name resolution|resolving DNS|Could not resolve|no such host"
        r"|unreachable|[Tt]imed out|i/o timeout|Connection reset|Unable to connect|Could not connect",
        "It cannot be reached over the network: connect this machine, or name the registry that it can reach "
        "(PIP_INDEX_URL, GOPROXY, apt's sources), and run this again.",
    ),
    (
        r"Permission denied|Read-only file system|Not a directory|[Ff]ailed to initialize cache",
        "The cache cannot be used: remove it, make it writable, or set IPCERT_CACHE to another directory.",
    ),
    (
        r"\b404\b|not found in the package registry|No matching distribution|has no installation candidate"
        r"|Unable to locate package|was not found",
        "The registry does not have it: name another one (PIP_INDEX_URL, GOPROXY, apt's sources), or change the pin.",
    ),
)
"""(what a command says, what that means and what to do), the first that fits."""


def advice(text):
    """What to do about what a command says, "" where nobody knows."""
    return next((words for pattern, words in CAUSES if re.search(pattern, text)), "")


def failure(sentence, text):
    """A `Stop` of `sentence`, of what to do where the command's output tells it, and of its own last words."""
    return Stop(" ".join(filter(None, [sentence, advice(text), f"({last_words(text)})"])))


def die_with(parent, apart=False):
    """For a child before its program starts: be killed when the process `parent` dies, however that dies.

    apart: leave ctrl-C to the parent.
    """
    library = ctypes.CDLL(None)

    def prepare():
        if apart:
            os.setpgid(0, 0)
        library.prctl(_SIGKILL_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare


def quiet(command, sentence, **options):
    """Run `command`; its output is returned as text. Raises `Stop` with `sentence` and its last words if it fails.

    It does not outlive this process.
    """
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            preexec_fn=die_with(os.getpid()),
            **options,
        )
    except OSError as error:
        raise Stop(f"{sentence} ({error})") from error
    if done.returncode:
        raise failure(sentence, done.stdout or f"exit status {done.returncode}")
    return done.stdout


def last_words(text):
    """What a command said last, on one line of at most 600 letters: its last line, or all from its last "error: " on."""
    start = text.lower().rfind("error: ")
    words = text[start:] if start >= 0 else last_line(text)
    return " ".join(words.split())[:600]


def last_line(text):
    """The last line of `text` that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
