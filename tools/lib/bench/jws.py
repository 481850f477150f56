"""tools/bench jws: a finished JWS over the raw signature, on both interpreters, beside other libraries."""

import argparse
import base64
import json
import os
import platform
import subprocess
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tools.lib import cache, needs, venv
from tools.lib.bench import jws_work
from tools.lib.say import Stop, note

_HERE = os.path.dirname(os.path.abspath(__file__))
_ORDER = ("cpython", "micropython-usermod", "micropython-natmod")


def main(words):
    """The command line of `tools/bench jws`. Returns an exit status."""
    parser = argparse.ArgumentParser(prog="tools/bench jws", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args(words)
    needs.install("bench jws")
    result = bench()
    print(json.dumps(result, indent=2) if options.json else table(result))
    return 0


def bench():
    """What --json prints: a row for each of ours, {signer, jws_us, raw_us, ratio, request_us}, and the peers."""
    result = {"machine": {"processor": platform.machine(), "cpus": os.cpu_count()}}
    note("CPython and the peers")
    result.update(_cpython())
    note("MicroPython, built in")
    result["micropython-usermod"] = _micropython(_build("micropython"))
    note("MicroPython, natmod")
    natmod = os.path.dirname(_build("natmod", "x64"))
    result["micropython-natmod"] = _micropython(_build("micropython", "--stock"), natmod)
    return result


def table(result):
    """The result as lines for a person."""
    lines = ["%-22s %10s %10s %7s   %s" % ("", "JWS us", "raw us", "ratio", "request us, signer")]
    for name in _ORDER:
        row = result[name]
        lines.append(
            "%-22s %10.1f %10.1f %7.3f   %.1f, %s"
            % (name, row["jws_us"], row["raw_us"], row["ratio"], row["request_us"], row["signer"])
        )
    lines.append("peers on CPython, over the same raw signature:")
    for name, row in sorted(result["peers"].items(), key=lambda item: item[1]["ratio"]):
        lines.append("%-22s %10.1f %10s %7.2f" % (name, row["jws_us"], "", row["ratio"]))
    lines.append(
        "JWS: header and payload to finished text. request: with the checks of url and nonce before it."
    )
    return "\n".join(lines)


def _build(*words):
    command = [sys.executable, os.path.join(cache.ROOT, "tools", "build"), *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise Stop(f"tools/build {' '.join(words)} failed.")
    return done.stdout.strip().splitlines()[-1]


def _cpython():
    python = venv.python(venv.environment("bench-jws"))
    path = [_HERE, cache.ROOT, os.path.join(cache.ROOT, "ports", "cpython")]
    return _run([python, os.path.join(_HERE, "jws_cpython.py")], dict(os.environ, PYTHONPATH=":".join(path)))


def _micropython(interpreter, *folders):
    path = [*folders, _HERE, cache.ROOT, os.path.join(cache.ROOT, "ports", "micropython"), ".frozen"]
    script = os.path.join(_HERE, "jws_micropython.py")
    row = _run([interpreter, script], dict(os.environ, MICROPYPATH=":".join(path)))
    _check(row.pop("sample"))
    return row


def _run(command, environment):
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise Stop(
            f"{os.path.basename(command[-1])} ended with status {done.returncode}: {done.stderr[-1500:]}"
        )
    return json.loads(done.stdout.strip().splitlines()[-1])


def _check(text):
    # What was timed is a signature: OpenSSL says so.
    parts = json.loads(text)
    raw = base64.urlsafe_b64decode(parts["signature"] + "==")
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    signed = ("%s.%s" % (parts["protected"], parts["payload"])).encode()
    key = ec.derive_private_key(int(jws_work.KEY, 16), ec.SECP256R1())
    key.public_key().verify(der, signed, ec.ECDSA(hashes.SHA256()))
