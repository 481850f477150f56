"""How root's `ipcert` becomes the service's user's, with the Debian package: python3 -m ipcert_port.cli.as_service FOLDER WORDS...

FOLDER is the service's: whoever owns it is who the command runs as, so that the files in it stay that user's. That user may have
been taken over, so the command is run as a stranger's would be:

- in a session of its own, and with a terminal of its own where root has one. A terminal that is shared is a keyboard that is
  shared: with TIOCSTI whoever has it types into root's shell.
- what it prints is shown without what would have a terminal do or answer anything but text, colour and movement;
- with a clean environment, no other open file, no way to new privileges, and the one capability of the service.

docs/design.md says what else goes between root's side and the service's.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pwd
import re
import select
import signal
import stat
import struct
import sys
import termios
import time
import tty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SETPRIV = "/usr/bin/setpriv"
_KEPT = re.compile(
    r"LANG|LANGUAGE|LC_[A-Z]+|TERM|COLORTERM|NO_COLOR|COLUMNS|LINES|TZ|(?i:https?|all|no)_(?i:proxy)"
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ONLY = "-all,+net_bind_service"
_LINGER = 0.5  # seconds in which a command that ended may still be heard
_PIECE = 4096


def owner(folder: str) -> pwd.struct_passwd:
    """The passwd entry of the service's user. Raises SystemExit with a sentence."""
    try:
        seen = os.lstat(folder)
        if not stat.S_ISDIR(seen.st_mode):
            sys.exit("ipcert: %s is no folder; install the package again." % folder)
        return pwd.getpwuid(seen.st_uid)
    except FileNotFoundError:
        return pwd.getpwnam("ipcert")
    except KeyError:
        sys.exit("ipcert: %s belongs to nobody that this machine knows; give it to the user ipcert." % folder)


def command(user: pwd.struct_passwd, words: Sequence[str]) -> list[str]:
    """The argument list that runs `ipcert WORDS` as a user."""
    isolated = ["-I"] if sys.flags.isolated else []
    python = [sys.executable, *isolated, "-m", "ipcert_port", *words]
    if not user.pw_uid:
        return python
    change = ["--reuid=%d" % user.pw_uid, "--regid=%d" % user.pw_gid, "--init-groups", "--no-new-privs"]
    powers = ["--inh-caps=" + _ONLY, "--ambient-caps=" + _ONLY, "--bounding-set=" + _ONLY]
    return [SETPRIV, *change, *powers, *python]


def environment(user: pwd.struct_passwd) -> dict[str, str]:
    """What the command is told of root's environment: how to speak, which proxy to ask, and nothing else."""
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    kept.update(PATH=_PATH, HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name, SHELL="/bin/sh")
    if not sys.flags.isolated and "PYTHONPATH" in os.environ:
        kept["PYTHONPATH"] = os.environ["PYTHONPATH"]
    return kept


class Screen:
    """Makes what a stranger prints harmless to a terminal: `show(bytes)` returns what may be shown.

    Text, newlines, tabs, colours, and movement of the cursor. Not: what makes a terminal answer as if somebody typed, set a title
    or the clipboard, switch modes, or what it may do with controls that nobody has thought of here.
    """

    _TEXT, _ESCAPE, _SEQUENCE, _STRING, _STRING_ESCAPE = range(5)

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._state = self._TEXT
        self._parameters = ""

    def show(self, data: bytes) -> bytes:
        """The part of `data` that may be shown, as bytes."""
        out: list[str] = []
        for c in self._decoder.decode(data):
            self._one(c, out)
        return "".join(out).encode()

    def _one(self, c: str, out: list[str]) -> None:
        if self._state == self._STRING:
            if c in "\x07\x9c\x18\x1a":
                self._state = self._TEXT
            elif c == "\x1b":
                self._state = self._STRING_ESCAPE
        elif self._state == self._STRING_ESCAPE:
            self._state = self._TEXT if c == "\\" else self._STRING
        elif c == "\x1b":
            self._state = self._ESCAPE
        elif self._state == self._ESCAPE:
            self._parameters = ""
            # Operating system commands, device control and their like run to an end of their own.
            self._state = {"[": self._SEQUENCE, **dict.fromkeys("]PX^_", self._STRING)}.get(c, self._TEXT)
        elif self._state == self._SEQUENCE:
            if c in "0123456789;?" and len(self._parameters) < 32:
                self._parameters += c
            elif "@" <= c <= "~" or c < " ":
                self._state = self._TEXT
                if (
                    c in "ABCDEFGHJKfm"
                    and "?" not in self._parameters
                    or c in "hl"
                    and self._parameters == "?25"
                ):
                    out.append("\x1b[%s%s" % (self._parameters, c))
            else:
                self._parameters = "?"  # whatever it is, it is not shown
        elif c in "\n\r\t\b" or c >= " " and not "\x7f" <= c <= "\x9f":
            out.append(c)


