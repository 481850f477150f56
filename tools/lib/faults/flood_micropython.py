"""A child of `flood`, run by MicroPython: its responder until standard input ends. Argument: a port.

Prints the most bytes of its heap that were alive at once beyond those before the first request.
"""

import asyncio
import gc
import select
import sys

from ipcert_port.solvers.responder import Responder

TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"


async def main():
    responder = Responder("127.0.0.1", int(sys.argv[1]))
    responder.publish(TOKEN, TOKEN + ".x")
    responder.start()
    print("ready")
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    gc.collect()
    before = most = gc.mem_alloc()
    while not poll.poll(0):
        await asyncio.sleep_ms(20)
        gc.collect()
        most = max(most, gc.mem_alloc())
    responder.close()
    print(most - before)


asyncio.run(main())
