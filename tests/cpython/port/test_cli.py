"""The command line without a CA: what it says, how it ends, and what it must not load."""

import json
import os
import subprocess
import sys
import time

import pytest
from home import Home, sentence

from ipcert import limits, plan
from ipcert.errors import LocalError, RemoteError
from ipcert_port import exit_codes, formatting
from ipcert_port.cli import commands
from ipcert_port.port.alarm import Alarm
from ipcert_port.port.lock import DAEMON, Lock, holder

NAME = "nas.janet.example"


@pytest.fixture
def home(tmp_path):
    one = Home(tmp_path, None, [NAME], ["127.0.0.1"])
    # A port where nothing answers: nothing here asks a CA.
    one.wish("ca", directory="https://127.0.0.1:9/dir")
    return one


def test_plan_makes_the_plans_once_and_then_only_reads(home, tmp_path):
    first = home.json("plan")
    files = {n: (tmp_path / "state" / n).read_bytes() for n in os.listdir(tmp_path / "state")}
    assert home.json("plan") == first and home.json("status")["plans"] == first["plans"]
    assert {n: (tmp_path / "state" / n).read_bytes() for n in os.listdir(tmp_path / "state")} == files
    name, address = first["plans"]
    assert address["from"] == address["at"] == address["to"]
    assert name["from"] <= name["at"] <= name["to"]
    assert 13.9 * 86400 < _seconds(name["to"]) - _seconds(name["from"]) <= 14 * 86400


def _seconds(text):
    import calendar

    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def test_plan_explains(home):
    text = home.run("plan", "--explain").stdout
    assert "You asked for this one first" in text and "cannot be matched" in text
    assert (
        "What becomes public:" in text and "first_delay" in text and "for ever" not in text.split("What")[0]
    )


def test_plans_follow_the_configuration(home):
    first = home.json("plan")
    home.wish("identifiers", names=[])
    home.wish("identifiers", addresses=["127.0.0.1", "::1"])
    second = home.json("plan")
    assert [p["identifiers"] for p in second["plans"]] == [["127.0.0.1"], ["::1"]]
    assert second["plans"][0] == first["plans"][1]


def test_status_before_and_after(home):
    assert "no state" in home.run("status").stdout
    assert home.json("status")["plans"] == []
    home.run("plan")
    text = home.run("status").stdout
    assert NAME + ": no certificate yet." in text and "daemon does not run" in text


def test_the_owner_is_told_until_when_a_certificate_waits(home):
    home.run("plan")
    now = int(time.time()) - limits.EPOCH_UNIX

    def away(journal):
        record = [r for r in journal.records() if r.identifiers_text.text() == NAME][0]
        record.not_before, record.not_after = now - 100 * limits.DAY, now - 10 * limits.DAY
        record.planned_at, record.reason = now + 2 * limits.DAY, plan.LATER
        record.window_start, record.window_end = now - limits.DAY, now + 12 * limits.DAY

    assert all(p["waits_until"] is None for p in home.json("plan")["plans"])
    assert "At the latest" not in home.run("status").stdout
    home.rewrite(away)
    latest = now + 12 * limits.DAY
    for command in ("plan", "status"):
        text = home.run(command).stdout
        assert "At the latest it comes on %s:" % formatting.local(latest) in text
        assert "'ipcert issue --now %s' fetches it now, and shows that" % NAME in text
        assert "belong to one home" in text and "policy.recovery" in text
        plans = {p["identifiers"][0]: p for p in home.json(command)["plans"]}
        assert plans[NAME]["waits_until"] == formatting.utc(latest)
        assert plans["127.0.0.1"]["waits_until"] is None


