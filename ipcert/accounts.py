"""Our account at the CA: its key in the signer's slot, and what becomes of the two (RFC 8555 7.3).

The journal holds the account's URL, the hash of its key and the number of its key file. While a key rollover or a
recovery is under way there is a second key file, the pending one, and the CA is asked which of them it knows.
Where DNS names the names' account, addresses have another one (P13): one of the two is in use at a time.
"""

from . import keys, limits, notices
from .acme import account
from .encoding import jws, p256, seal
from .errors import LocalError


class Accounts:
    """What a `device.Device` knows of its account.

    point, thumbprint    of the key in the slot: 65 bytes, and 43 characters (RFC 7638)
    """

    def __init__(self, dev):
        self._dev = dev
        self._loaded = False
        self.point = bytearray(p256.POINT)
        self.thumbprint = bytearray(jws.THUMBPRINT_SIZE)

    def role(self, record):
        """The role of the account that orders for a record."""
        policy = self._dev.policy
        return 1 if policy.accounturi and not policy.combined and self._dev.is_ip(record) else 0

    def use(self, role):
        """Put the account of a role in use, unless the one in use has a pending key: that one is cleared up first."""
        j = self._dev.journal
        if role != j.account_role and not j.pending_account_file_id:
            j.account_url, j.other_account_url = j.other_account_url, j.account_url
            j.account_file_id, j.other_account_file_id = j.other_account_file_id, j.account_file_id
            j.account_key_hash, j.other_account_key_hash = j.other_account_key_hash, j.account_key_hash
            j.account_role = role
            self._loaded = False

    def leave(self):
        """Forget both: they belong to another CA. Their keys are never used again."""
        j = self._dev.journal
        j.pending_account_file_id = 0
        for role in (0, 1):
            self.use(role)
            if j.account_file_id:
                j.ring.add(j.account_key_hash, 0)
            j.account_url.set(b"")
            j.account_file_id = 0
        self.use(0)

    def load(self):
        """Have the account's key in its slot; False where there is none, or its file is gone: another one is made then."""
        dev = self._dev
        j = dev.journal
        if j.account_file_id and not self._loaded:
            name = "account-%d" % j.account_file_id
            if dev.port.read(name) is None:
                self.lose()
                self.forget()
                return False
            dev.load_key(limits.ACCOUNT, name)
            self._ready()
        return j.account_file_id != 0

    def _ready(self):
        # The key is in its slot: note its point and thumbprint.
        signer = self._dev.port.signer
        signer.public(limits.ACCOUNT, self.point, 0)
        jws.thumbprint(self.thumbprint, 0, signer, self.point, 0, bytearray(p256.JWK + 32))
        self._loaded = True

    def unload(self):
        """The key in the slot is not to be used again before `load`."""
        self._loaded = False

    def load_pending(self):
        """Have the key of a rollover that was cut short in the account's slot."""
        self._dev.load_key(limits.ACCOUNT, "account-%d" % self._dev.journal.pending_account_file_id)
        self._ready()

    def make(self, it):
        """Make a key for a new account and fill the action with its file. Raises LocalError("key-reuse")."""
        dev = self._dev
        j = dev.journal
        dev.port.signer.generate(limits.ACCOUNT)
        found = keys.check_new(dev.port.signer, limits.ACCOUNT, j)
        j.account_key_hash[:] = found[: limits.HASH]
        j.account_url.set(b"")
        j.account_file_id = dev.new_generation()
        self._ready()
        dev.write_key(limits.ACCOUNT, "account-%d" % j.account_file_id, it)

    def find(self, it):
        """Fill the action with the question whether the CA knows the key in the slot (7.3.1)."""
        self._ask(it, account.write_existing(self._dev.work, 0))

    def register(self, it):
        """Fill the action with newAccount. Raises LocalError("external-account") or LocalError("terms") for what the owner must say first."""
        dev = self._dev
        if dev.directory.external_account and not dev.policy.eab_kid:
            raise LocalError(
                "external-account",
                "This CA wants an external account binding: set eab_kid and eab_key to what it gave you.",
            )
        if dev.directory.terms and not dev.policy.agree_terms:
            raise LocalError(
                "terms",
                "Read the CA's terms at %s and set agree_terms = true to agree." % dev.directory.terms,
            )
        bind = self._bind if dev.policy.eab_kid else None
        self._ask(it, account.write_new(dev.work, 0, dev.policy.contacts, dev.policy.agree_terms, bind))

    def _ask(self, it, n):
        # The first `n` bytes of the work buffer, signed by the key in the slot itself.
        dev = self._dev
        dev.exchange.jws.set_jwk(self.point)
        dev.exchange.post(it, dev.directory, dev.directory.new_account, dev.work, n)

    def _bind(self, buf, off):
        # The external account binding (7.3.4) of the key in the slot.
        dev = self._dev

        def mac(data, start, end, out, at):
            return seal.hmac(dev.port.sha256, dev.policy.eab_key, data, start, end, out, at)

        scratch = bytearray(40 + 2 * limits.URL)
        return jws.write_binding(
            buf, off, mac, dev.policy.eab_kid, dev.directory.new_account, self.point, 0, scratch
        )

    def lose(self):
        """The CA does not know the account any more: register again with the same key."""
        self._dev.journal.account_url.set(b"")
        self._dev.notice(notices.ACCOUNT_LOST, self._dev.directory_url)

    def forget(self):
        """The account ended: the next order makes another one, with another key."""
        self._retire()
        self._dev.journal.account_file_id = 0

    def adopt(self):
        """The pending key is the account's key now; the old one is erased and never used again."""
        j = self._dev.journal
        self._retire()
        j.account_file_id = j.pending_account_file_id
        j.pending_account_file_id = 0
        self.load()
        out = bytearray(32)
        keys.fingerprint(self._dev.port.signer, limits.ACCOUNT, out, 0)
        j.account_key_hash[:] = out[: limits.HASH]
        self._dev.port.signer.erase(limits.SPARE)

    def drop_pending(self):
        """The pending key never reached the CA."""
        j = self._dev.journal
        self._dev.garbage.append("account-%d" % j.pending_account_file_id)
        j.pending_account_file_id = 0
        self._loaded = False

    def _retire(self):
        j = self._dev.journal
        j.ring.add(j.account_key_hash, 0)
        self._dev.garbage.append("account-%d" % j.account_file_id)
        self._loaded = False
