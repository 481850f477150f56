"""The journal's lineages against the identifiers there are now: which are new, renamed or retired, and what the owner
must be told about them.
"""

from . import identifiers, limits, notices, plan, split

# What is told again for each new IPv6 address: it is another one that becomes public.
_AGAIN = 1 << notices.IPV6_PUBLISHED | 1 << notices.EUI64


def reconcile(dev, now):
    """Match the records of a `device.Device` with its groups of identifiers; plan what is new. `now`: core seconds."""
    j = dev.journal
    wanted = [text for text, ids in dev.groups]
    lasted = {}
    spare = None
    for r in j.records():
        text = r.identifiers_text.text()
        if text in wanted:
            continue
        family = identifiers.parse(text.split(",")[0]).family
        if family == 0 and spare is None and not dev.policy.combined:
            spare = r
            continue
        _retire(dev, r, text)
        lasted[family] = now - r.created_at
        j.drop(r)
    known = [r.identifiers_text.text() for r in j.records()]
    for text, ids in dev.groups:
        if text in known:
            continue
        family = ids[0].family
        if family == 0 and spare is not None and not dev.policy.combined:
            # Other names for the same lineage: what is served stays until the new one is there.
            r, spare = spare, None
            _give_back(dev, r)
            r.consent_at = 0
        else:
            r = j.new()
            r.created_at = now
        if family == 6:
            j.told_notices &= ~_AGAIN
        r.identifiers_text.set(text.encode())
        if family in lasted:
            plan.held(r, dev.rng, now, lasted[family], dev.policy.min_ip_age)
            dev.notice(notices.HELD, text)
        else:
            plan_first(dev, r, now)
        dev.squeeze(r, now)
        dev.dirty = True
    if spare is not None:
        _retire(dev, spare, spare.identifiers_text.text())
        j.drop(spare)
    if dev.asks():
        _ask(dev)
    mask = dev.mask & ~j.told_notices
    for k in range(len(notices.NOTICES)):
        if mask >> k & 1:
            dev.notice(k, split.subject(k, [i for text, ids in dev.groups for i in ids]))
    if mask:
        j.told_notices |= mask
        dev.dirty = True
    _collect(dev)
    dev.reconciled = True


def plan_first(dev, r, now):
    """P1: a lineage's first issuance, at once for the urgent one."""
    urgent = _is_urgent(dev, r.identifiers_text.text())
    if urgent and dev.policy.spread:
        plan.first(r, dev.rng, now, False, dev.policy.spread)
    else:
        plan.first(r, dev.rng, now, urgent, dev.policy.first_delay)


def _ask(dev):
    j = dev.journal
    for r in j.records():
        if not r.consent_at:
            r.planned_at = limits.NEVER
            if not any(j.consent_nonce):
                dev.port.entropy.fill(j.consent_nonce)
            dev.dirty = True
            dev.notice(notices.CONSENT_NEEDED, r.identifiers_text.text())


def _is_urgent(dev, text):
    # One goes at once: the first of the urgent kind, or of the only kind there is.
    want = dev.policy.urgent
    first = None
    for t, group in dev.groups:
        kind = "ip" if group[0].family else "domain"
        if kind == want or want == "both" and kind == "ip":
            first = t
            break
    return text == (first or dev.groups[0][0])


def _retire(dev, r, text):
    dev.take_down(r)
    if r.pending_file_id:
        dev.journal.ring.add(r.pending_key_hash, 0)
    _give_back(dev, r)
    dev.notice(notices.RETIRED, text)
    dev.dirty = True


def _give_back(dev, r):
    # What stays ours is not proved again: where something of an order does, the rest of it is left to expire.
    ours = [i.value for text, ids in dev.groups for i in ids]
    for value in r.identifiers_text.text().split(","):
        if value in ours:
            r.order_url.set(b"")
            r.ordered_at = 0
    dev.give_back(r)


def _collect(dev):
    # Files that nothing refers to: of retired keys, or left by a power cut.
    j = dev.journal
    live = ["account-%d" % n for n in (j.account_file_id, j.other_account_file_id, j.pending_account_file_id)]
    for r in j.records():
        for n in (r.file_id, r.pending_file_id):
            live.append("key-%d" % n)
            live.append("chain-%d" % n)
    for name in dev.port.names():
        if name.split("-")[0] in ("key", "chain", "account") and name not in live and name not in dev.garbage:
            dev.garbage.append(name)
            # Its number was given away before the power went: a new file under the same name would be erased too.
            if name.split("-")[1].isdigit():
                j.last_file_id = max(j.last_file_id, int(name.split("-")[1]))
