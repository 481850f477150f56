"""How many instructions of its processor the hub takes for a signature and for a finished JWS."""

import ast
import tempfile
from pathlib import Path

from tools.lib.board import qemu

_SCRIPT = """
import _ipcert, gc, os, time
key = bytearray(97)
while not _ipcert.generate(key, os.urandom(64)):
    pass
digest = bytearray(32)
out = bytearray(2048)
parts = [b'{"alg":"ES256","kid":"https://ca.example/acme/acct/1234567890","nonce":"', b'n' * 43,
         b'","url":"https://ca.example/acme/new-order"}']
payload = b'{"identifiers":[{"type":"dns","value":"hub.example.org"}]}'
extra = os.urandom(32)
def count(f):
    best = None
    for _ in range(5):
        t = time.ticks_cpu()
        f()
        t = time.ticks_diff(time.ticks_cpu(), t) * 40
        best = t if best is None or t < best else best
    return best
import micropython
gc.collect()
rows = [0] * 4
calls = (
    lambda: _ipcert.sign_digest(key, b"", digest, out, 0),
    lambda: _ipcert.sign_digest(key, extra, digest, out, 0),
    lambda: _ipcert.jws(key, b"", parts, payload, len(payload), out, 0),
    lambda: _ipcert.jws(key, extra, parts, payload, len(payload), out, 0),
)
micropython.heap_lock()
try:
    for i in range(4):
        rows[i] = count(calls[i])
finally:
    micropython.heap_unlock()
print((_ipcert.NAME, rows))
"""


def count(place):
    """Cortex-M3 instructions per call (QEMU -icount shift=0, the least of five, heap locked), by name."""
    with tempfile.TemporaryDirectory() as folder:
        with qemu.Hub(
            place / "firmware.elf", Path(folder) / "flash", boot={"main": "off"}, icount=True
        ) as hub:
            name, rows = ast.literal_eval(hub.execute(_SCRIPT, timeout=120))
    keys = ("raw_signature", "raw_signature_hedged", "jws", "jws_hedged")
    found = dict(zip(keys, rows))
    found["signer"] = name
    found["ratio"] = round(found["jws"] / found["raw_signature"], 4)
    found["ratio_hedged"] = round(found["jws_hedged"] / found["raw_signature_hedged"], 4)
    return found
