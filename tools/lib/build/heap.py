"""Run by tools/build sizes, in the tools' environment: the GC heap that a whole job takes, as one JSON object.

    python -m tools.lib.build.heap 32|64

imports: bytes that importing the frozen core and port leaves on the heap. above: live bytes at most, after a collection
at every step, over two issuances and two renewals against Pebble, above what there was after the imports. TLS buffers
are not in it: on this port Mbed TLS does not use the GC heap.
"""

import json
import os
import subprocess
import sys
import tempfile

from tools.lib import say, venv

IMPORTS = """
import gc, asyncio, json, sys
gc.collect()
before = gc.mem_alloc()
import ipcert.device, ipcert_port.port.clock, ipcert_port.port.drive, ipcert_port.port.net, ipcert_port.port.port
import ipcert_port.solvers.responder, ipcert_port.port.sign, ipcert_port.port.store
gc.collect()
print(gc.mem_alloc() - before)
"""


def main():
    bits = sys.argv[1]
    venv.enter()
    from tools.lib.ca.pebble import Pebble
    from tools.lib.demo import hub
    from tools.lib.demo.command import COMPRESS

    program = hub.interpreter("micropython" if bits == "64" else "micropython32")
    environment = dict(os.environ, MICROPYPATH=".frozen")
    command = [program, "-X", "heapsize=128k", "-c", IMPORTS]
    elsewhere = tempfile.mkdtemp(prefix="ipcert-heap-")  # or the import would find the sources beside it
    done = subprocess.run(
        command, env=environment, cwd=elsewhere, stdout=subprocess.PIPE, text=True, check=True
    )
    with Pebble(nonce_reject=5) as pebble:
        lines = hub.job(pebble, elsewhere, COMPRESS, program)
    heap = next(line for line in lines if line["kind"] == "heap")
    imports = int(done.stdout)
    print(
        json.dumps(
            {
                "bits": int(bits),
                "imports": imports,
                "above": heap["above"],
                "together": imports + heap["above"],
            }
        )
    )
    return 0


if __name__ == "__main__":
    say.main(main)
