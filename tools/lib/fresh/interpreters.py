"""The kernel's interpreters for foreign programs (binfmt_misc), hidden while a bare tree is in use.

There is one register for the whole machine, and an entry with the flag F works in every tree, whatever is installed
there: a missing qemu-user would not show. So the entries are taken out and, in the end, put back as they were; what
was registered meanwhile is taken out. The rules are on disk before the first one goes: a run that is killed leaves
them to the next one. Meanwhile no foreign program starts on this machine, so there is one such run at a time.
"""

import contextlib
import json
import os
import subprocess

from tools.lib import cache
from tools.lib.fresh import finishing
from tools.lib.say import Stop, note

REGISTER = "/proc/sys/fs/binfmt_misc"
_CONTROLS = ("register", "status")


@contextlib.contextmanager
def hidden(only=None):
    """Hide the machine's interpreters for a `with` block; `only`: those with these names. Needs root. Raises `Stop`."""
    with cache.lock("fresh-interpreters"):
        if not mounted():  # a kernel without them has nothing to hide
            yield
            return
        kept = cache.path("fresh", "interpreters.json")
        _put_back_after_killed_run(kept)
        saved = {name: entry for name, entry in registered().items() if only is None or name in only}
        for name, entry in saved.items():
            if "F" in entry["flags"] and not os.path.exists(entry["interpreter"]):
                raise Stop(
                    f"The kernel's interpreter {name} ({entry['interpreter']}) could not be registered again "
                    f"afterwards, since its file is gone: take it out with `echo -1 > {REGISTER}/{name}` first."
                )
        os.makedirs(os.path.dirname(kept), exist_ok=True)
        with open(kept + ".new", "w") as file:
            json.dump({"boot": _boot(), "only": only and sorted(only), "entries": saved}, file)
        os.replace(kept + ".new", kept)
        try:
            for name in saved:
                _write(name, "-1")
            yield
        finally:
            with finishing():
                _put_back(only, saved)
                os.unlink(kept)


def registered():
    """The entries of this kernel by name, each as `parse` gives it."""
    found = {}
    for name in sorted(os.listdir(REGISTER)):
        if name not in _CONTROLS:
            with open(os.path.join(REGISTER, name)) as file:
                found[name] = parse(file.read())
    return found


def parse(text):
    """What the kernel says of one entry, as a dictionary: enabled, interpreter, flags, and a magic or an extension."""
    lines = text.splitlines()
    words = dict(line.replace("flags:", "flags", 1).partition(" ")[::2] for line in lines[1:])
    entry = {"enabled": lines[0] == "enabled", "interpreter": words["interpreter"], "flags": words["flags"]}
    if "extension" in words:
        entry["extension"] = words["extension"].lstrip(".")
    else:
        entry.update(offset=words["offset"], magic=words["magic"], mask=words.get("mask", ""))
    return entry


def rule(name, entry):
    """The line that registers `entry` again under `name`, as the kernel's `register` file takes it."""
    if "extension" in entry:
        fields = ["E", "", entry["extension"], ""]
    else:
        fields = ["M", entry["offset"], _escaped(entry["magic"]), _escaped(entry["mask"])]
    fields = [name, *fields, entry["interpreter"], entry["flags"]]
    mark = next(mark for mark in ":|;,!~" if not any(mark in field for field in fields))
    return mark + mark.join(fields)


def _escaped(digits):
    return "".join("\\x" + digits[at : at + 2] for at in range(0, len(digits), 2))


def mounted():
    """True where the register can be read and written; mounted for that where it is not. Needs root."""
    if os.path.exists(os.path.join(REGISTER, "register")):
        return True
    command = ["mount", "-t", "binfmt_misc", "binfmt_misc", REGISTER]
    return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0


def _put_back_after_killed_run(kept):
    try:
        with open(kept) as file:
            left = json.load(file)
    except OSError:
        return
    if left["boot"] == _boot():
        note("putting back the interpreters that a killed run had hidden")
        _put_back(left["only"], left["entries"])
    os.unlink(kept)


def _put_back(only, saved):
    for name in registered():
        if only is None or name in only:
            _write(name, "-1")
    for name, entry in saved.items():
        try:
            _write("register", rule(name, entry))
            if not entry["enabled"]:
                _write(name, "0")
        except OSError as error:
            note(f"The kernel's interpreter {name} could not be put back: {error}.")


def _write(name, text):
    with open(os.path.join(REGISTER, name), "w") as file:
        file.write(text)


def _boot():
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()
