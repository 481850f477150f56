"""What the virtual CA asks of an independent library: `cryptography` checks signatures and reads CSRs."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature


class Verifier:
    """P-256 signatures and certification requests, by OpenSSL."""

    def signature(self, point, data, rs):
        """True when r||s is ES256 over `data` by the key with this uncompressed point."""
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes(point))
        try:
            der = encode_dss_signature(int.from_bytes(rs[:32], "big"), int.from_bytes(rs[32:], "big"))
            key.verify(der, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    def csr(self, der):
        """(SubjectPublicKeyInfo, sorted names) of a request whose signature verifies and whose subject is empty."""
        request = x509.load_der_x509_csr(der)
        assert request.is_signature_valid and len(list(request.subject)) == 0
        spki = request.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (extension,) = request.extensions
        names = extension.value.get_values_for_type(x509.DNSName)
        names += [str(a) for a in extension.value.get_values_for_type(x509.IPAddress)]
        return spki, sorted(names)
