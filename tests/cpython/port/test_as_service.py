"""`ipcert` as root starts it: what the terminal is shown, what is typed, exit statuses and signals."""

import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest

from ipcert_port.cli.as_service import Screen
from tools.lib import cache
from tools.lib.redteam import service

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="that takes root")


def shown(*pieces):
    screen = Screen()
    return b"".join([screen.show(piece) for piece in pieces])


def test_text_colour_and_movement_are_shown_and_nothing_else():
    assert shown(b"plain \xc3\xa9\t\r\n\b", b"\x1b[1;31mred\x1b[0m\x1b[2K\x1b[1A\x1b[?25l") == (
        b"plain \xc3\xa9\t\r\n\b\x1b[1;31mred\x1b[0m\x1b[2K\x1b[1A\x1b[?25l"
    )
    for evil in (
        b"\x1b]0;title\x07", b"\x1b]52;c;YQ==\x1b\\", b"\x1bP$qm\x1b\\", b"\x1b[c", b"\x1b[>c", b"\x1b[6n", b"\x1b[?1049h",
        b"\x1b[21t", b"\x1bc", b"\x07", b"\x00", b"\x7f", b"\xc2\x9b6n"[:2], b"\x1b[5i", b"\x1b_x\x1b\\", b"\x1b^x\x1b\\",
        b"\x1b[" + b"1" * 50 + b"m", b"\x1b[ q", b"\x1b(0"[:2],
    ):  # fmt: skip
        assert b"\x1b" not in shown(b"a", evil, b"b"), evil
        assert shown(b"a" + evil).startswith(b"a") and b"title" not in shown(evil)
    # In pieces, and broken UTF-8.
    assert shown(b"\x1b", b"[", b"3", b"1m", b"\xc3", b"\xa9", b"\xff") == b"\x1b[31m\xc3\xa9\xef\xbf\xbd"


@pytest.fixture
def run(tmp_path):
    """run(text of the command's program, terminal=True): a process of root's, and its terminal's other end or None."""
    children = []

    def start(program, terminal=True, **options):
        package = tmp_path / str(len(children)) / "ipcert_port"
        package.mkdir(parents=True)
        real = os.path.join(cache.ROOT, "ports", "cpython", "ipcert_port")
        (package / "__init__.py").write_text("__path__.append(%r)\n" % real)
        (package / "__main__.py").write_text(program)
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        os.chown(home, service.user(), -1)
        for path in (tmp_path, *tmp_path.parents[:3]):
            os.chmod(path, 0o755)
        environment = dict(os.environ, PYTHONPATH="%s:%s" % (package.parent, cache.ROOT))
        command = [sys.executable, "-m", "ipcert_port.cli.as_service", str(home), "x"]
        master = None
        if terminal:
            master, slave = pty.openpty()
            options = dict(stdin=slave, stdout=slave, stderr=slave, preexec_fn=lambda: _own(slave))
        child = subprocess.Popen(command, env=environment, cwd="/", **options)
        children.append((child, master))
        if terminal:
            os.close(slave)
        return child, master

    yield start
    for child, master in children:
        child.kill()
        child.wait()
        if master is not None:
            os.close(master)


def _own(slave):
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


def said(master, wanted, seconds=30):
    """What the terminal is shown, until `wanted` is in it."""
    text = b""
    end = time.monotonic() + seconds
    while wanted not in text and time.monotonic() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                text += os.read(master, 4096)
            except OSError:
                break
    return text


def test_what_root_types_reaches_the_command_and_its_status_comes_back(run):
    child, master = run(
        "import sys\nprint('ready', flush=True)\nprint('got', input(), flush=True)\nsys.exit(7)\n"
    )
    assert b"ready" in said(master, b"ready")
    os.write(master, b"erase\r")
    assert b"got erase" in said(master, b"got erase") and child.wait(30) == 7


def test_control_c_and_signals_reach_the_command(run):
    program = "import time\nprint('ready', flush=True)\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    raise SystemExit(130)\n"
    child, master = run(program)
    said(master, b"ready")
    os.write(master, b"\x03")
    assert child.wait(30) == 130
    child, master = run(program)
    said(master, b"ready")
    child.send_signal(signal.SIGTERM)
    assert child.wait(30) == 128 + signal.SIGTERM


def test_without_a_terminal_it_is_a_filter_like_any_other(run):
    program = (
        "import os, sys\nsys.stdout.write(sys.stdin.read().upper())\nsys.exit(os.getuid() != %d)\n"
        % service.user()
    )
    child, _ = run(program, False, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    assert child.communicate(b"abc", 30)[0] == b"ABC" and child.returncode == 0
