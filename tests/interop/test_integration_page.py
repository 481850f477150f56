"""The program in docs/integration.md gets its two certificates from a real CA, as the page says."""

import os
import re
import subprocess
import sys
import threading

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tools.lib import cache

NAME, ADDRESS = "nas.example.net", "127.0.0.1"


def program():
    """The page's one Python program that makes a Device on CPython."""
    page = cache.read("docs", "integration.md").decode()
    (found,) = [
        block for block in re.findall(r"^```python\n(.*?)^```", page, re.M | re.S) if "sys.argv" in block
    ]
    return found


def public(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def deployed(folder):
    """(names and addresses of the certificate, its public key, the public key of the private key beside it)."""
    with open(os.path.join(folder, "fullchain.pem"), "rb") as file:
        leaf = x509.load_pem_x509_certificate(file.read())
    with open(os.path.join(folder, "privkey.pem"), "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names], public(leaf.public_key()), public(key.public_key())


def test_the_program_is_about_forty_lines_long():
    assert len([line for line in program().splitlines() if line.strip()]) <= 45


def test_the_program_gets_one_certificate_for_the_name_and_another_for_the_address(pebble, tmp_path):
    file = tmp_path / "nas.py"
    file.write_text(program())
    words = [str(tmp_path), pebble.directory_url, pebble.tls_root, str(pebble.http_port), NAME, ADDRESS]
    child = subprocess.Popen(
        [sys.executable, str(file), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    watchdog = threading.Timer(120, child.kill)  # a program that hangs ends the test, it does not hold it up
    watchdog.start()
    try:
        told = []
        while sum(line.startswith("issued ") for line in told) < 2:
            line = child.stdout.readline()
            assert line, "it ended early:\n" + "".join(told)
            told.append(line)
    finally:
        watchdog.cancel()
        child.kill()
        child.wait()
        child.stdout.close()
    live = tmp_path / "live"
    for_name, for_address = deployed(live / NAME), deployed(live / ADDRESS)
    assert for_name[0] == [NAME] and for_address[0] == [ADDRESS]
    assert for_name[1] == for_name[2] and for_address[1] == for_address[2] and for_name[1] != for_address[1]
    assert oct(os.stat(live / NAME / "privkey.pem").st_mode)[-3:] == "600"
