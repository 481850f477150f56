"""`ipcert demo`: the main job against a test CA, and then a look from outside at what came of it.

The certificates are fetched by `ipcert issue --wait` and served by `ipcert serve`, both as a user would run them; a
separate process connects with nothing but the CA's root; what it was shown is taken apart by `cryptography`, not by us.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

from ipcert import limits
from ipcert.errors import LocalError

from .. import exit_codes
from ..formatting import planned
from ..port.state import State
from .status import certificates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..config.reader import Config

# The other side of the connection: it knows the root, an address to connect to, and whom it expects there.
_CLIENT = """
import socket, ssl, sys
root, host, port, expected = sys.argv[1:]
context = ssl.create_default_context(cafile=root)
with socket.create_connection((host, int(port)), timeout=10) as plain:
    with context.wrap_socket(plain, server_hostname=expected) as tls:
        name = "[%s]" % expected if ":" in expected else expected
        tls.sendall(("GET / HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" % name).encode())
        answer = b""
        while True:
            piece = tls.recv(4096)
            if not piece:
                break
            answer += piece
        if answer.split(b" ")[1:2] != [b"200"]:
            sys.exit("the server answered %r" % answer[:60])
        sys.stdout.write(tls.getpeercert(True).hex())
"""


def run(config: Config, root: str, as_json: bool) -> tuple[int, dict[str, Any] | None]:
    """Returns (exit code, the JSON object). Raises LocalError("config") for a CA that is not a test CA."""
    if not config.policy.test_ca:
        raise LocalError(
            "config",
            "The demo is for a test CA (ca.test = true); in a checkout run ./tools/demo, which starts one.",
        )
    command = [sys.executable, "-m", "ipcert_port"]
    where = ["--config", config.path]
    words = [*command, "issue", "--wait", *where, *(["--json"] if as_json else [])]
    done = subprocess.run(words, stdout=subprocess.DEVNULL if as_json else None)
    if done.returncode:
        return done.returncode, None
    state = State(config.state)
    found = certificates(config, state)
    seen = _visit(config, root, command, where, found)
    problems = check(found, seen, _account(state))
    out = {
        "certificates": found,
        "plans": [planned(r) for r in state.records()],
        "compress": config.policy.compress,
        "problems": problems,
    }
    if not as_json:
        _table(found, state, config.policy.compress)
    for problem in problems:
        print("ipcert: " + problem, file=sys.stderr, flush=True)
    if not problems and not as_json:
        print("Nothing is shared: %s." % _SHARED % len(found))
    return (exit_codes.BUG if problems else exit_codes.OK), out


_SHARED = (
    "no certificate holds both a name and an address, none has a common name, and %d subject keys and the account key "
    "are all different"
)


def _visit(
    config: Config, root: str, command: Sequence[str], where: Sequence[str], found: Sequence[dict[str, Any]]
) -> dict[str, bytes | None]:
    """What a separate client was shown for each identifier: text -> leaf in DER."""
    loopback = ["--listen", "127.0.0.1:0", "--listen", "[::1]:0"]
    server = subprocess.Popen([*command, "serve", "--json", *loopback, *where], stdout=subprocess.PIPE)
    try:
        line = server.stdout.readline()  # type: ignore[union-attr]  # there is a pipe
        if not line:
            raise LocalError("port", "The demo's TLS server did not start; see above.")
        v4, v6 = json.loads(line)["ports"]
        seen: dict[str, bytes | None] = {}
        for c in found:
            for text in c["identifiers"]:
                to = ["::1", str(v6)] if ":" in text else ["127.0.0.1", str(v4)]
                client = subprocess.run(
                    [sys.executable, "-c", _CLIENT, root, *to, text],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
                if client.returncode:
                    last = client.stderr.decode(errors="replace").strip().splitlines()[-1:]
                    print(
                        "ipcert: a TLS client that trusts the CA's root was refused at %s: %s"
                        % (text, "".join(last)),
                        file=sys.stderr,
                    )
                    seen[text] = None
                else:
                    seen[text] = bytes.fromhex(client.stdout.decode())
        return seen
    finally:
        server.terminate()
        server.wait(10)
        server.stdout.close()  # type: ignore[union-attr]  # as above


def _account(state: State) -> str:
    """SHA-256 over the account key's SubjectPublicKeyInfo, in hex."""
    from cryptography.hazmat.primitives import serialization

    data = state.read("account-%d" % state.journal.account_file_id)
    if data is None:
        raise LocalError("state", "The account's key is not in the state folder.")
    key = serialization.load_der_private_key(data, None)
    return _spki(key.public_key())


def _spki(public: Any) -> str:
    from cryptography.hazmat.primitives import serialization

    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def check(found: Sequence[dict[str, Any]], seen: Mapping[str, bytes | None], account: str) -> list[str]:
    """What is wrong, as a list of sentences: empty when nothing is shared and everything was served.

    `found` are certificates as for --json, `seen` maps identifiers to the DER they were served with, `account` is the
    account key's hash.
    """
    from cryptography import x509

    problems = []
    owners = {account: "the account"}
    for c in found:
        who = ",".join(c["identifiers"])
        shown = {seen.get(text) for text in c["identifiers"]}
        der = shown.pop()
        if der is None or shown:
            problems.append("%s was not served with one certificate of its own." % who)
            continue
        leaf = x509.load_der_x509_certificate(der)
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        dns = names.get_values_for_type(x509.DNSName)
        addresses = [str(a) for a in names.get_values_for_type(x509.IPAddress)]
        if dns and addresses:
            problems.append("%s: one certificate ties names to addresses." % who)
        if sorted(dns + addresses) != sorted(c["identifiers"]):
            problems.append("%s: the certificate is for %s." % (who, ", ".join(dns + addresses)))
        if leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME):
            problems.append("%s: the certificate has a common name." % who)
        key = _spki(leaf.public_key())
        if key != c["spki_sha256"]:
            problems.append("%s: the certificate served is not the one in the state folder." % who)
        if key in owners:
            problems.append("%s has the same key as %s." % (who, owners[key]))
        owners[key] = who
    if not found:
        problems.append("No certificate was issued.")
    return problems


def _table(found: Sequence[dict[str, Any]], state: State, compress: int) -> None:
    """Who got what, when, with which key."""
    rows = [("certificate for", "issued", "SHA-256 of its key", "profile", "served")]
    begun = min([r.created_at for r in state.records()] + [limits.NEVER])
    by_ids = {r.identifiers_text.text(): r for r in state.records()}
    for c in found:
        ids = ",".join(c["identifiers"])
        r = by_ids[ids]
        after = "%s (+%d s)" % (c["not_before"], max(r.not_before - begun, 0))
        rows.append((ids, after, c["spki_sha256"][:32] + "...", c["profile"] or "-", "yes"))
    widths = [max(len(row[k]) for row in rows) for k in range(5)]
    print("")
    for row in rows:
        print("  ".join([row[k].ljust(widths[k]) for k in range(5)]).rstrip())
    print("")
    if compress > 1:
        print(
            "The random delays were divided by %d: 14 days became %d seconds."
            % (compress, 14 * limits.DAY // compress)
        )
    print("Files are in:")
    for c in found:
        print("  " + os.path.join(c["path"], ""))
