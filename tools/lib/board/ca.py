"""The CA of the board demos: a real Pebble that the emulated hub can reach, with chains of ordinary or of real-world size."""

import datetime
import re
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tools.lib.ca import certificates, pebble

HOST = "10.0.2.2"  # how the guest calls the host
HOST6 = "fd00::1"  # the same in the network of ipv6.py
_ORGANIZATION = "Certificate Authority of the Board Demo, a Test"
_ISSUED = re.compile(r"Issued certificate serial ([0-9a-f]+) for order", re.MULTILINE)


def _certificate(subject, public, issuer, signer, names=(), ca=False):
    now = datetime.datetime.now(datetime.timezone.utc)
    start, end = now - datetime.timedelta(hours=1), now + datetime.timedelta(days=30)
    subject, issuer = (certificates.name(text, _ORGANIZATION) for text in (subject, issuer))
    return certificates.sign(subject, public, issuer, signer, start, end, names, ca)


def https_chain(real_world):
    """PEM (root, leaf with intermediates, leaf's key) for the CA's own HTTPS.

    real_world: like Let's Encrypt's: a root of RSA 4096, an intermediate of RSA 2048 in the handshake. Else small ECDSA ones.
    """
    if real_world:
        keys: list[Any] = [rsa.generate_private_key(65537, bits) for bits in (4096, 2048, 2048)]
    else:
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    root_key, middle_key, key = keys
    root = _certificate("Root", root_key.public_key(), "Root", root_key, ca=True)
    middle = _certificate("Intermediate", middle_key.public_key(), "Root", root_key, ca=True)
    names = (HOST, HOST6, "127.0.0.1", "localhost")
    leaf = _certificate("CA", key.public_key(), "Intermediate", middle_key, names)
    return certificates.pem(root), certificates.pem(leaf, middle), certificates.secret(key)


class HubPebble(pebble.Pebble):
    """A Pebble whose own certificate names the guest's view of the host.

    real_world   chains as large as Let's Encrypt's: RSA in its HTTPS, two intermediates in what it issues
    called       the address by which the hub calls it
    Attributes besides Pebble's: hub_directory, the directory URL as the hub must call it.
    """

    def __init__(self, real_world=False, called=HOST, **options):
        options.setdefault("chain", 2 if real_world else 1)
        super().__init__(host="127.0.0.1", **options)
        root, chain, key = https_chain(real_world)
        self._called = f"[{called}]" if ":" in called else called
        self._own = {"tls-root.pem": root, "tls.pem": chain, "tls-key.pem": key}

    def _write(self, name, data):
        return super()._write(name, self._own.get(name, data))

    @property
    def hub_directory(self):
        return self.directory_url.replace("127.0.0.1", self._called)

    def issued(self):
        """What the CA says it issued, oldest first: certificates asked from its management interface, by serial."""
        import json

        with open(self.log, encoding="utf-8", errors="replace") as file:
            serials = _ISSUED.findall(file.read())
        found = []
        for serial in serials:
            answer = json.loads(self._ask(f"{self.management_url}/cert-status-by-serial/{serial}"))
            found.append(x509.load_pem_x509_certificate(answer["Certificate"].encode()))
        return found

    def new_orders(self):
        """How many orders were ever made."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return len(re.findall(r"Added order \S+ to the db", file.read()))
