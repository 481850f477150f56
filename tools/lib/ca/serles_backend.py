"""What signs for serles-acme in our tests (it runs in that program's own environment). Its interface is serles' `Backend`."""

import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Backend:
    """Signs with the intermediate in the folder that the configuration names."""

    def __init__(self, config):
        folder = config["ours"]["folder"]
        with open(os.path.join(folder, "intermediate-key.pem"), "rb") as file:
            key = serialization.load_pem_private_key(file.read(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("our intermediate has another kind of key")
        self._key = key
        with open(os.path.join(folder, "intermediate.pem"), "rb") as file:
            self._issuer = x509.load_pem_x509_certificate(file.read())
        with open(os.path.join(folder, "root.pem"), "rb") as file:
            self._root = x509.load_pem_x509_certificate(file.read())

    def sign(self, csr, subjectDN, subjectAltNames, email):
        """(chain as PEM text, None). The arguments' names are serles'."""
        request = x509.load_pem_x509_csr(csr)
        now = datetime.datetime.now(datetime.timezone.utc)
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        leaf = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self._issuer.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=6))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(list(names)), critical=True)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        chain = (leaf, self._issuer, self._root)
        return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in chain), None
