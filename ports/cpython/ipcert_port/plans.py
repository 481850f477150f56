"""`ipcert plan`: what will happen when, what becomes public by it, and among how many. `ipcert status`: what there is."""

from ipcert import explanations, limits, notices, split

from . import crowd, exits, fleet
from .account import accounts
from .show import local, planned, span, utc
from .state import State
from .work import Work, certificates, groups


def published(config):
    """The notices about what will be public, as dicts."""
    certificates = split.certificates(config.identifiers, config.policy)
    mask = split.warn(certificates, config.policy.urgent == "both")
    out = []
    for k in range(len(notices.NOTICES)):
        if mask >> k & 1:
            subject = split.subject(k, config.identifiers)
            severity = notices.SEVERITY[notices.severity(k)]
            out.append({"code": notices.code(k), "severity": severity, "text": notices.text(k, subject)})
    return out + fleet.warnings(config)


def settled(config, progress):
    """The state, after its plans were made where some are missing."""
    state = State(config.state)
    if not state.found or sorted(r.identifiers_text.text() for r in state.journal.records()) != sorted(
        groups(config)
    ):
        with Work(config, progress, orders=False) as work:
            work.settle()
        state = State(config.state)
    return state


def run_plan(config, progress, explain=False):
    """The plans, made durably first where there are none yet; otherwise this only reads. (exit code, object)."""
    from .progress import Quiet

    state = settled(config, Quiet())
    records = state.records()
    public = published(config)
    waiting = _unconsented(config, records)
    out = {"plans": [planned(r) for r in records], "public": public, "consent_needed": waiting}
    out["crowd"] = crowd.lines(config)
    now = _now(state)
    for r in records:
        progress.say(_line(r, now, waiting))
        if explain:
            progress.say("    " + explanations.reason_text(r.reason if r.planned_at < limits.NEVER else 0))
            if r.planned_at < limits.NEVER and r.window_start < r.window_end:
                progress.say("    Drawn from %s to %s." % (local(r.window_start), local(r.window_end)))
    if public:
        progress.say("")
        progress.say("What becomes public:")
        for p in public:
            progress.say("  %s: %s" % (p["severity"], p["text"]))
    progress.say("")
    progress.say("The crowd in which you hide:")
    for line in out["crowd"]:
        progress.say("  " + line)
    if explain:
        progress.say("")
        progress.say("What you can set in [policy]:")
        for name, default, line in explanations.settings():
            progress.say("  %-12s %-9s %s" % (name, default, line))
    return exits.OK, out


def _line(r, now, waiting):
    ids = r.identifiers_text.text()
    if waiting:
        return "%s: waits for your consent; run 'ipcert consent'." % ids
    if r.planned_at >= limits.NEVER:
        return "%s: nothing is planned." % ids
    if r.planned_at <= now:
        return "%s: due since %s; 'ipcert issue' fetches it." % (ids, local(r.planned_at))
    return "%s: %s, in %s." % (ids, local(r.planned_at), span(r.planned_at - now))


def run_status(config, progress):
    """What there is. Reads only, and says so when there is nothing. (exit code, object)."""
    state = State(config.state)
    records = state.records()
    live = certificates(config, state)
    waiting = state.found and _unconsented(config, records)
    from . import lock

    daemon = lock.holder(config.state)
    out = {
        "ca": config.directory,
        "account": accounts(state.journal)[0][0] or None,
        "certificates": live,
        "plans": [planned(r) for r in records],
        "failures": {r.identifiers_text.text(): r.failures for r in records},
        "consent": {r.identifiers_text.text(): utc(r.consent_at) for r in records if r.consent_at},
        "consent_needed": bool(waiting),
        "daemon": daemon or None,
    }
    if not state.found:
        progress.say("There is no state in %s yet: 'ipcert issue' starts." % config.state)
        return exits.OK, out
    now = _now(state)
    by_ids = {",".join(c["identifiers"]): c for c in live}
    for r in records:
        ids = r.identifiers_text.text()
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
        progress.say("    next     " + _line(r, now, waiting)[len(ids) + 2 :])
    progress.say(
        "The daemon runs as process %d." % daemon if daemon else "The daemon does not run ('ipcert run')."
    )
    return exits.OK, out


def _unconsented(config, records):
    """True when a combined certificate is configured that the owner has not agreed to."""
    mixed = [one for one in split.certificates(config.identifiers, config.policy) if one.is_mixed()]
    if config.policy.setting != "home" or not mixed:
        return False
    combined = groups(config)[0]
    return not [r for r in records if r.identifiers_text.text() == combined and r.consent_at]


def _now(state):
    from .clock import Clock

    return Clock(state.journal.clock_floor).now()


def run_consent(config, progress, answer=None):
    """The consent exchange: without `answer` the warning and the challenge, with it the agreement. (code, object)."""
    from .progress import Quiet

    records = State(config.state).records()
    if not _unconsented(config, records):
        given = {r.identifiers_text.text(): utc(r.consent_at) for r in records if r.consent_at}
        text = "You have agreed already." if given else "Nothing in this configuration needs your consent."
        progress.say(text)
        return exits.OK, {"consent_needed": False, "consent": given, "challenge": None}
    with Work(config, Quiet(), orders=False) as work:
        work.settle()
        challenge = work.device.consent_challenge()
        if answer is not None:
            work.device.event("consent", answer)
            work.settle()
    ids = groups(config)[0]
    if answer is not None:
        when = {
            r.identifiers_text.text(): utc(r.consent_at)
            for r in State(config.state).records()
            if r.consent_at
        }
        progress.say("You agreed to one certificate for %s; 'ipcert issue' fetches it." % ids)
        return exits.OK, {"consent_needed": False, "consent": when, "challenge": None}
    public = [p for p in published(config) if p["code"] in ("combined", "families-in-one")]
    for p in public:
        progress.say("%s: %s" % (p["severity"], p["text"]))
    progress.say("If you want that all the same, run: ipcert consent %s" % challenge)
    return exits.CONSENT, {"consent_needed": True, "consent": {}, "challenge": challenge, "public": public}
