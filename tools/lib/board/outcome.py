"""What a run on an emulated machine came to, hub or NAS: what held, what the CA issued, and how both are shown."""

import datetime
import hashlib
import json
import sys

from cryptography import x509

from tools.lib.ca import certificates


def spki(certificate):
    """SHA-256 of a certificate's SubjectPublicKeyInfo, in hex."""
    return hashlib.sha256(certificates.spki(certificate.public_key())).hexdigest()


def names(certificate):
    """DNS names and addresses of a certificate, as text."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return found.get_values_for_type(x509.DNSName) + [
        str(a) for a in found.get_values_for_type(x509.IPAddress)
    ]


def latest(ca):
    """{first identifier: the certificate that Pebble issued last for it}"""
    return {names(one)[0]: one for one in ca.issued()}


def rows(issued):
    """Certificates as `--json` has them."""
    found = []
    for one in issued:
        begin = one.not_valid_before_utc if hasattr(one, "not_valid_before_utc") else one.not_valid_before
        end = one.not_valid_after_utc if hasattr(one, "not_valid_after_utc") else one.not_valid_after
        found.append(
            {
                "identifiers": names(one),
                "not_before": begin.isoformat(),
                "spki_sha256": spki(one),
                "profile": "shortlived" if end - begin < datetime.timedelta(days=10) else "classic",
                "serial": f"{one.serial_number:x}",
            }
        )
    return found


class Checks:
    """Sentences about what was seen; `problems` holds those that are not as they should be."""

    def __init__(self, say):
        self.problems = []
        self._say = say

    def __call__(self, right, sentence):
        if not right:
            self.problems.append(sentence)
        self._say(("  ok   " if right else "  NOT  ") + sentence)


def apart(check, issued):
    """G0 over everything that Pebble issued."""
    mixed = [one for one in issued if len(names(one)) != 1]
    check(not mixed, "no certificate holds a name and an address")
    named = [one for one in issued if one.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    check(not named, "no certificate has a common name")
    check(
        len({spki(one) for one in issued}) == len(issued),
        f"{len(issued)} certificates have {len(issued)} different keys",
    )


def speaker(args):
    """The function that says how a run goes: on stderr where stdout is for --json."""

    def say(sentence):
        print(sentence, file=sys.stderr if args.json else sys.stdout, flush=True)

    return say


def show(args, title, out, lines):
    """Print what a run came to: `out` as JSON, or its certificates and `lines`; then its problems. An exit status."""
    if args.json:
        print(json.dumps(out, indent=1))
    else:
        for row in out.get("certificates", ()):
            shown = row["identifiers"][0], row["not_before"], row["spki_sha256"][:16], row["profile"]
            print("%-20s %s  key %s…  %s" % shown)
        for line in lines:
            print(line)
    for problem in out["problems"]:
        print(f"{title}: not so: {problem}", file=sys.stderr)
    return 1 if out["problems"] else 0
