"""`tools/board BOARD smallest`: the smallest GC heap with which the demo's whole job is done, chains of real-world size."""

import json
import sys

import board_demo
import board_qemu

STEP = 2048
LOW, HIGH = 48 * 1024, 96 * 1024


def _works(name, heap):
    """True when the demo ends without a problem."""
    try:
        return not board_demo.job(name, lambda sentence: None, heap=heap)["problems"]
    except board_qemu.HubError:
        return False


def smallest(name, say):
    """Bytes, found by bisection in steps of 2 KB; None where not even 96 KB is enough. Each try is a whole demo."""
    low, high = LOW, HIGH
    if not _works(name, high):
        return None
    while high - low > STEP:
        middle = (low + high) // 2 // STEP * STEP
        good = _works(name, middle)
        say(f"{middle:,} bytes: {'enough' if good else 'not enough'}")
        low, high = (low, middle) if good else (middle, high)
    return high


def run(args):
    """Returns an exit status: 0 when some heap up to 96 KB is enough."""

    def say(sentence):
        print(sentence, file=sys.stderr if args.json else sys.stdout, flush=True)

    found = smallest(args.board, say)
    print(
        json.dumps({"smallest_heap": found})
        if args.json
        else f"smallest heap: {found:,} bytes"
        if found
        else "96 KB is not enough"
    )
    return 0 if found else 1