def test_exit_codes_are_documented_and_used(home):
    text = subprocess.run(
        [sys.executable, "-m", "ipcert_port", "--help"], capture_output=True, text=True
    ).stdout
    for name in (
        "OK",
        "BUG",
        "CONFIG",
        "ORDER",
        "CONSENT",
        "NETWORK",
        "STATE",
        "CLOCK",
        "HOOK",
        "BUSY",
        "INTERRUPTED",
    ):
        assert "\n%3d  " % getattr(exit_codes, name) in text
    for error, code in (
        (None, 0),
        (LocalError("config", "x"), 2),
        (LocalError("roots", "x"), 2),
        (LocalError("consent", "x"), 4),
        (LocalError("disk-full", "x"), 6),
        (LocalError("cloned", "x"), 6),
        (LocalError("clock", "x"), 7),
        (LocalError("hook", "x"), 8),
        (LocalError("locked", "x"), 9),
        (RemoteError("network", "x"), 5),
        (RemoteError("tls", "x"), 5),
        (RemoteError("not-valid", "x"), 3),
        (RemoteError("rateLimited", "x"), 3),
    ):
        assert exit_codes.code(error) == code


def test_usage_mistakes(home):
    for words in ([], ["issue", "--nonsense"], ["fly"], ["consent", "a", "b"]):
        done = subprocess.run([sys.executable, "-m", "ipcert_port", *words], capture_output=True, text=True)
        assert done.returncode == 2 and "usage: ipcert" in done.stderr


def test_help_is_found_and_a_slip_is_understood():
    def ipcert(*words):
        return subprocess.run([sys.executable, "-m", "ipcert_port", *words], capture_output=True, text=True)

    bare = ipcert()
    assert bare.returncode == 2 and "commands:" in bare.stderr and bare.stdout == ""
    assert ipcert("help").stdout == ipcert("--help").stdout
    assert ipcert("help", "issue").stdout == ipcert("issue", "--help").stdout
    assert "did you mean 'issue'?" in ipcert("isue").stderr


def test_init_writes_what_the_other_commands_read(tmp_path):
    def ipcert(*words):
        command = [sys.executable, "-m", "ipcert_port", *words, "--config", str(tmp_path / "ipcert.toml")]
        return subprocess.run(command, capture_output=True, text=True)

    assert "'ipcert init' writes one" in sentence(ipcert("plan"))
    wrong = ipcert("init", "--name", "9.9.9.9")
    assert wrong.returncode == 2 and "belongs to --address" in sentence(wrong)
    assert not (tmp_path / "ipcert.toml").exists()
    done = ipcert("init", "--name", "nas.example.net", "--name", "bücher.example.net", "--address", "9.9.9.9")
    assert done.returncode == 0 and "agree_terms" in done.stdout and done.stderr == ""
    from ipcert_port.config import reader

    read = reader.load(str(tmp_path / "ipcert.toml"))
    assert [i.value for i in read.identifiers] == ["nas.example.net", "xn--bcher-kva.example.net", "9.9.9.9"]
    again = ipcert("init")
    assert again.returncode == 2 and "is there already" in sentence(again)
    os.unlink(tmp_path / "ipcert.toml")
    assert json.loads(ipcert("init", "--address", "ipv4", "--json").stdout) == {
        "written": str(tmp_path / "ipcert.toml")
    }
    assert reader.load(str(tmp_path / "ipcert.toml")).address.families == [4]


def test_an_error_is_json_too(home):
    home.wish("policy", urgent="never")
    done = home.run("plan", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout) == {"error": {"code": "config", "text": sentence(done)[8:]}, "exit": 2}


def test_nothing_to_consent_to(home):
    assert home.json("consent") == {"consent_needed": False, "consent": {}, "challenge": None}
    done = home.run("consent", "12345678")
    assert done.returncode == 0 and "Nothing in this configuration" in done.stdout


def test_the_reader_of_our_output_may_leave(home):
    done = subprocess.run(
        " ".join(home.command("plan", "--explain")) + " | true",
        shell=True,
        capture_output=True,
        text=True,
        executable="/bin/bash",
    )
    assert done.stderr == ""


def test_the_demo_is_for_test_cas_only(home):
    home.wish("ca", test=False)
    home.wish("identifiers", addresses=["9.9.9.9"], names=["nas.example.net"])
    done = home.run("demo", "--root", "x.pem")
    assert done.returncode == 2 and "./tools/demo" in sentence(done)


