"""An order never depends on who reads: stdout and stderr closed, full, left by their reader, or never read."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess

import pytest
from home import Home, children, until

LIVE = ("live", "127.0.0.1", "cert.pem")


class Sinks:
    """What stdout or stderr may be: a function each that gives subprocess what it wants."""

    def __init__(self):
        self._open = []

    def _keep(self, fd):
        self._open.append(fd)
        return fd

    def full(self):
        return self._keep(os.open("/dev/full", os.O_WRONLY))

    def left(self):
        """A pipe whose reader has gone."""
        reader, writer = os.pipe()
        os.close(reader)
        return self._keep(writer)

    def stuck(self):
        """A pipe that is full, and whose reader does not read."""
        reader, writer = os.pipe()
        self._keep(reader)
        fcntl.fcntl(writer, fcntl.F_SETFL, os.O_NONBLOCK)
        try:
            while True:
                os.write(writer, bytes(4096))
        except BlockingIOError:
            pass
        fcntl.fcntl(writer, fcntl.F_SETFL, 0)
        return self._keep(writer)

    def close(self):
        for fd in self._open:
            os.close(fd)


@pytest.fixture
def sinks():
    one = Sinks()
    yield one
    one.close()


def run(home, words, out, err, sinks, **options):
    """`ipcert WORDS` with stdout and stderr as these words say; the exit code."""

    def prepare():
        for number, word in ((1, out), (2, err)):
            if word == "closed":
                os.close(number)

    streams = {}
    for name, word in (("stdout", out), ("stderr", err)):
        streams[name] = getattr(sinks, word)() if hasattr(sinks, word) else subprocess.DEVNULL
    return subprocess.run(
        home.command(*words), stdin=subprocess.DEVNULL, preexec_fn=prepare, timeout=120, **streams, **options
    ).returncode


@pytest.mark.parametrize("json", [False, pytest.param(True, marks=pytest.mark.full)], ids=["words", "json"])
@pytest.mark.parametrize(
    "out, err, code",
    [
        ("closed", "closed", 0),  # nobody wants to read
        ("left", "left", 0),  # like `| head`
        ("full", "full", 11),
        ("stuck", "stuck", 11),
    ],
)
def test_the_order_is_made_whoever_reads(pebble, tmp_path, sinks, out, err, code, json):
    home = Home(tmp_path, pebble)
    # Its words must not end in a file of ours that has stdout's number.
    # And it neither fails nor waits because nobody reads, which /dev/full alone does not tell.
    careful = "true" if err == "full" else "set -e"
    home.wish("deploy", hook=["sh", "-c", careful + "; echo to stdout; echo to stderr >&2; true"])
    assert run(home, ["issue", *["--json"] * json], out, err, sinks) == code
    assert os.path.exists(tmp_path.joinpath(*LIVE))
    # What the order left can be read again.
    assert home.json("status")["certificates"][0]["identifiers"] == ["127.0.0.1"]


@pytest.mark.parametrize(
    "word",
    [pytest.param("closed", marks=pytest.mark.full), pytest.param("left", marks=pytest.mark.full), "full"],
)
def test_other_commands_and_refusals_keep_their_exit_codes(pebble, tmp_path, sinks, word):
    home = Home(tmp_path, pebble)
    full = 11 if word == "full" else 0
    for words, code in (
        (["status"], full),
        (["plan", "--json"], full),
        (["--help"], full),
        (["--version"], full),
    ):
        command = words if words[0][:2] == "--" else None
        if command:
            home.command = lambda *more: [*Home.command(home, "x")[:3], *more]
        assert run(home, words, word, "closed", sinks) == code, words
        if command:
            del home.command
    # A refusal says more than that nobody could read it.
    home.wish("ca", directory="http://plain.example")
    for words in (["issue"], ["issue", "--json"], ["status"]):
        assert run(home, words, word, word, sinks) == 2
    assert run(home, ["no-such-command"], word, word, sinks) == 2


@contextlib.contextmanager
def daemon(home, sinks, word):
    """A running `ipcert run` whose stdout and stderr are so. It must still run at the end of the block.

    Its children do not stay for what is due within minutes: the test would wait for them.
    """
    (home.folder / "site").mkdir()
    (home.folder / "site" / "sitecustomize.py").write_text(
        "from ipcert import limits\n\nlimits.TASK_WAIT = 0\n"
    )
    path = os.pathsep.join([str(home.folder / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    options = {name: getattr(sinks, word)() if word != "closed" else None for name in ("stdout", "stderr")}
    process = subprocess.Popen(
        home.command("run", "--json"),
        env=dict(os.environ, PYTHONPATH=path),
        preexec_fn=(lambda: (os.close(1), os.close(2))) if word == "closed" else None,
        **options,
    )
    try:
        yield process
        assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(60) == 0


@pytest.mark.parametrize(
    "word", ["left", *(pytest.param(word, marks=pytest.mark.full) for word in ("closed", "full", "stuck"))]
)
def test_the_daemon_orders_and_goes_on(pebble, tmp_path, sinks, word):
    home = Home(tmp_path, pebble)
    with daemon(home, sinks, word) as process:
        assert until(lambda: os.path.exists(tmp_path.joinpath(*LIVE)), 60)
        assert until(lambda: not children(process.pid), 60)
        # A second child, which orders too.
        home.wish("identifiers", addresses=["::1"])
        home.wish("policy", min_ip_age="0s")
        os.kill(process.pid, signal.SIGHUP)
        assert until(lambda: os.path.exists(tmp_path / "live" / "ipv6---1"), 60)


def test_letters_that_stdout_cannot_write_end_nothing(pebble, tmp_path):
    home = Home(tmp_path, pebble, names=["b\u00fccher.janet.example"], addresses=[])
    (tmp_path / "b\u00fccher").mkdir()
    home.wish("deploy", dir="b\u00fccher/live")
    done = subprocess.run(
        home.command("status"), capture_output=True, env=dict(os.environ, PYTHONIOENCODING="ascii")
    )
    assert done.returncode == 0, done.stderr
    home.json("issue")
    done = subprocess.run(
        home.command("status"), capture_output=True, env=dict(os.environ, PYTHONIOENCODING="ascii")
    )
    assert done.returncode == 0 and b"b\\xfccher" in done.stdout, done.stderr


@pytest.mark.parametrize("err", ["closed", "piped"])
def test_a_hooks_words_never_stand_in_json(pebble, tmp_path, err):
    home = Home(tmp_path, pebble)
    home.wish("deploy", hook=["sh", "-c", 'echo \'{"from": "the hook"}\'; echo more >&2'])
    done = subprocess.run(
        home.command("issue", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=(lambda: os.close(2)) if err == "closed" else None,
    )
    assert done.returncode == 0 and json.loads(done.stdout)["issued"] == 1
    assert "the hook" not in done.stdout and (err == "closed" or "the hook" in done.stderr)
