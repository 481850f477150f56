"""Run by MicroPython: one request for each line "sync|async SECONDS URL" of standard input, one line of
outcome each.

Arguments: the file of roots. A line is the outcome, the milliseconds it took, and how often a second task
ran.
"""

import asyncio
import gc
import sys
import time

import urequests_compat


def outcome(answer):
    return "%d %s" % (answer.status_code, str(bytes(answer.content[:20]), "utf-8"))


async def ask(session, url, ticks):
    async def tick():
        while True:
            ticks[0] += 1
            await asyncio.sleep_ms(10)

    task = asyncio.create_task(tick())
    try:
        return await session.arequest("GET", url, {"X-Test": "y"})
    finally:
        task.cancel()


def main():
    session = urequests_compat.Session(cafile=sys.argv[1], max_body=16384)
    for line in sys.stdin:
        how, seconds, url = line.split()
        session.timeout = float(seconds)
        session.connect_timeout = min(20, session.timeout)
        ticks = [0]
        gc.collect()
        start = time.ticks_ms()
        try:
            if how == "sync":
                text = outcome(session.request("GET", url, {"X-Test": "y"}))
            else:
                text = outcome(asyncio.run(ask(session, url, ticks)))
        except urequests_compat.RequestError as e:
            text = "%s %s" % (type(e).__name__, e)
        print("%d %d %s" % (time.ticks_diff(time.ticks_ms(), start), ticks[0], text))


main()
