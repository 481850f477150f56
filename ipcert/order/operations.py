"""What is done with an account or a certificate besides ordering one (RFC 8555 7.3.2, 7.3.5, 7.3.6, 7.5.2, 7.6).

A `device.Device` runs one operation at a time through the steps of `issuance`; this file says what each of them sends
and what its success means. It is loaded when the first one is asked for.
"""

from .. import keys, limits, notices
from ..acme import account
from ..encoding import base64url, jws, p256, x509
from ..encoding.buffer import put
from ..errors import LocalError
from .issuance import DEAUTHORIZE, REVOKE

CONTACTS = 3
ROLLOVER = 4
DEACTIVATE = 5
RECOVER = 6  # the account of a key from elsewhere; `issuance` asks for it on its way here
REASONS = (
    0,
    1,
    3,
    4,
    5,
)  # RFC 5280 5.3.1, those that a subscriber may give (RFC 8555 7.6 leaves it to the CA)


def make_key(dev, it):
    """ROLLOVER: make the new account key and fill the action with its file."""
    j = dev.journal
    dev.port.signer.generate(limits.SPARE)
    keys.check_new(dev.port.signer, limits.SPARE, j)
    j.pending_account_file_id = dev.new_generation()
    dev.write_key(limits.SPARE, "account-%d" % j.pending_account_file_id, it)


def send(dev, it, purpose, record, by_key):
    """Fill the action with the request of the operation."""
    directory = dev.directory
    if purpose == REVOKE:
        _revoke(dev, it, record, by_key)
    elif purpose == CONTACTS:
        n = account.write_contacts(dev.work, 0, dev.policy.contacts)
        dev.exchange.post(it, directory, dev.journal.account_url.text(), dev.work, n)
    elif purpose == DEACTIVATE:
        give_back(dev, it, dev.journal.account_url.text())
    else:
        _roll_over(dev, it)


def give_back(dev, it, url):
    """Fill the action with the deactivation of an account (7.3.6) or of an authorization (7.5.2)."""
    n = put(dev.work, 0, b'{"status":"deactivated"}')
    dev.exchange.post(it, dev.directory, url, dev.work, n)


def _revoke(dev, it, record, by_key):
    pem = dev.port.read("chain-%d" % record.file_id)
    if pem is None:
        raise LocalError("revoke", "The certificate for %s is not there any more." % record.identifiers_text.text())
    leaf = bytearray(limits.CERTIFICATE)
    walk = x509.Pem()
    walk.load(pem, 0, len(pem))
    end = walk.next(leaf, 0)
    payload = bytearray(end * 4 // 3 + 64)
    n = put(payload, 0, b'{"certificate":"')
    n = base64url.write_url(payload, n, leaf, 0, end)
    n = put(payload, n, b'","reason":%d}' % record.revocation_reason)
    slot = limits.ACCOUNT
    if by_key:
        slot = limits.SUBJECT
        dev.load_key(slot, "key-%d" % record.file_id)
        point = bytearray(p256.POINT)
        dev.port.signer.public(slot, point, 0)
        dev.exchange.jws.set_jwk(point)
    dev.exchange.post(it, dev.directory, dev.directory.revoke, payload, n, "", slot)


def _roll_over(dev, it):
    point = bytearray(p256.POINT)
    dev.port.signer.public(limits.SPARE, point, 0)
    inner = jws.Jws()
    inner.set_jwk(point)
    payload = bytearray(limits.URL + 200)
    n = jws.write_key_change(payload, 0, dev.journal.account_url.get(), dev.accounts.point, 0)
    out = bytearray(limits.URL * 3 + 900)
    url = dev.directory.key_change
    n = inner.write_inner(out, 0, dev.port.signer, limits.SPARE, url.encode(), payload, n)
    dev.exchange.post(it, dev.directory, url, out, n)


def finish(dev, purpose, record):
    """The CA did it: change the journal, which is written next."""
    j = dev.journal
    if purpose == REVOKE:
        dev.take_down(record)
        record.revocation_reason = None
        record.planned_at = limits.NEVER
        j.revoked_at = dev.now
        for r in j.records():
            if r.revocation_reason is not None:
                dev.plan_revocation(r, dev.now)
        dev.notice(notices.REVOKED, record.identifiers_text.text())
    elif purpose == ROLLOVER:
        dev.accounts.adopt()
    elif purpose == DEACTIVATE:
        j.account_url.set(b"")
        dev.accounts.forget()
        for r in j.records():
            r.planned_at = limits.NEVER
            if r.order_role == j.account_role:  # what it proved ended with it
                r.order_url.set(b"")


def is_done(purpose, kind, status):
    """True when a refusal says that the operation was done before: power went before we could note it."""
    if purpose == REVOKE:
        return kind == "alreadyRevoked"
    if purpose == DEAUTHORIZE:  # the order or the authorization is gone, or in no state to be given back
        return status in (403, 404) or kind == "accountDoesNotExist"
    return purpose == DEACTIVATE and kind == "unauthorized" and status in (401, 403)  # 7.3.6
