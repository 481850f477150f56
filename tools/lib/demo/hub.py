"""The demo on MicroPython: the frozen unix interpreter with a small heap does the whole job, renewals included."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile

from tools.lib import cache
from tools.lib.ca.pebble import Pebble
from tools.lib.say import Stop, note

NAME = "hub.janet.example"
HEAP = "128k"


def interpreter(target="micropython"):
    """Path of the interpreter with ipcert frozen in, built when missing. Raises Stop."""
    built = subprocess.run(
        [sys.executable, os.path.join(cache.ROOT, "tools", "build"), target, "--frozen"],
        stdout=subprocess.PIPE,
        text=True,
    )
    if built.returncode:
        raise Stop("MicroPython could not be built; see above.")
    return built.stdout.strip().splitlines()[-1]


def job(pebble, state, compress, program, heap=HEAP, timeout=300):
    """Run the job against a running Pebble; return its lines as a list of objects. Raises Stop when it fails."""
    words = {
        "directory": pebble.directory_url,
        "roots": pebble.tls_root,
        "state": state,
        "port": pebble.http_port,
        "compress": compress,
        "identifiers": [NAME, "127.0.0.1"],
    }
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "job.py")
    command = [program, "-X", "heapsize=" + heap, script, json.dumps(words)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout
    )
    if done.returncode:
        raise Stop("The job on MicroPython failed (heap %s): %s" % (heap, done.stdout.strip()[-500:]))
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(pebble, state, lines):
    """What is wrong with what the job left, as sentences, and its certificates as for --json."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    issued = next(line for line in lines if line["kind"] == "issued")
    renewed = next(line for line in lines if line["kind"] == "renewed")
    problems, certificates = [], []
    with open(os.path.join(state, renewed["account"]), "rb") as file:
        owners = {_spki(serialization.load_der_private_key(file.read(), None).public_key()): "the account"}
    before = {c["identifiers"][0]: c["chain"] for c in issued["certificates"]}
    for c in renewed["certificates"]:
        who = c["identifiers"][0]
        path = os.path.join(state, c["chain"])
        if before[who] == c["chain"]:
            problems.append("%s was not renewed." % who)
        verified = subprocess.run(
            ["openssl", "verify", "-CAfile", pebble.root(), "-untrusted", path, path],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if verified.returncode:
            problems.append(
                "%s does not chain to the CA's root: %s" % (who, verified.stdout.decode().strip())
            )
        with open(path, "rb") as file:
            leaf = x509.load_pem_x509_certificate(file.read())
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found = names.get_values_for_type(x509.DNSName) + [
            str(a) for a in names.get_values_for_type(x509.IPAddress)
        ]
        if found != c["identifiers"]:
            problems.append("%s: the certificate is for %s." % (who, ", ".join(found)))
        with open(os.path.join(state, c["chain"].replace("chain", "key")), "rb") as file:
            if _spki(serialization.load_der_private_key(file.read(), None).public_key()) != _spki(
                leaf.public_key()
            ):
                problems.append("%s: key and certificate do not belong together." % who)
        spki = _spki(leaf.public_key())
        if spki in owners:
            problems.append("%s has the same key as %s." % (who, owners[spki]))
        owners[spki] = who
        certificates.append(
            {
                "identifiers": c["identifiers"],
                "not_before": _utc(leaf).isoformat(),
                "spki_sha256": spki,
                "path": path,
                "profile": c["profile"],
            }
        )
    return problems, certificates


def run(args):
    """`tools/demo --runtime micropython`; returns an exit status."""
    program = interpreter()
    note("starting Pebble, Let's Encrypt's own test CA")
    state = tempfile.mkdtemp(prefix="ipcert-micropython-")
    with Pebble(nonce_reject=5) as pebble:
        note("MicroPython with a heap of %s asks for %s and 127.0.0.1, then renews both" % (HEAP, NAME))
        lines = job(pebble, state, args.compress, program)
        problems, certificates = check(pebble, state, lines)
    heap = next(line for line in lines if line["kind"] == "heap")
    signer = next(line for line in lines if line["kind"] == "renewed")["signer"]
    plans = [
        {"identifiers": c["identifiers"], "at": c["at"]}
        for c in next(line for line in lines if line["kind"] == "renewed")["certificates"]
    ]
    if args.json:
        print(
            json.dumps(
                {
                    "certificates": certificates,
                    "plans": plans,
                    "signer": signer,
                    "heap": heap,
                    "problems": problems,
                }
            )
        )
    else:
        for c in certificates:
            print(
                "%-20s %s  key %s  %s"
                % (c["identifiers"][0], c["not_before"], c["spki_sha256"][:16], c["profile"])
            )
        print(
            "Signed by %s. Live heap: %d bytes at most, TLS included, %d of them above the start."
            % (signer, heap["top"], heap["above"])
        )
        if not problems:
            print(
                "Both were renewed, chain to the CA's root, and share no key with each other or the account."
            )
    for problem in problems:
        print("demo: " + problem, file=sys.stderr)
    return 1 if problems else 0


def _utc(leaf):
    return leaf.not_valid_before_utc if hasattr(leaf, "not_valid_before_utc") else leaf.not_valid_before


def _spki(public):
    from cryptography.hazmat.primitives import serialization

    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()
