"""Run by MicroPython: its http-01 responder. Argument: a port. Ends when standard input does."""

import asyncio
import gc
import select
import sys

from ipcert.errors import LocalError
from ipcert_port.solvers.responder import Responder

TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"


async def main():
    port = int(sys.argv[1])
    responder = Responder(["127.0.0.1", "::1"], port, 4, 1)
    responder.publish(TOKEN, TOKEN + ".x")
    responder.start()
    responder.start()
    other = Responder("127.0.0.1", port)
    try:
        other.start()
        print("both")
    except LocalError as e:
        print(e.code)
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    most = 0
    while True:
        gc.collect()
        most = max(most, gc.mem_alloc())
        await asyncio.sleep_ms(20)
        if poll.poll(0):
            line = sys.stdin.readline()
            if not line:
                break
            if line == "withdraw\n":
                responder.withdraw(TOKEN)
            print(gc.mem_alloc(), most, len(responder._open))
    responder.close()
    await asyncio.sleep_ms(50)
    print("tasks", len(responder._open))
    responder.start()
    responder.close()


asyncio.run(main())
