"""A small authority of our own for the board tests: PEM certificates, real keys, valid for a day."""

import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from tools.lib.ca import certificates


class Authority:
    """A root and an intermediate; `issue` gives (chain PEM, key PEM)."""

    def __init__(self):
        root_key = ec.generate_private_key(ec.SECP384R1())
        self._key = ec.generate_private_key(ec.SECP256R1())
        root = self._sign("root", "root", root_key.public_key(), root_key, ca=True)
        self._intermediate = self._sign("intermediate", "root", self._key.public_key(), root_key, ca=True)
        self.root = certificates.pem(root)

    @staticmethod
    def _sign(subject, issuer, public, signer, names=(), ca=False):
        now = datetime.datetime.now(datetime.timezone.utc)
        start, end = now - datetime.timedelta(hours=1), now + datetime.timedelta(days=1)
        subject, issuer = certificates.name(subject), certificates.name(issuer)
        return certificates.sign(subject, public, issuer, signer, start, end, names, ca)

    def issue(self, *names):
        """A leaf for DNS names and addresses, with the intermediate behind it, and its key (PKCS 8)."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self._sign("leaf", "intermediate", key.public_key(), self._key, names)
        return certificates.pem(leaf, self._intermediate), certificates.secret(key)
