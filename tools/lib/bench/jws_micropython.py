"""Run by MicroPython from tools/bench jws: prints one JSON object."""

import binascii
import json
import sys
import time

import _ipcert
import jws_work as work

from ipcert.encoding import jws
from ipcert_port.port.entropy import Entropy
from ipcert_port.port.sign import Signer

signer = Signer(Entropy())
signer.load(0, binascii.unhexlify(work.KEY))
writer = jws.Jws()
writer.set_kid(work.KID)
out = bytearray(2048)
signature = bytearray(64)
url, nonce = work.URL.encode(), work.NONCE.encode()
n = len(work.PAYLOAD)
size = writer.write(out, 0, signer, 0, url, nonce, work.PAYLOAD, n)

# The same key and nonce mode (32 bytes mixed in), and the digest alone.
key = bytearray(97)
key[:32] = binascii.unhexlify(work.KEY)
_ipcert.public(key)
digest, extra = bytes(range(32)), bytes(range(32))


def clock():
    return time.ticks_us()


least = work.best(
    [
        ("raw", lambda: _ipcert.sign_digest(key, extra, digest, signature, 0)),
        ("jws", lambda: signer.jws(0, writer.parts, work.PAYLOAD, n, out, 0)),
        ("request", lambda: writer.write(out, 0, signer, 0, url, nonce, work.PAYLOAD, n)),
    ],
    clock,
    lambda name: 4,
)
print(
    json.dumps(
        {
            "signer": signer.name,
            "jws_us": least["jws"],
            "raw_us": least["raw"],
            "ratio": least["jws"] / least["raw"],
            "request_us": least["request"],
            "bytes": size,
            "sample": bytes(out[:size]).decode(),
            "version": sys.version,
        }
    )
)
