"""A key that is to follow the account's: made for a rollover, or brought from elsewhere for a recovery (RFC 8555 7.3.5, 7.3.1).

What holds. The pending key is in a file of its own, and in the journal, before the CA hears of it. Until it is cleared up whether
the CA knows it (`find`), nothing else is signed. Each function takes the `account.Account` that the key is to belong to.

What must never happen: an account whose key the CA knows and we do not.
"""

from . import keys, limits
from .account import EVERYTHING
from .acme import account as account_resource
from .errors import LocalError


def _number(account):
    # A number for the pending key's file, which the journal has from now on.
    journal = account.storage.journal
    journal.pending_account_file_id = account.storage.new_file_id()
    return journal.pending_account_file_id


def make(account, action):
    """Make the key that is to follow the account's, and fill the action with its file."""
    # The account's slot keeps the old key, which has to sign the change.
    account.keyring.make(limits.SPARE)
    account.keyring.write(action, limits.SPARE, "account-%d" % _number(account))


def take(account, scalar):
    """A key from elsewhere, 32 bytes, is to be the account's: it is put into the spare slot.

    Raises LocalError for a key that is or was in use here, or while another one is pending.
    """
    journal = account.storage.journal
    if journal.pending_account_file_id:
        raise LocalError("busy", "Another change of the account's key is under way; let it finish first.")
    signer = account.keyring.signer
    # The signer refuses what is no scalar of the curve, before anything here has changed.
    account.keyring.forget(limits.SPARE)
    signer.load(limits.SPARE, scalar)
    try:
        keys.check_new(signer, limits.SPARE, journal)
    except LocalError:
        raise LocalError(
            "recover", "That key is or was in use on this device; an account key must be nothing else."
        )


def keep(account):
    """Have the file of the key that `take` found good written. It belongs to the account for everything."""
    account.use(EVERYTHING)
    account.keyring.write_later(limits.SPARE, "account-%d" % _number(account))
    account.storage.changed = True


def find(account, action):
    """Fill the action with the question whether the CA knows the pending key (7.3.1)."""
    account.load_file("account-%d" % account.storage.journal.pending_account_file_id)
    account.ask(action, account_resource.write_existing(account.exchange.payload, 0))


def adopt(account):
    """The pending key is the account's key now; the old one is erased and never used again."""
    journal = account.storage.journal
    account.retire_key()
    journal.account_file_id = journal.pending_account_file_id
    journal.pending_account_file_id = 0
    # Loaded from its file, so that what is used from now on is what a restart would find.
    account.load()
    fingerprint = bytearray(32)
    keys.fingerprint(account.keyring.signer, limits.ACCOUNT, fingerprint, 0)
    journal.account_key_hash[:] = fingerprint[: limits.HASH]
    account.keyring.signer.erase(limits.SPARE)


def drop(account):
    """The pending key never reached the CA."""
    journal = account.storage.journal
    account.storage.erase_later("account-%d" % journal.pending_account_file_id)
    journal.pending_account_file_id = 0