_HEAVY = (
    "cryptography",
    "rich",
    "ssl",
    "socket",
    "http.client",
    "asyncio",
    "dataclasses",
    "inspect",
    "logging",
)


@pytest.mark.parametrize("words", [["plan"], ["status"], ["consent"]])
def test_commands_load_only_what_they_need(home, words):
    home.run("plan")
    script = "import sys; before = set(sys.modules)\nfrom ipcert_port.cli import commands as cli\n"
    script += "code = cli._main(%r)\nprint(sorted((set(sys.modules) - before) & set(%r)), code)" % (
        [words[0], "--config", home.config, *words[1:]],
        _HEAVY,
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=clean)
    assert done.stdout.splitlines()[-1] == "[] 0", done.stdout + done.stderr


USUAL = (
    "run --config FILE",
    "run --config FILE --json",
    "issue --config FILE",
    "issue --json --config FILE",
    "issue --child --config FILE --json",
    "issue --wait --config FILE",
)


@pytest.mark.parametrize("line", USUAL)
def test_usual_calls_are_read_as_argparse_would(tmp_path, monkeypatch, line):
    words = line.replace("FILE", str(tmp_path / "ipcert.toml")).split()
    short = commands._usual(words)
    assert short is not None
    with monkeypatch.context() as patch:
        patch.setattr(commands, "_usual", lambda argv: None)
        assert vars(commands._parse(words)) == vars(short)


def test_other_calls_are_left_to_argparse():
    for line in ("run", "run --config", "run --config --json", "run --config x --wait", "run --config x --help", "plan --config x",
                 "run --config x --child", "issue --config x --now a", "issue --config=x", "issue", "issue --config x y"):  # fmt: skip
        assert commands._usual(line.split()) is None, line


def test_a_lock_lives_and_dies_with_its_process(tmp_path):
    script = "import sys, time; from ipcert_port.port.lock import Lock; lock = Lock(sys.argv[1]); print('held', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(
            LocalError, match=r"Another ipcert \(process %d\) is working on" % other.pid
        ) as caught:
            Lock(str(tmp_path))
        assert caught.value.code == "locked" and holder(str(tmp_path), "lock") == other.pid
        with Lock(str(tmp_path), DAEMON):
            assert holder(str(tmp_path)) == os.getpid()
        other.kill()
    with Lock(str(tmp_path)):
        pass
    assert holder(str(tmp_path)) == 0 and holder(str(tmp_path / "none")) == 0


def test_an_alarm_wakes_at_its_second_and_at_a_signal():
    import signal
    import threading

    alarm = Alarm(signal.SIGUSR1)
    try:
        now = time.time()
        alarm.wait(int(now) + 2 - limits.EPOCH_UNIX)
        assert 0 <= time.time() - (int(now) + 2) < 1
        alarm.wait(0)  # long past
        assert not alarm.caught and time.time() - now < 4
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        started = time.monotonic()
        alarm.wait(limits.NEVER)
        assert alarm.caught == {signal.SIGUSR1} and time.monotonic() - started < 5
        alarm.wait(limits.NEVER)  # what was caught and not looked at does not get lost
    finally:
        alarm.close()


def test_times_as_people_read_them():
    assert formatting.utc(0) == "2020-01-01T00:00:00Z"
    assert [formatting.span(n) for n in (0, 59, 60, 3661, 90061, 1209600, -5)] == [
        "0 s", "59 s", "1 min", "1 h 1 min", "1 d 1 h", "14 d", "0 s",
    ]  # fmt: skip


def test_what_a_ca_says_becomes_a_sentence_that_helps():
    said = formatting.sentence(RemoteError("not-valid", "The CA could not validate x: timeout"))
    assert said.startswith("The CA could not validate x: timeout; check that") and said.endswith(".")
    assert formatting.sentence(LocalError("config", "Do this.")) == "Do this."
    assert formatting.sentence(RemoteError("odd", "x")).endswith(".")


def test_version():
    done = subprocess.run([sys.executable, "-m", "ipcert_port", "--version"], capture_output=True, text=True)
    assert done.stdout == commands._version() + "\n"
