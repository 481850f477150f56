"""The CPython signer's output is what `cryptography` itself verifies, short r and s included; and what MicroPython
signs is verified here too."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from micropython_binary import path as micropython

from ipcert.errors import LocalError
from ipcert_port.port import sign
from ipcert_port.port.entropy import Entropy

pytestmark = pytest.mark.quick

ROOT = Path(__file__).resolve().parents[3]
KEY = ec.derive_private_key(7, ec.SECP256R1())


def verify(rs, message):
    der = utils.encode_dss_signature(int.from_bytes(rs[:32], "big"), int.from_bytes(rs[32:], "big"))
    KEY.public_key().verify(der, message, ec.ECDSA(hashes.SHA256()))


@pytest.fixture
def signer():
    found = sign.Signer(Entropy())
    found.load(0, (7).to_bytes(32, "big"))
    return found


def test_signatures_verify(signer):
    out = bytearray(70)
    for number in range(600):  # one in 128 has a short r or s
        message = b"%d" % number
        assert signer.sign(0, b"<" + message + b">", 1, 1 + len(message), out, 6) == 70
        verify(bytes(out[6:]), message)


@pytest.mark.parametrize("r", [1, 0x7F, 0x80, 1 << 247, (1 << 248) - 1, 1 << 255, (1 << 256) - (1 << 224)])
@pytest.mark.parametrize("s", [1, 0x80, 1 << 240, 1 << 255])
def test_raw_of_every_length(r, s):
    assert sign._raw(utils.encode_dss_signature(r, s)) == r.to_bytes(32, "big") + s.to_bytes(32, "big")


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def check_jws(text, header, payload):
    parts = json.loads(text)
    assert unb64(parts["protected"]) == header
    assert unb64(parts["payload"]) == payload
    verify(unb64(parts["signature"]), ("%s.%s" % (parts["protected"], parts["payload"])).encode())


def test_jws_verifies(signer):
    out = bytearray(3000)
    for n in range(40):
        header, payload = os.urandom(n), os.urandom(50)
        end = signer.jws(0, [header[:3], header[3:]], payload, n, out, 0)
        check_jws(bytes(out[:end]), header, payload[:n])


def test_no_room(signer):
    with pytest.raises(LocalError) as caught:
        signer.jws(0, [b"{}"], b"", 0, bytearray(100), 0)
    assert caught.value.code == "overflow"


SCRIPT = """
from ipcert_port.port.entropy import Entropy
from ipcert_port.port.sign import Signer
signer = Signer(Entropy())
signer.load(0, bytes(31) + b"\\7")
out = bytearray(400)
for n in range(20):
    print(bytes(out[: signer.jws(0, [b"head"], b"payload" * 9, n, out, 0)]).decode())
"""


def test_jws_of_micropython_verifies():
    folders = [str(ROOT), str(ROOT / "ports" / "micropython"), ".frozen"]
    environment = dict(os.environ, MICROPYPATH=":".join(folders))
    done = subprocess.run(
        [micropython(), "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 20
    for n, line in enumerate(lines):
        check_jws(line, b"head", (b"payload" * 9)[:n])


def test_the_module_is_imported_late():
    code = "import sys, ipcert_port.port.sign; sys.exit('cryptography' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
