"""What a run found: lines for a terminal, and one HTML file with plots and nothing outside itself.

The plots are written by hand: they are a few lines of SVG, and a plotting library would bring a dozen packages to pin.
"""

from html import escape

_TITLES = {
    "G1": "First issuance", "G2": "Ordinary homes", "G3": "Everyone, long outages included", "G4": "Availability",
    "G5": "The attack has teeth", "G6": "No class of homes stands out",
}  # fmt: skip
_VERDICT = {True: "holds", False: "FAILS", None: "reported"}


def number(v):
    """A figure with three significant digits; nothing for None."""
    if v is None:
        return ""
    return f"{v:.3g}" if abs(v) < 1000 else f"{v:,.0f}"


def lines(data):
    """The run as plain lines: each figure beside its goal."""
    yield f"policy {data['policy']}, seed {data['seed']}, {data['size']} run, {data['seconds']} s"
    for title, verdict, rows in groups(data):
        yield f"{title}: {_VERDICT[verdict]}"
        yield from (_line(r) for r in rows)
    yield (
        "all goals hold"
        if data["holds"]
        else "not all goals hold: " + ", ".join(g for g, ok in data["goals"].items() if not ok)
    )


def groups(data):
    """(title, verdict, rows) of each goal under each lifetime and world."""
    found = {}
    for r in data["rows"]:
        # Results of before there were several have neither.
        found.setdefault((r["goal"], r.get("life"), r.get("world")), []).append(r)
    for (goal, life, kind), rows in found.items():
        where = f" ({life} days, {kind})" if life else ""
        verdicts = [r["holds"] for r in rows if r["holds"] is not None]
        yield f"{goal} {_TITLES[goal]}{where}", all(verdicts) if verdicts else None, rows


def _line(r):
    limit = "" if r["limit"] is None else f"{'at least' if r['at_least'] else 'at most'} {number(r['limit'])}"
    bound = "" if r["bound"] is None else f"bound {number(r['bound'])}"
    by = f", {r['attacker']}" if "attacker" in r else ""
    return f"   {_VERDICT[r['holds']]:8} {number(r['figure']):>9}  {bound:15} {limit:15} {r['what']}{by} (n = {r['n']:,})"


def html(data):
    """The report as one self-contained page."""
    out = [_HEAD]
    out.append(
        f"<h1>What the timing of certificates tells</h1><p>Policy <b>{escape(data['policy'])}</b>, seed {data['seed']}, "
        f"{data['size']} run, {data['seconds']} s. Made by <code>{escape(data['command'])}</code>. Timestamps are the only "
        "channel measured here; outage rates are assumptions. A goal holds when the one-sided 95 % bound does.</p>"
    )
    for title, holds, rows in groups(data):
        verdict = _VERDICT[holds]
        out.append(f"<h2>{title}: <span class={verdict}>{verdict}</span></h2><table>")
        out.append("<tr><th>figure<th>95 % bound<th>goal<th>n<th>what<th>verdict")
        for r in rows:
            limit = "" if r["limit"] is None else f"{'≥' if r['at_least'] else '≤'} {number(r['limit'])}"
            verdict = _VERDICT[r["holds"]]
            more = "".join(
                f", {k} {number(r[k])}" for k in ("top10", "auc", "bits", "share", "crowd") if k in r
            )
            out.append(
                f"<tr><td>{number(r['figure'])}<td>{number(r['bound'])}<td>{limit}<td>{r['n']:,}"
                f"<td>{escape(r['what'] + more)}<td class={verdict}>{verdict}"
            )
        out.append("</table>")
    out.append("<h2>Plots</h2>")
    for title, _, rows in groups(data):
        for where in ("static", "dynamic"):
            rows_of = [r for r in rows if r["goal"] in ("G3", "G6") and f", {where}, longest" in r["what"]]
            if rows_of:
                names = [r["what"].split("outage ")[1] for r in rows_of]
                values = [100 * r["figure"] for r in rows_of]
                out.append(
                    bars(f"{title}: right first guess by outage class, {where} (percent)", names, values)
                )
                out.append(
                    bars(
                        f"{title}: leak by outage class, {where} (bits)", names, [r["bits"] for r in rows_of]
                    )
                )
    plots = data["plots"]
    for key, title in (
        ("channels static", "Leak by channel, ordinary static homes (bits)"),
        ("channels dynamic", "Leak by channel, ordinary dynamic homes (bits)"),
        ("channels everyone", "Leak by channel, everyone (bits)"),
    ):
        if key in plots:
            out.append(bars(title, list(plots[key]), [max(0.0, v) for v in plots[key].values()]))
    rows = [r for r in data["rows"] if r["goal"] == "G5" and r["what"].startswith("top-1")]
    if rows:
        out.append(
            bars(
                "G5: other policies, right first guess (percent)",
                [r["what"][7:] for r in rows],
                [100 * r["figure"] for r in rows],
            )
        )
    for key, title, low, high, unit in (
        ("first delay", "Delay of the second certificate, five reboots", 0, 14, "days"),
        ("address interval", "Time between two certificates of one address line", 40, 200, "hours"),
        ("name interval", "Time between two certificates of one name", 30, 110, "days"),
        ("nearest true", "Renewal of the name to the nearest of its own address", 0, 40, "hours"),
        ("nearest wrong", "Renewal of the name to the nearest of another home's address", 0, 40, "hours"),
    ):
        if key in plots:
            out.append(histogram(title, plots[key], low, high, unit))
    return "\n".join(out) + "</body></html>\n"


def bars(title, names, values):
    """A bar chart as inline SVG."""
    top = max(values + [1e-9])
    height = 22 * len(values) + 8
    parts = [f"<figure><figcaption>{escape(title)}</figcaption><svg viewBox='0 0 640 {height}' role=img>"]
    for k, (name, v) in enumerate(zip(names, values)):
        y = 22 * k + 4
        parts.append(
            f"<text x=230 y={y + 13} text-anchor=end>{escape(name)}</text>"
            f"<rect x=240 y={y} width={max(1, 320 * v / top):.1f} height=16></rect>"
            f"<text x={246 + 320 * v / top:.1f} y={y + 13}>{number(v)}</text>"
        )
    return "".join(parts) + "</svg></figure>"


def histogram(title, counts, low, high, unit):
    """A histogram as inline SVG."""
    top = max(counts + [1])
    wide = 620 / len(counts)
    parts = [f"<figure><figcaption>{escape(title)} ({unit})</figcaption><svg viewBox='0 0 640 150' role=img>"]
    for k, v in enumerate(counts):
        h = 120 * v / top
        parts.append(
            f"<rect x={10 + k * wide:.1f} y={124 - h:.1f} width={wide - 0.6:.1f} height={h:.1f}></rect>"
        )
    for k in range(5):
        x = 10 + 155 * k
        parts.append(f"<text x={x} y=142 text-anchor=middle>{number(low + (high - low) * k / 4)}</text>")
    return "".join(parts) + "</svg></figure>"


_HEAD = """<!doctype html><html lang=en><head><meta charset=utf-8><title>ipcert: what timing tells</title>
<meta name=viewport content="width=device-width"><style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2em .6em;border-bottom:1px solid #ccc}
td:nth-child(-n+4){text-align:right;white-space:nowrap}figure{margin:1.5em 0}svg{width:100%;max-width:40em;font-size:12px}
rect{fill:#2a6f97}.holds{color:#1b6e2c}.FAILS{color:#b00020;font-weight:bold}.reported{color:#555}
</style></head><body>"""
