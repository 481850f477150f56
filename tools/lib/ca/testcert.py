"""A throw-away CA and a certificate for this machine's loopback, for a test CA's own HTTPS."""

import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from tools.lib.ca import certificates

HOSTS = ("localhost", "127.0.0.1", "::1")


def make(hosts=HOSTS, days=30):
    """PEM texts (root certificate, leaf certificate, leaf key) for `hosts`: names and IP literals."""
    now = datetime.datetime.now(datetime.timezone.utc)
    start, end = now - datetime.timedelta(hours=1), now + datetime.timedelta(days=days)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = certificates.name("Test TLS root")
    root = certificates.sign(issuer, root_key.public_key(), issuer, root_key, start, end, ca=True, depth=0)
    subject = certificates.name("localhost")
    leaf = certificates.sign(subject, key.public_key(), issuer, root_key, start, end, hosts)
    return certificates.pem(root), certificates.pem(leaf), certificates.secret(key)
