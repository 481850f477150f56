"""What `device.Device.event` is told meanwhile, and what it changes."""

from . import keys, limits, notices, plan
from .encoding import seal
from .errors import LocalError
from .order import states

# What an event asked of a record.
_RENEW = 0
_CONSENTED = 1
_REVOKE = 2


def take(dev, kind, value):
    """Carry out one event, as `Device.event` describes them. Raises LocalError."""
    act = {
        "consent": _consent,
        "renew": _renew,
        "revoke": _revoke,
        "account": _account,
        "recover": _recover,
        "deauthorize": _deauthorize,
        "adopt": _adopt,
    }.get(kind)
    if act is None:
        raise LocalError("event", "There is no event '%s'." % kind)
    act(dev, value)


def plan_asked(dev, now):
    """Plan what events asked for. They come at any time, also days after the last `next`: the clock of now counts."""
    for r, what in dev.asked:
        if r not in dev.journal.records():
            continue
        if what == _REVOKE:
            dev.plan_revocation(r, now)
        else:
            if what == _CONSENTED:
                r.consent_at = now
            r.revocation_reason = None  # the latest wish counts
            plan.first(r, dev.rng, now, True, 0)
        dev.dirty = True
    dev.asked = []


def _consent(dev, answer):
    challenge = dev.consent_challenge()
    if not challenge:
        raise LocalError("consent", "Nothing here needs consent.")
    if not dev.reconciled:
        raise LocalError("consent", "Ask again when the device has read its state.")
    if answer.strip().lower() != challenge:
        raise LocalError("consent", "That is not the answer asked for; nothing was ordered.")
    text = dev.groups[0][0]
    # An answer is good for once: whatever is asked next has another challenge.
    dev.journal.consent_nonce[:] = bytes(limits.HASH)
    for r in dev.journal.records():
        if r.identifiers_text.text() == text:
            dev.asked.append((r, _CONSENTED))
    dev.notice(notices.CONSENT_GIVEN, text)


def _find(dev, text, code, words):
    # The record of a text. Raises LocalError where there is none, or while its own order is in flight.
    for r in dev.journal.records():
        if r.identifiers_text.text() == text:
            if r is dev.issuance.record and dev.issuance.step != states.IDLE:
                raise LocalError("busy", "Its order is in flight; say so again when it is over.")
            return r
    raise LocalError(code, words % text)


def _renew(dev, text):
    for r in dev.journal.records():
        if r.identifiers_text.text() == text and (r.consent_at or not dev.asks()):
            dev.asked.append((r, _RENEW))
            return
    raise LocalError("event", "There is no certificate for '%s' to renew." % text)


def _revoke(dev, value):
    from .order import operations

    text, reason, by_key = value
    if reason not in operations.REASONS:
        raise LocalError(
            "revoke", "The reason must be one of %s." % ", ".join([str(k) for k in operations.REASONS])
        )
    words = "There is no certificate for '%s' to revoke."
    r = _find(dev, text, "revoke", words)
    if not r.file_id:
        raise LocalError("revoke", words % text)
    if by_key:
        _begin(dev, r, operations.REVOKE, (0,), True)
    else:
        dev.asked.append((r, _REVOKE))
    r.revocation_reason = reason
    r.ordered_at = 0
    dev.dirty = True


def _deauthorize(dev, text):
    words = "Nothing was proved for '%s' that the CA could forget."
    r = _find(dev, text, "account", words)
    if not r.order_url.size:
        raise LocalError("account", words % text)
    dev.give_back(r)


def _account(dev, what):
    from .order import operations

    purpose = {
        "contacts": operations.CONTACTS,
        "rollover": operations.ROLLOVER,
        "deactivate": operations.DEACTIVATE,
    }.get(what)
    if purpose is None:
        raise LocalError("event", "There is no account operation '%s'." % what)
    j = dev.journal
    roles = [role for role in (0, 1) if (j.account_url if role == j.account_role else j.other_account_url).size]
    if not roles:
        raise LocalError("account", "There is no account yet.")
    _begin(dev, None, purpose, roles)


def _begin(dev, record, purpose, roles, by_key=False):
    if dev.operations:
        raise LocalError("busy", "Another operation waits for its turn; say so again when it is done.")
    dev.operations = [(record, purpose, role, by_key) for role in roles]


def _recover(dev, d):
    from .order import operations

    signer, j = dev.port.signer, dev.journal
    if j.pending_account_file_id:
        raise LocalError("busy", "Another change of the account's key is under way; let it finish first.")
    signer.load(limits.SPARE, d)
    try:
        keys.check_new(signer, limits.SPARE, j)
    except LocalError:
        raise LocalError(
            "recover", "That key is or was in use on this device; an account key must be nothing else."
        )
    _begin(dev, None, operations.RECOVER, (0,))
    dev.accounts.use(0)
    j.pending_account_file_id = dev.new_generation()
    out = bytearray(seal.SEALED)
    n = seal.write(dev.port, limits.SPARE, out)
    dev.files.append(("account-%d" % j.pending_account_file_id, out, n))
    dev.dirty = True


def _adopt(dev, value):
    text, not_before, not_after, key_hash = value
    if not dev.reconciled:
        raise LocalError("adopt", "Ask again when the device has read its state.")
    r = _find(dev, text, "adopt", "'%s' is not what one certificate of this configuration is for.")
    if r.file_id:
        raise LocalError("adopt", "There is a certificate for '%s' already; nothing was adopted." % text)
    if not dev.journal.ring.holds(key_hash, 0):
        dev.journal.ring.add(key_hash, 0)
    r.not_before = not_before
    r.not_after = not_after
    dev.plan_renewal(r, dev.now)
    dev.dirty = True
