"""A Go program whose time is moved: `time.Now` reads how many seconds it is ahead from the file that IPCERT_CLOCK names.

Go programs take the time from the kernel without the C library, so nothing outside of them can move it. Go's own overlay
(`go build -overlay`) can: the toolchain's time.go with one line more, made from the one that is installed, and a file
beside it. Without IPCERT_CLOCK such a program is like any other. What waits goes by the monotonic clock and is not moved.
"""

import json
import os
import re
import subprocess

from tools.lib.say import Stop

VARIABLE = "IPCERT_CLOCK"
_NOW = re.compile(r"^func Now\(\) Time \{\n\tsec, nsec, mono := \w+\(\)\n", re.MULTILINE)
_AHEAD = """package time

import "syscall"

func ahead() (seconds int64) {
	path, found := syscall.Getenv("%s")
	if !found {
		return 0
	}
	fd, err := open(path)
	if err != nil {
		return 0
	}
	var text [16]byte
	n, _ := read(fd, text[:])
	closefd(fd)
	for i := 0; i < n && '0' <= text[i] && text[i] <= '9'; i++ {
		seconds = seconds*10 + int64(text[i]-'0')
	}
	return seconds
}
"""


def overlay(target, go):
    """Write the overlay for the program `go` into the directory `target`; returns the path for `go build -overlay`.

    Raises `Stop`.
    """
    done = subprocess.run([go, "env", "GOROOT"], stdout=subprocess.PIPE, text=True)
    folder = os.path.join(done.stdout.strip(), "src", "time")
    try:
        with open(os.path.join(folder, "time.go")) as file:
            text = file.read()
    except OSError as error:
        raise Stop(f"Go's own sources cannot be read ({error}); install Go with its source.") from error
    if len(_NOW.findall(text)) != 1:
        raise Stop(
            f"{folder}/time.go is not as tools/lib/build/goclock.py knows it: look at its Now() and change it there."
        )
    replaced = {}
    for name, content in (
        ("time.go", _NOW.sub(lambda match: match.group() + "\tsec += ahead()\n", text)),
        ("ahead.go", _AHEAD % VARIABLE),
    ):
        replaced[os.path.join(folder, name)] = os.path.join(target, "moved-" + name)
        with open(os.path.join(target, "moved-" + name), "w") as file:
            file.write(content)
    path = os.path.join(target, "overlay.json")
    with open(path, "w") as file:
        json.dump({"Replace": replaced}, file)
    return path


class Clock:
    """What a moved program is told: `Clock(path).set(seconds)`; its `environment` is for the program."""

    def __init__(self, path):
        self._path = path
        self.environment = {VARIABLE: path}
        self.set(0)

    def set(self, seconds):
        """From now on it is this many seconds ahead of real time, at least 0."""
        with open(self._path + ".new", "w") as file:
            file.write("%d\n" % seconds)
        os.replace(self._path + ".new", self._path)
