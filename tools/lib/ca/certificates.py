"""X.509 certificates as a CA of today makes them. All that our tools and tests make, for servers and for CAs, come from here.

They keep to RFC 5280 4.2 in what Python checks from 3.13 on (`ssl.VERIFY_X509_STRICT`): key identifiers, key usage and
basic constraints in each of them.
"""

import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def name(common, organization=""):
    """A distinguished name; "" for a part leaves it out."""
    parts = ((NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts if text])


def sign(subject, public, issuer, signer, start, end, names=(), ca=False, depth=None, identified=True):
    """A certificate for the key `public`.

    subject, issuer   distinguished names
    signer            the issuer's private key, the subject's own for a root
    start, end        datetimes in UTC
    names             of a server: texts, DNS names and addresses, or general names as `cryptography` has them
    ca, depth         a CA's, and how many CAs may be below it (None: any number)
    identified        False: without key identifiers and key usage, as OpenSSL's commands made them for years
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=depth), critical=True)
    )
    extensions = []
    if identified:
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        extensions.append((_usage(public, ca), True))
        extensions.append((x509.SubjectKeyIdentifier.from_public_key(public), False))
        extensions.append((issuer_key, False))
    if not ca:
        extensions.append((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False))
    if names:
        general = x509.SubjectAlternativeName([_general_name(one) for one in names])
        extensions.append((general, not subject.rdns))  # RFC 5280 4.2.1.6: critical where there is no subject
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, hashes.SHA256())


def spki(public):
    """The SubjectPublicKeyInfo of a public key, in DER."""
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def pem(*certificates):
    """Certificates as PEM, one after the other."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def secret(key):
    """A private key as PEM (PKCS 8)."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _usage(public, ca):
    on = ["key_cert_sign", "crl_sign"] if ca else ["digital_signature"]
    if not ca and isinstance(public, rsa.RSAPublicKey):
        on.append("key_encipherment")
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement".split()
    names += "key_cert_sign crl_sign encipher_only decipher_only".split()
    return x509.KeyUsage(**{one: one in on for one in names})


def _general_name(one):
    if not isinstance(one, str):
        return one
    try:
        return x509.IPAddress(ipaddress.ip_address(one))
    except ValueError:
        return x509.DNSName(one)
