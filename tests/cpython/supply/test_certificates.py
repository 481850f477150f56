"""Every certificate that our tools and tests make is one that the strictest client takes: Python 3.13's rules, on any Python."""

import datetime
import subprocess

import hostile
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from project_files import PYTHON, text

from tests.boards.certificates import Authority
from tools.lib import needs
from tools.lib.board import ca as board
from tools.lib.ca import certificates, testcert
from tools.lib.faults import ca as virtual

ODD = {
    "tests/cpython/core/test_x509_properties.py": "what a reader meets, not what a CA makes",
    "tests/vectors/make.py": "what a reader meets, not what a CA makes",
    "tools/lib/ca/certificates.py": "the place",
    "tools/lib/ca/serles_backend.py": "runs in another program's environment, where nothing of ours can be imported",
}
"""Who may build certificates by himself, and why."""


def strictly(folder, root, chain):
    """What `openssl verify` says of a chain for a server (PEM), by the rules of VERIFY_X509_STRICT."""
    needs.install("openssl")
    (folder / "root.pem").write_bytes(root)
    (folder / "chain.pem").write_bytes(chain)
    command = "openssl verify -x509_strict -partial_chain -purpose sslserver -trusted root.pem".split()
    command += ["-untrusted", "chain.pem", "chain.pem"]
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    return done.returncode, done.stdout


def made_by_testcert():
    return testcert.make()[:2]


def made_for_the_board_demo():
    return board.https_chain(real_world=False)[:2]


def made_for_the_board_tests():
    authority = Authority()
    return authority.root, authority.issue("hub.example.org", "192.0.2.1")[0]


def made_for_the_hostile_server():
    roots = hostile.Roots()
    with open(roots.pem, "rb") as root, open(roots.path("good.pem"), "rb") as leaf:
        found = root.read(), leaf.read()
    roots.close()
    return found


def made_by_the_virtual_ca():
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = virtual.issue(key.public_key(), ["nas.example.org"], *hours())
    return virtual.INTERMEDIATE, certificates.pem(leaf)


def hours():
    now, hour = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(hours=1)
    return now - hour, now + hour


def signed(key, **options):
    start, end = hours()
    root = certificates.name("root")
    top = certificates.sign(root, key.public_key(), root, key, start, end, ca=True)
    nobody = certificates.name("")
    leaf = certificates.sign(nobody, key.public_key(), root, key, start, end, ["nas.example.org"], **options)
    return certificates.pem(top), certificates.pem(leaf)


def made_with_rsa():
    return signed(rsa.generate_private_key(65537, 2048))


@pytest.mark.parametrize(
    "make",
    [
        made_by_testcert,
        made_for_the_board_demo,
        made_for_the_board_tests,
        made_for_the_hostile_server,
        made_by_the_virtual_ca,
        made_with_rsa,
    ],
    ids=lambda make: make.__name__[5:],
)
def test_the_strictest_client_takes_it(make, tmp_path):
    status, words = strictly(tmp_path, *make())
    assert status == 0, words


def test_the_strictest_client_refuses_what_has_no_key_identifiers(tmp_path):
    status, words = strictly(tmp_path, *signed(ec.generate_private_key(ec.SECP256R1()), identified=False))
    assert status and "Missing Authority Key Identifier" in words


def test_nobody_else_makes_certificates():
    builder = "Certificate" + "Builder("
    assert {name for name in PYTHON if builder in text(name)} == set(ODD)
