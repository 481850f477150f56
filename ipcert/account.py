"""Our account at the CA: its key in the signer's slot, and what becomes of the two (RFC 8555 7.3).

What holds. The journal has the account's URL, the hash of its key and the number of its key file. While a change of the key or
a recovery is under way there is a second key file, the pending one, and the CA is asked which of the two it knows before
anything else is signed (`pending_key`). There is always an account of which the key is on the medium, or none.

Where DNS names the names' account (a challenge's record, or CAA's accounturi), addresses have another one: a record in the zone that
names the account would otherwise tie every address's order to the name (docs/privacy.md#p13). One of the two is in use at a time; its role
says which: EVERYTHING, or ADDRESSES.

What must never happen: an account's key that is a certificate's too, or that comes back after it was retired.
"""

from . import features, limits, notices
from .acme import account
from .encoding import jws, p256
from .errors import LocalError

# Roles, as the journal stores them.
EVERYTHING = 0
ADDRESSES = 1  # only where DNS names the other account


class Account:
    """The account in use, of a device's journal.

    point, thumbprint    of the key in the slot: 65 bytes, and 43 characters (RFC 7638)
    storage, keyring, exchange    the device's
    """

    def __init__(self, policy, storage, keyring, exchange, outbox):
        self._policy = policy
        self.storage = storage
        self._journal = storage.journal
        self.keyring = keyring
        self.exchange = exchange
        self._outbox = outbox
        self.point = bytearray(p256.POINT)
        self.thumbprint = bytearray(jws.THUMBPRINT_SIZE)

    def role_of(self, certificate):
        """The role of the account that orders a certificate."""
        # A combined certificate has given the link away already: one account is enough.
        apart = self._policy.accounturi and not self._policy.combined and certificate.has_address
        return ADDRESSES if apart else EVERYTHING

    def use(self, role):
        """Put the account of a role in use, unless the one in use has a pending key: that one is cleared up first."""
        journal = self._journal
        if role == journal.account_role or journal.pending_account_file_id:
            return
        # The two change places; the texts and hashes are handed over, not copied.
        journal.account_url, journal.other_account_url = journal.other_account_url, journal.account_url
        journal.account_file_id, journal.other_account_file_id = (
            journal.other_account_file_id,
            journal.account_file_id,
        )
        journal.account_key_hash, journal.other_account_key_hash = (
            journal.other_account_key_hash,
            journal.account_key_hash,
        )
        journal.account_role = role

    def leave(self):
        """Forget both: they belong to another CA. Their keys are never used again."""
        journal = self._journal
        journal.pending_account_file_id = 0
        for role in (EVERYTHING, ADDRESSES):
            self.use(role)
            if journal.account_file_id:
                journal.ring.add(journal.account_key_hash, 0)
            journal.account_url.set(b"")
            journal.account_file_id = 0
        self.use(EVERYTHING)
        journal.terms.set(b"")

    # The key.

    def load(self):
        """Have the account's key in its slot; False where there is none, or its file is gone: another one is made then."""
        journal = self._journal
        if not journal.account_file_id:
            return False
        name = "account-%d" % journal.account_file_id
        if not self.keyring.holds(limits.ACCOUNT, name):
            # The medium lost it. What is at the CA cannot be reached any more, so it is told and forgotten.
            if self.storage.read(name) is None:
                self.lose()
                self.retire_key()
                return False
            self.load_file(name)
        return True

    def load_file(self, name):
        """Have the key of a file in the account's slot."""
        self.keyring.load(limits.ACCOUNT, name)
        self._note_key()

    def _note_key(self):
        # Both are needed for every challenge; computing them once saves two hashes each.
        signer = self.keyring.signer
        signer.public(limits.ACCOUNT, self.point, 0)
        jws.thumbprint(self.thumbprint, 0, signer, self.point, 0, bytearray(p256.JWK + 32))

    def make_key(self, action):
        """Make a key for a new account and fill the action with its file. Raises LocalError("key-reuse")."""
        journal = self._journal
        journal.account_key_hash[:] = self.keyring.make(limits.ACCOUNT)
        journal.account_url.set(b"")
        journal.account_file_id = self.storage.new_file_id()
        self._note_key()
        self.keyring.write(action, limits.ACCOUNT, "account-%d" % journal.account_file_id)

    def retire_key(self):
        """The key in use is the account's no longer; the next order makes another one."""
        journal = self._journal
        self.storage.retire_key("account-%d" % journal.account_file_id, journal.account_key_hash)
        journal.account_file_id = 0

    # The account itself.

    def url(self):
        """The account's URL, as text."""
        return self._journal.account_url.text()

    def set_url(self, url):
        """The CA told us the account's URL: from now on it stands in every signed request (6.2)."""
        self._journal.account_url.set(url.encode())
        self.exchange.jws.set_kid(url.encode())

    def is_pending(self):
        """True while a change of the key was cut short."""
        return self._journal.pending_account_file_id != 0

    def is_known(self):
        """True when the account has a URL, which signed requests carry from now on."""
        if not self._journal.account_url.size:
            return False
        self.exchange.jws.set_kid(self._journal.account_url.get())
        return True

    def register(self, action):
        """Fill the action with newAccount. Raises LocalError("external-account") or LocalError("terms") for what the owner
        must say first."""
        policy, directory = self._policy, self.exchange.directory
        if directory.external_account and not policy.eab_kid:
            raise LocalError(
                "external-account",
                "This CA wants an external account binding: set eab_kid and eab_key to what it gave you.",
            )
        if directory.terms and not policy.agree_terms:
            raise LocalError(
                "terms", "Read the CA's terms at %s and set agree_terms = true to agree." % directory.terms
            )
        # The MAC is over the key in the slot, so it is made when the payload is.
        bind = features.part("external_account").binding(self, policy) if policy.eab_kid else None
        payload = self.exchange.payload
        self.ask(action, account.write_new(payload, 0, policy.contacts, policy.agree_terms, bind))

    def ask(self, action, size):
        """Fill the action with a newAccount of the first `size` bytes of the payload, signed by the key in the slot itself: there
        is no URL yet."""
        self.exchange.jws.set_jwk(self.point)
        self.exchange.post(action, self.exchange.directory.new_account, size)

    def lose(self):
        """The CA does not know the account any more: register again with the same key."""
        self._journal.account_url.set(b"")
        self._outbox.notice(notices.ACCOUNT_LOST, self.exchange.directory_url)

    def ask_again(self):
        """The URL may be wrong: the next attempt asks the CA for it by the key (7.3.1)."""
        self._journal.account_url.set(b"")

    def end(self):
        """The account ended: the next order makes another one, with another key."""
        self._journal.account_url.set(b"")
        self.retire_key()
