"""`ipcert` on a router; `ports/router/README.md` says what there is.

micropython -m ipcert_router [--config FILE] run | check | status [--json] | renew NAME
"""

import asyncio
import errno
import json
import sys

from ipcert import identifiers, limits
from ipcert.errors import Error, LocalError, RemoteError

from . import config
from .helpers import say

_USAGE = "say what to do: ipcert [--config FILE] run | check | status [--json] | renew NAME"
_STATE = (
    "store",
    "store-open",
    "disk-full",
    "journal-corrupt",
    "journal-newer",
    "key-file",
    "cloned",
    "entropy",
)


def _code(error):
    """Exit codes as on CPython: 2 configuration, 5 network, 6 state, 9 another ipcert is at work."""
    if isinstance(error, RemoteError):
        return 5
    if error.code in _STATE:
        return 6
    return 9 if error.code == "locked" else 2


def _run(settings, words):
    from .service import Service

    asyncio.run(Service(settings).run())


def _check(settings, words):
    """Say what would be certified, and what stands in the way."""
    from . import service
    from .helpers import Helpers
    from .wan import Wan, addresses

    for one in settings.names + settings.addresses:
        say(one.value)
    if settings.interface:
        service.make(settings.run_dir)
        text = Helpers(settings.helpers, settings.run_dir)("addresses", settings.interface, keep=True)
        wan = Wan(settings.families, settings.test)
        wan.look(text)
        for family in wan.known:
            say("%s (from %s)" % (wan.known[family].value, settings.interface))
        if not wan.known:
            for one in addresses(text):
                if one.family in settings.families:
                    identifiers.check_public(one)
            raise LocalError("address", "%s has no address of the wanted family now." % settings.interface)
    if not settings.agree_terms:
        raise LocalError(
            "terms",
            "Read the CA's terms of service and set 'option agree_terms 1'; nothing is ordered before.",
        )


def _status(settings, words):
    from ipcert import journal, keys, plan

    from .clock import utc

    def read(name):
        # Not by a Store: that one tidies up, and the service may be in the middle of something.
        try:
            with open(settings.state_dir + "/" + name, "rb") as file:
                return file.read(limits.FILE)
        except OSError as e:
            if e.errno == errno.ENOENT:
                return None
            raise LocalError("store", "Cannot read %s (error %s)." % (settings.state_dir, e.errno))

    found = journal.Journal(keys.Ring(), _sha256)
    journal.Slots(found).load(read)
    out = []
    for r in found.records():
        out.append(
            {
                "identifiers": r.identifiers_text.text().split(","),
                "not_after": utc(r.not_after) if r.file_id else None,
                "next": utc(r.planned_at) if r.planned_at < limits.NEVER else None,
                # After a long absence, for privacy: the latest that it comes; `ipcert renew` fetches it now, and shows the two together.
                "waits_until": utc(r.window_end)
                if r.reason == plan.LATER and r.planned_at < limits.NEVER
                else None,
                "failures": r.failures,
            }
        )
    if "--json" in words:
        say(json.dumps({"certificates": out}))
        return
    for one in out:
        state = "valid until %s" % one["not_after"] if one["not_after"] else "not issued yet"
        until = one["waits_until"]
        waits = ", waits until %s at the latest (docs/privacy.md#p3)" % until if until else ""
        say("%s: %s, next at %s%s" % (", ".join(one["identifiers"]), state, one["next"] or "never", waits))
    if not out:
        say("Nothing has been planned yet.")


def _sha256(buf, start, end, out, off):
    import hashlib

    out[off : off + 32] = hashlib.sha256(memoryview(buf)[start:end]).digest()
    return off + 32


def _renew(settings, words):
    from .service import ask

    if len(words) != 1:
        raise LocalError("usage", "Say which certificate to renew, as 'ipcert status' writes it.")
    ask(settings, words[0])


_COMMANDS = {"run": _run, "check": _check, "status": _status, "renew": _renew}


def main(words):
    """Run one command; returns the exit code."""
    path = config.DEFAULT
    if words[:1] == ["--config"] and len(words) > 1:
        path = words[1]
        words = words[2:]
    try:
        if not words or words[0] not in _COMMANDS:
            raise LocalError("usage", _USAGE)
        _COMMANDS[words[0]](config.load(path), words[1:])
        return 0
    except Error as e:
        say("ipcert: " + str(e))
        return _code(e)
    except KeyboardInterrupt:
        return 130


sys.exit(main(sys.argv[1:]))
