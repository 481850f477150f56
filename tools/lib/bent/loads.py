"""Do the servers' libraries load what was deployed? OpenSSL by Python's ssl, Mbed TLS by MicroPython's tls."""

import base64
import os
import ssl
import subprocess
import tempfile

from tools.lib import cache
from tools.lib.build import micropython

_SCRIPT = os.path.join(cache.ROOT, "tools", "lib", "bent", "load_mbedtls.py")


def openssl(pairs):
    """Sentences about the (key, chain) pairs, PKCS#8 DER and PEM, that OpenSSL does not load as they stand."""
    refused = []
    with tempfile.TemporaryDirectory() as folder:
        chain_path, key_path = os.path.join(folder, "chain.pem"), os.path.join(folder, "key.pem")
        for key, chain in pairs:
            with open(chain_path, "wb") as file:
                file.write(chain)
            with open(key_path, "w") as file:
                text = base64.encodebytes(key).decode()
                file.write("-----BEGIN PRIVATE KEY-----\n%s-----END PRIVATE KEY-----\n" % text)
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain_path, key_path)
                blocks = chain.decode("ascii").split("-----END CERTIFICATE-----\n")
                blocks = [block + "-----END CERTIFICATE-----\n" for block in blocks[:-1]]
                again = "".join(ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(block)) for block in blocks)
                if again != chain.decode("ascii"):
                    refused.append("OpenSSL would write this chain otherwise:\n%s" % chain.decode())
            except (ssl.SSLError, ValueError) as error:
                refused.append(
                    "OpenSSL does not load a chain: %s\n%s" % (error, chain.decode(errors="replace"))
                )
    return refused


def mbedtls(pairs):
    """The same for Mbed TLS."""
    lines = "".join("%s %s\n" % (bytes(key).hex(), bytes(chain).hex()) for key, chain in pairs)
    if not lines:
        return []
    command = [str(micropython.interpreter(64, False, False)), "-X", "heapsize=4m", _SCRIPT]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=600)
    said = done.stdout.splitlines()
    if done.returncode or len(said) != len(pairs):
        return ["MicroPython ended after %d of %d chains: %s" % (len(said), len(pairs), done.stderr[-500:])]
    return ["Mbed TLS does not load a chain: " + line for line in said if line != "loaded"]
