"""`ipcert run`: sleeps to the second of the next plan, then starts a short-lived child for it.

Here is no cryptography, no HTTP and no device: only the journal is read. The child is `ipcert issue` itself, so whatever
it needs in memory is gone when it ends.
"""

from __future__ import annotations

import marshal
import os
import signal
import sys
import time

from ipcert import limits
from ipcert.errors import Error, LocalError

from .. import exit_codes
from ..port import files, lock
from ..port.alarm import Alarm
from ..port.clock import Clock
from ..port.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from ..address.discovery import Watch
    from ..port.lock import Lock

_AGAIN = 10 * limits.MINUTE  # after a child that could not even write when to try next
_CLOCK = 30  # between looks at a clock that nobody has set since boot; bounded by `clock`'s patience


class Daemon:
    """`path` of the configuration; `json` for what the children print. `serve` until SIGTERM or SIGINT."""

    def __init__(self, path: str, json: bool = False) -> None:
        self._path = path
        self._json = json
        self._child = 0
        self._watch: Watch | None = None
        self._load()

    def _load(self) -> None:
        """Read the configuration in a child of its own: what parsing it needs does not stay in memory."""
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            _tell(write, self._path)
        os.close(write)
        with open(read, "rb") as file:
            answer = file.read()
        os.waitpid(pid, 0)
        told: tuple[Any, Any, Any] = marshal.loads(answer) if answer else (None, None, None)
        state, fields, error = told
        if state is None:
            raise LocalError(*error or ("config", "The configuration could not be read."))
        self.state = state
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        if fields[0]:
            from ..address import discovery

            self._watch = discovery.Watch(fields)

    def serve(self) -> int:
        """Returns the exit code."""
        try:
            files.folder(self.state, 0o700)
        except OSError as e:
            raise LocalError(
                "store",
                "Cannot make %s: %s; run as its owner or choose another state folder."
                % (self.state, (e.strerror or str(e)).lower()),
            ) from None
        held = lock.Lock(self.state, lock.DAEMON)
        alarm = Alarm(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        try:
            held = self._loop(alarm, held)
            return exit_codes.OK
        finally:
            self._end()
            alarm.close()
            held.close()

    def _loop(self, alarm: Alarm, held: Lock) -> Lock:
        clock = Clock()
        # The first child matches the state with the configuration and deploys what is missing.
        due = 0
        while True:
            caught, alarm.caught = alarm.caught, set()
            if caught & {signal.SIGTERM, signal.SIGINT}:
                return held
            if signal.SIGHUP in caught:
                held = self._again(held)
                due = 0
            if signal.SIGCHLD in caught and self._child:
                due = self._ended(clock, due)
            if self._child:
                alarm.wait(limits.NEVER)
            elif not clock.trustworthy():
                # Setting the clock wakes us at once; only a first synchronisation without a step has to be looked for.
                alarm.wait(int(time.time()) - limits.EPOCH_UNIX + _CLOCK)
            elif due <= clock.now() or self._moved(clock):
                self._start()
            elif self._watch is not None:
                alarm.wait(min(due, self._watch.at), self._watch.fds())
            else:
                alarm.wait(due)

    def _moved(self, clock: Clock) -> bool:
        """True when the home has an address that the state does not know (docs/privacy.md#p6)."""
        try:
            return self._watch is not None and self._watch.changed(
                clock.now(), lambda: State(self.state), _say
            )
        except Error:
            return True  # the child says what is the matter with the state

    def _again(self, held: Lock) -> Lock:
        old = self.state
        try:
            self._load()
            if self.state != old:
                files.folder(self.state, 0o700)
                fresh = lock.Lock(self.state, lock.DAEMON)
                held.close()
                return fresh
        except Error as e:
            self.state = old
            _say("%s The configuration read before stays in use." % e)
        except OSError as e:
            self.state = old
            _say("%s: %s. The configuration read before stays in use." % (self._path, e.strerror))
        return held

    def _start(self) -> None:
        command = [sys.executable, "-m", "ipcert_port", "issue", "--child", "--config", self._path]
        if self._json:
            command.append("--json")
        # The child must not inherit what the alarm ignores or blocks; Python's own handlers are reset by exec.
        self._child = os.posix_spawn(sys.executable, command, os.environ)

    def _ended(self, clock: Clock, due: int) -> int:
        pid, status = os.waitpid(self._child, os.WNOHANG)
        if not pid:
            return due
        self._child = 0
        if os.waitstatus_to_exitcode(status) == exit_codes.OUTPUT:
            status = 0  # all is done; nobody could read of it
        now = clock.now()
        try:
            upcoming = State(self.state).upcoming()
        except Error as e:
            _say(str(e))
            return now + _AGAIN
        if status and self._watch is not None:
            self._watch.at = min(self._watch.at, now + limits.MINUTE)
        # A child that could not save its next plan must not be started over and over.
        return max(upcoming, now + _AGAIN) if status and upcoming <= now else max(upcoming, now + 1)

    def _end(self) -> None:
        if self._child:
            os.kill(self._child, signal.SIGTERM)
            os.waitpid(self._child, 0)
            self._child = 0


def _tell(write: int, path: str) -> NoReturn:
    """In the forked child: read the configuration, write one answer, and be gone."""
    from ..config.reader import load

    try:
        try:
            config = load(path)
            answer: tuple[Any, Any, Any] = (config.state, config.address.fields(), None)
        except Error as e:
            answer = (None, None, (e.code, str(e)))
        with open(write, "wb") as file:
            file.write(marshal.dumps(answer))
    finally:
        os._exit(
            0
        )  # no cleaning up of the parent's things; without an answer the parent says that it has none


def _say(sentence: str) -> None:
    print("ipcert: %s" % sentence, file=sys.stderr, flush=True)
