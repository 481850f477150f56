"""`ipcert status`: what there is. It only reads."""

import os
import sys

from ipcert import limits, split
from ipcert.errors import RemoteError

from .. import exit_codes
from ..deploy.folders import folder_name
from ..formatting import certificate, local, planned, span, utc
from ..port import lock
from ..port.clock import Clock
from ..port.state import State, accounts


def run(config, progress):
    """What there is. Reads only, and says so when there is nothing. (exit code, object)."""
    state = State(config.state)
    records = state.records()
    live = certificates(config, state)
    waiting = state.found and unconsented(config, records)
    daemon = lock.holder(config.state)
    out = {
        "ca": config.directory,
        "account": accounts(state.journal)[0][0] or None,
        "certificates": live,
        "plans": [planned(r) for r in records],
        "failures": {r.ids.text(): r.failures for r in records},
        "consent": {r.ids.text(): utc(r.consent_at) for r in records if r.consent_at},
        "consent_needed": bool(waiting),
        "daemon": daemon or None,
    }
    if not state.found:
        progress.say("There is no state in %s yet: 'ipcert issue' starts." % config.state)
        return exit_codes.OK, out
    now = now_of(state)
    by_ids = {",".join(c["identifiers"]): c for c in live}
    for r in records:
        ids = r.ids.text()
        c = by_ids.get(ids)
        if c is None:
            progress.say("%s: no certificate yet." % ids)
        else:
            left = r.not_after - now
            when = "valid for %s more" % span(left) if left > 0 else "EXPIRED %s ago" % span(-left)
            progress.say("%s: %s, until %s." % (ids, when, local(r.not_after)))
            progress.say("    files    %s" % c["path"])
            progress.say("    key      %s" % c["spki_sha256"])
            progress.say("    profile  %s" % (c["profile"] or "none"))
        if r.failures:
            progress.say(
                "    failed   %s" % ("once" if r.failures == 1 else "%d times in a row" % r.failures)
            )
        if r.consent_at:
            progress.say("    consent  given on %s" % local(r.consent_at))
        progress.say("    next     " + plan_line(r, now, waiting)[len(ids) + 2 :])
    progress.say(
        "The daemon runs as process %d." % daemon if daemon else "The daemon does not run ('ipcert run')."
    )
    return exit_codes.OK, out


def certificates(config, state):
    """The live certificates as dicts for --json."""
    out = []
    for r in state.records():
        chain = state.chain(r)
        if chain is None:
            continue
        path = os.path.join(config.deploy, folder_name(r.ids.text().split(",")))
        try:
            out.append(certificate(r, chain, path))
        except RemoteError:
            print(
                "ipcert: the chain of %s on the disk is damaged; the next start replaces it." % r.ids.text(),
                file=sys.stderr,
            )
    return out


def plan_line(r, now, waiting):
    """One lineage's plan as a line."""
    ids = r.ids.text()
    if waiting:
        return "%s: waits for your consent; run 'ipcert consent'." % ids
    if r.at >= limits.NEVER:
        return "%s: nothing is planned." % ids
    if r.at <= now:
        return "%s: due since %s; 'ipcert issue' fetches it." % (ids, local(r.at))
    return "%s: %s, in %s." % (ids, local(r.at), span(r.at - now))


def unconsented(config, records):
    """True when a combined certificate is configured that the owner has not agreed to."""
    assigned = bytearray(len(config.identifiers))
    n = split.assign(config.identifiers, assigned, config.policy.combined)
    mask = split.warn(config.identifiers, assigned, n, False, True)
    if config.policy.setting != "home" or not split.needs_consent(mask):
        return False
    combined = config.groups()[0]
    return not [r for r in records if r.ids.text() == combined and r.consent_at]


def now_of(state):
    """The time, never before what the journal knows to be past."""
    return Clock(state.journal.floor).now()
