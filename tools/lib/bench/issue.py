"""tools/bench issue: one certificate from a fresh start, by ipcert and by others, in turns on this machine."""

import argparse
import json
import os
import platform
import shutil
import statistics
import tempfile

from cryptography import x509

from tools.lib.bench import clients, measure, webroot
from tools.lib.ca.pebble import Pebble
from tools.lib.say import Stop, note

NAME = "nas.home.example"
_COLUMNS = (
    ("cpu", "CPU s", 3),
    ("largest", "MiB", 1),
    ("together", "MiB all", 1),
    ("processes", "procs", 0),
    ("requests", "requests", 0),
    ("tls", "TLS", 0),
    ("wall", "wall s", 2),
    ("slept", "slept s", 2),
    ("rest", "wall-slept", 2),
)


def main(words):
    """The command line of `tools/bench issue`. Returns an exit status."""
    parser = argparse.ArgumentParser(prog="tools/bench issue", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument(
        "--runs", type=int, default=5, help="rounds; every client runs once in each (%(default)s)"
    )
    names = [client.name for client in clients.ALL]
    parser.add_argument("--only", action="append", choices=names, default=[], help="these clients only")
    options = parser.parse_args(words)
    result = bench(max(1, options.runs), options.only or names)
    print(json.dumps(result, indent=2) if options.json else table(result))
    return 1 if result["failed"] else 0


def bench(runs, names):
    """Run the clients named, `runs` times in turns. Returns what --json prints."""
    ready, left_out, failed = [], {}, {}
    for kind in clients.ALL:
        if kind.name in names:
            client = kind()
            try:
                client.install()
                ready.append((client, client.version()))
            except Stop as error:
                left_out[client.name] = str(error)
    rows = {client.name: [] for client, _ in ready}
    lost = {client.name: 0 for client, _ in ready}
    with Pebble() as pebble:
        for turn in range(runs):
            # Who comes first changes with each round, so that nobody always runs on a cold or a warm machine.
            for client, _ in ready[turn % len(ready) :] + ready[: turn % len(ready)]:
                if client.name in failed:
                    continue
                note(f"round {turn + 1} of {runs}: {client.name}")
                for left in reversed(range(client.tries)):
                    try:
                        rows[client.name].append(once(client, pebble))
                        break
                    except Stop as error:
                        lost[client.name] += 1
                        if not left:
                            failed[client.name] = str(error)
    found = [
        {"client": client.name, "version": version, "note": client.note, "failed_runs": lost[client.name]}
        | _middle(rows[client.name])
        for client, version in ready
        if rows[client.name] and client.name not in failed
    ]
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "runs": runs,
        "clients": found,
        "left_out": left_out,
        "failed": failed,
    }


def once(client, pebble):
    """One issuance: a fresh directory, a new account, one name. Returns the figures of this run."""
    directory = tempfile.mkdtemp(prefix="ipcert-bench-")
    try:
        client.prepare(directory, pebble)
        command, environment = client.order(directory, pebble, NAME)
        if client.webroot:
            with webroot.Webroot(os.path.join(directory, "www"), pebble.http_port):
                used, traffic, requests = _measured(client, command, environment, directory, pebble)
        else:
            used, traffic, requests = _measured(client, command, environment, directory, pebble)
        _check(client, directory, used)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    slept = traffic.slept()
    return {
        "cpu": used.cpu,
        "user": used.user,
        "system": used.system,
        "largest": used.largest,
        "together": used.together,
        "processes": used.processes,
        "requests": len(requests),
        "tls": traffic.tls,
        "wall": used.wall,
        "slept": slept,
        "rest": used.wall - slept,
        "resources": [f"{method} {resource}" for method, resource in requests],
    }


def _measured(client, command, environment, directory, pebble):
    pebble.reset()
    used = measure.run(command, environment, directory)
    return used, pebble.traffic(), pebble.requests()


def _check(client, directory, used):
    """A run counts only if it left a certificate for the name that was asked for."""
    texts = [used.output] if "-----BEGIN CERTIFICATE" in used.output else []
    for path in client.certificates(directory):
        with open(path) as file:
            texts.append(file.read())
    for text in texts:
        start = text.find("-----BEGIN CERTIFICATE-----")
        if start >= 0:
            leaf = x509.load_pem_x509_certificate(text[start:].encode())
            names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            if names.get_values_for_type(x509.DNSName) == [NAME]:
                return
    raise Stop(f"{client.name} ended well and left no certificate for {NAME}: {used.output[-2000:]}")


def _middle(rows):
    """The median of each figure, and the least and most CPU seconds."""
    middle = {name: statistics.median(row[name] for row in rows) for name, _, _ in _COLUMNS}
    cpu = [row["cpu"] for row in rows]
    return {**middle, "cpu_least": min(cpu), "cpu_most": max(cpu), "resources": rows[-1]["resources"]}


def table(result):
    """The result for a reader."""
    lines = [f"{'':22}" + "".join(f"{title:>11}" for _, title, _ in _COLUMNS)]
    for row in result["clients"]:
        cells = "".join(f"{row[name]:>11.{digits}f}" for name, _, digits in _COLUMNS)
        lines.append(f"{row['client'] + ' ' + row['version']:22}{cells}")
    lines.append("")
    lines.append(
        f"Medians of {result['runs']} runs in turns on this machine ({result['machine']}), against a real"
    )
    lines.append("Pebble with no refused nonces, no reuse and no sleeps; one name, a new account, http-01.")
    lines.append(
        "MiB: resident memory of the largest process; MiB all: of all of them at the worst moment seen."
    )
    lines.append("slept: pauses of 0.1 s or more between an answer and the client's next request.")
    lines += [f"{row['client']}: {row['note']}." for row in result["clients"] if row["note"]]
    lines += [
        f"{row['client']}: {row['failed_runs']} runs failed and were repeated."
        for row in result["clients"]
        if row["failed_runs"]
    ]
    lines += [f"{name} was left out: {why}." for name, why in result["left_out"].items()]
    lines += [f"{name} failed: {why}" for name, why in result["failed"].items()]
    return "\n".join(lines)
