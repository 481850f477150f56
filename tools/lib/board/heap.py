"""`tools/board BOARD smallest`: the smallest GC heap with which the demo's whole job is done, chains of real-world size."""

import json

from tools.lib.board import demo, outcome, qemu

STEP = 2048
LOW, HIGH = 64 * 1024, 96 * 1024


def _fails(name, heap):
    """What went wrong in a demo with that heap, in a few words; "" where nothing did."""
    try:
        problems = demo.job(name, lambda sentence: None, heap=heap)["problems"]
    except qemu.HubError as error:
        problems = [str(error)]
    return problems[0].strip()[-200:] if problems else ""


def smallest(name, say):
    """Bytes, found by bisection in steps of 2 KB; None where not even 96 KB is enough. Each try is a whole demo."""
    low, high = LOW, HIGH
    if _fails(name, high):
        return None
    while high - low > STEP:
        middle = (low + high) // 2 // STEP * STEP
        wrong = _fails(name, middle)
        say(f"{middle:,} bytes: {wrong or 'enough'}")
        low, high = (middle, high) if wrong else (low, middle)
    return high


def run(args):
    """Returns an exit status: 0 when some heap up to 96 KB is enough."""
    found = smallest(args.board, outcome.speaker(args))
    print(
        json.dumps({"smallest_heap": found})
        if args.json
        else f"smallest heap: {found:,} bytes"
        if found
        else "96 KB is not enough"
    )
    return 0 if found else 1
