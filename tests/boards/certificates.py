"""A small authority of our own for the board tests: PEM certificates, real keys, valid for a day."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


class Authority:
    """A root and an intermediate; `issue` gives (chain PEM, key PEM)."""

    def __init__(self):
        self._root_key = ec.generate_private_key(ec.SECP384R1())
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._root = self._sign("root", "root", self._root_key.public_key(), self._root_key, True, ())
        self._intermediate = self._sign(
            "intermediate", "root", self._key.public_key(), self._root_key, True, ()
        )
        self.root = _pem(self._root)

    @staticmethod
    def _sign(subject, issuer, public, key, ca, names):
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
        return builder.sign(key, hashes.SHA256())

    def issue(self, *names):
        """A leaf for DNS names and addresses, with the intermediate behind it, and its key (PKCS 8)."""
        key = ec.generate_private_key(ec.SECP256R1())
        general = []
        for name in names:
            try:
                general.append(x509.IPAddress(ipaddress.ip_address(name)))
            except ValueError:
                general.append(x509.DNSName(name))
        leaf = self._sign("leaf", "intermediate", key.public_key(), self._key, False, general)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return _pem(leaf) + _pem(self._intermediate), secret
