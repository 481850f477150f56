"""A root and an intermediate, made anew, for a CA program that wants to be given its own."""

import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make(folder):
    """Write root.pem, intermediate.pem and intermediate-key.pem (P-256, SEC 1) into `folder`."""
    now = datetime.datetime.now(datetime.timezone.utc)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
        for text in ("Test root", "Test intermediate")
    )
    root = _certificate(root_name, root_name, root_key, root_key, now, 1)
    intermediate = _certificate(name, root_name, key, root_key, now, 0)
    for file, thing in (("root.pem", root), ("intermediate.pem", intermediate)):
        with open(os.path.join(folder, file), "wb") as out:
            out.write(thing.public_bytes(serialization.Encoding.PEM))
    with open(os.path.join(folder, "intermediate-key.pem"), "wb") as out:
        form = serialization.PrivateFormat.TraditionalOpenSSL
        out.write(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


def _certificate(subject, issuer, key, signer, now, depth):
    usage = dict.fromkeys(
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement encipher_only "
        "decipher_only".split(), False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