def main(arguments: Sequence[str]) -> int:
    """Run a command as the service's user; returns its exit status."""
    folder, words = arguments[0], arguments[1:]
    user = owner(folder)
    line = command(user, words)
    terminals = [fd for fd in (0, 1, 2) if os.isatty(fd)]
    if not terminals:
        return _wait(_start(line, environment(user), None, ()))
    master, slave = os.openpty()
    os.set_inheritable(slave, False)
    _size(terminals[0], slave)
    termios.tcsetattr(slave, termios.TCSANOW, termios.tcgetattr(terminals[0]))
    pid = _start(line, environment(user), slave, terminals)
    os.close(slave)
    return _relay(pid, master, terminals)


def _start(
    line: Sequence[str], environ: Mapping[str, str], slave: int | None, terminals: Sequence[int]
) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        if slave is not None:
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in terminals:
                os.dup2(slave, fd)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.execve(line[0], list(line), environ)
    except OSError as e:
        os.write(2, ("ipcert: cannot run %s: %s\n" % (line[0], e.strerror)).encode())
    finally:
        os._exit(127)


def _size(source: int, target: int) -> None:
    try:
        fcntl.ioctl(
            target, termios.TIOCSWINSZ, fcntl.ioctl(source, termios.TIOCGWINSZ, bytes(struct.calcsize("4H")))
        )
    except OSError:
        return  # a terminal without a size


def _status(code: int) -> int:
    return os.WEXITSTATUS(code) if os.WIFEXITED(code) else 128 + os.WTERMSIG(code)


def _forward(pid: int) -> None:
    def send(number: int, frame: object) -> None:
        try:
            os.killpg(pid, number)
        except OSError:
            return  # it has ended, or is not there yet

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, send)


def _wait(pid: int) -> int:
    _forward(pid)
    return _status(os.waitpid(pid, 0)[1])


def _relay(pid: int, master: int, terminals: Sequence[int]) -> int:
    _forward(pid)
    signal.signal(signal.SIGWINCH, lambda number, frame: _size(terminals[0], master))
    shown = 1 if 1 in terminals else terminals[-1]
    screen = Screen()
    saved = None
    # In the background root's keyboard is somebody else's.
    reads = [0, master] if 0 in terminals and os.tcgetpgrp(0) == os.getpgrp() else [master]
    if 0 in reads:
        saved = termios.tcgetattr(0)
        tty.setraw(0)
    try:
        code = end = None
        while end is None or time.monotonic() < end:
            ready = select.select(reads, [], [], 0.1)[0]
            if 0 in ready:
                typed = os.read(0, _PIECE)
                if typed:
                    os.write(master, typed)
                else:
                    reads.remove(0)
            if master in ready:
                try:
                    said = os.read(master, _PIECE)
                except OSError:
                    said = b""  # nobody has the other end any more
                if not said:
                    break
                _show(shown, screen.show(said))
            elif end is not None:
                break
            if code is None:
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    code, end = status, time.monotonic() + _LINGER
        if code is None:
            code = os.waitpid(pid, 0)[1]
        return _status(code)
    finally:
        if saved is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)
        os.close(master)


def _show(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
