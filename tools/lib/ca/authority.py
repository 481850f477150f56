"""A root and an intermediate, made anew, for a CA program that wants to be given its own."""

import datetime
import os

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tools.lib.ca import certificates


def make(folder):
    """Write root.pem, intermediate.pem and intermediate-key.pem (P-256, SEC 1) into `folder`."""
    now = datetime.datetime.now(datetime.timezone.utc)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, name = certificates.name("Test root"), certificates.name("Test intermediate")
    root = _certificate(root_name, root_name, root_key, root_key, now, 1)
    intermediate = _certificate(name, root_name, key, root_key, now, 0)
    for file, thing in (("root.pem", root), ("intermediate.pem", intermediate)):
        with open(os.path.join(folder, file), "wb") as out:
            out.write(certificates.pem(thing))
    with open(os.path.join(folder, "intermediate-key.pem"), "wb") as out:
        form = serialization.PrivateFormat.TraditionalOpenSSL
        out.write(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


def _certificate(subject, issuer, key, signer, now, depth):
    start, end = now - datetime.timedelta(hours=1), now + datetime.timedelta(days=30)
    return certificates.sign(subject, key.public_key(), issuer, signer, start, end, ca=True, depth=depth)
