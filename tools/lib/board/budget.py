"""What an image of the hub board costs: flash and RAM by part (from the linker's map), instructions per signature."""

import re
from collections import Counter

from tools.lib.board import demo, firmware, instructions

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


def measure(name):
    """Everything, as a dict that `table` prints and --json shows."""
    place = firmware.build(name)
    stock = firmware.build(name, variant="stock-ecp")
    size = parts(place)
    run = demo.job(name, lambda sentence: None)
    return {
        "board": name,
        "flash": sum(row["flash"] for row in size.values()),
        "static_ram": sum(row["ram"] for row in size.values()),
        "parts": size,
        "demo": {
            key: run[key]
            for key in ("heap", "heap_peak", "heap_free", "largest_free", "stack", "tls", "problems")
        },
        "instructions": run["instructions"],
        "instructions_stock_mbedtls": instructions.count(stock),
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
