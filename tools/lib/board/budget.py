"""What an image of the hub board costs: flash and RAM by part (from the linker's map), instructions per signature."""

import ast
import re
import tempfile
from collections import Counter
from pathlib import Path

from tools.lib.board import firmware, qemu

# The first pattern that an object's path matches names its part.
PARTS = (
    ("Mbed TLS", r"/lib/mbedtls"),
    ("lwIP", r"/lib/lwip/|netutils|modlwip"),
    ("littlefs", r"/lib/littlefs/|vfs_lfs"),
    ("native signing", r"/native/"),
    ("frozen Python", r"frozen_content"),
    ("tls and tlsserver", r"tlsserver|modtls"),
    ("libgcc", r"libgcc"),
    ("MicroPython", r"/(py|extmod|shared|lib)/"),
    ("board", r""),
)
_SECTION = re.compile(r"^ (\.text|\.rodata|\.data|\.bss|COMMON)\S*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S+)$")
_STRINGS = re.compile(r"^ \*fill\*\s")


def parts(place):
    """{part: {"flash": bytes, "ram": bytes}} of an image's directory. Its heap and stack are not in it."""
    text = re.sub(r"\n\s+(0x[0-9a-f]+\s+0x[0-9a-f]+\s)", r" \1", (place / "firmware.map").read_text())
    flash, ram = Counter(), Counter()
    memory_map = text.split("Linker script and memory map", 1)[1]
    for line in memory_map.splitlines():
        found = _SECTION.match(line)
        if not found or int(found[2], 16) == 0 and found[1] != ".text":
            continue
        kind, size, path = found[1], int(found[3], 16), found[4]
        part = next(name for name, pattern in PARTS if re.search(pattern, path))
        if kind in (".text", ".rodata", ".data"):
            flash[part] += size
        if kind in (".data", ".bss", "COMMON"):
            ram[part] += size
    return {name: {"flash": flash[name], "ram": ram[name]} for name, _ in PARTS}


_INSTRUCTIONS = """
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


def instructions(place):
    """Cortex-M3 instructions per call (QEMU -icount shift=0, the least of five, heap locked), by name."""
    with tempfile.TemporaryDirectory() as folder:
        with qemu.Hub(
            place / "firmware.elf", Path(folder) / "flash", boot={"main": "off"}, icount=True
        ) as hub:
            name, rows = ast.literal_eval(hub.execute(_INSTRUCTIONS, timeout=120))
    keys = ("raw_signature", "raw_signature_hedged", "jws", "jws_hedged")
    found = dict(zip(keys, rows))
    found["signer"] = name
    found["ratio"] = round(found["jws"] / found["raw_signature"], 4)
    found["ratio_hedged"] = round(found["jws_hedged"] / found["raw_signature_hedged"], 4)
    return found


def measure(name):
    """Everything, as a dict that `table` prints and --json shows."""
    place = firmware.build(name)
    stock = firmware.build(name, variant="stock-ecp")
    size = parts(place)
    from tools.lib.board import demo as board_demo

    demo = board_demo.job(name, lambda sentence: None)
    return {
        "board": name,
        "flash": sum(row["flash"] for row in size.values()),
        "static_ram": sum(row["ram"] for row in size.values()),
        "parts": size,
        "demo": {
            key: demo[key]
            for key in ("heap", "heap_peak", "heap_free", "largest_free", "stack", "tls", "problems")
        },
        "instructions": demo["instructions"],
        "instructions_stock_mbedtls": instructions(stock),
    }


def _arena(name):
    """Bytes of the arena, which tlspool.h sets."""
    text = (firmware.BOARDS / name / "tlspool.h").read_text()
    return 1024 * int(re.search(r"define TLSPOOL_ARENA \((\d+) \* 1024\)", text)[1])


def table(found):
    """The figures as Markdown."""
    lines = ["| part | flash (bytes) | static RAM (bytes) |", "|---|---:|---:|"]
    for name, row in found["parts"].items():
        lines.append(f"| {name} | {row['flash']:,} | {row['ram']:,} |")
    lines.append(f"| **all** | **{found['flash']:,}** | **{found['static_ram']:,}** |")
    demo, tls = found["demo"], found["demo"]["tls"]
    lines += [
        "",
        "Of the static RAM, Mbed TLS has %s bytes of its own (`tlspool.c`)." % f"{tls['bytes']:,}",
        "",
        "| memory over the whole demo, chains of real-world size | bytes |",
        "|---|---:|",
        f"| GC heap | {demo['heap']:,} |",
        f"| at most live, sampled every 2 KB of allocation, handshakes included | {demo['heap_peak']:,} |",
        f"| free when idle | {demo['heap_free']:,} |",
        f"| largest free piece when idle | {demo['largest_free']:,} |",
        f"| stack reserved | {demo['stack']['size']:,} |",
        f"| stack used at most | {demo['stack']['peak']:,} |",
        f"| Mbed TLS's arena used at most, of {_arena(found['board']):,} | {tls['arena_peak']:,} |",
        f"| record buffer pairs taken at most, of 2 | {tls['places_peak']} |",
    ]
    lines += [
        "",
        "| instructions per call, Cortex-M3 | as built | with MicroPython's stock Mbed TLS options |",
        "|---|---:|---:|",
    ]
    ours, stock = found["instructions"], found["instructions_stock_mbedtls"]
    for key, words in (
        ("raw_signature", "P-256 signature over a digest, RFC 6979"),
        ("raw_signature_hedged", "the same with fresh entropy mixed in"),
        ("jws", "finished JWS, RFC 6979"),
        ("jws_hedged", "finished JWS, with fresh entropy mixed in"),
        ("ratio", "JWS over raw signature"),
        ("ratio_hedged", "the same, both with fresh entropy"),
    ):
        lines.append(f"| {words} | {ours[key]:,} | {stock[key]:,} |")
    return "\n".join(lines)


_BEGIN, _END = "<!-- budgets: begin -->", "<!-- budgets: end -->"


def write(name, found):
    """Puts the table between the marks in the board's README."""
    path = firmware.BOARDS / name / "README.md"
    text = path.read_text()
    head, _, rest = text.partition(_BEGIN)
    tail = rest.partition(_END)[2]
    path.write_text(f"{head}{_BEGIN}\n{table(found)}\n{_END}{tail}")
