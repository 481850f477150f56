"""`ipcert account`, `revoke`, `adopt` and the choices of `issue`, as a user types them, before a real CA."""

import datetime
import json
import os
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tools.lib.ca import certificates
from tools.lib.ca.strictca import validity

NAME = "nas.janet.example"
CONFIG = """
[ca]
directory = "{directory}"
roots = "{roots}"
test = true
agree_terms = true
contacts = ["janet@janet.example"]
{ca}
[identifiers]
names = {names}
addresses = {addresses}
[policy]
urgent = "both"
first_delay = "0s"
[http01]
listen = ["127.0.0.1:{port}", "[::1]:{port}"]
[tlsalpn]
listen = ["127.0.0.1:{tls}", "[::1]:{tls}"]
[state]
dir = "state"
[deploy]
dir = "live"
"""


class Shell:
    """Runs `ipcert` in a folder of its own."""

    def __init__(self, folder, ca, names=(NAME,), addresses=(), extra=""):
        self.folder = folder
        text = CONFIG.format(
            directory=ca.directory_url, roots=ca.tls_root, port=ca.http_port, tls=ca.tls_port,
            names=json.dumps(list(names)), addresses=json.dumps(list(addresses)), ca=extra,
        )  # fmt: skip
        (folder / "ipcert.toml").write_text(text)

    def __call__(self, *words, code=0):
        """The --json object; `self.said` is what stood on stderr."""
        command = [
            sys.executable,
            "-m",
            "ipcert_port",
            *words,
            "--json",
            "--config",
            str(self.folder / "ipcert.toml"),
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        self.said = done.stderr
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else None

    def leaf(self, name=NAME):
        return x509.load_pem_x509_certificate((self.folder / "live" / name / "cert.pem").read_bytes())


@pytest.fixture
def shell(pebble, tmp_path):
    return Shell(tmp_path, pebble)


def test_account_from_its_making_to_its_end(shell, pebble):
    assert shell("account")["account"] is None
    shell("issue")
    first = shell("account", "show")
    assert first["account"].startswith("https://localhost") and first["contacts"] == [
        "mailto:janet@janet.example"
    ]
    pebble.reset()
    assert shell("account", "update")["account"] == first["account"]
    assert len([r for r in pebble.requests() if r[0] == "POST"]) == 1
    rolled = shell("account", "rollover")
    assert rolled["account"] == first["account"] and rolled["thumbprint"] != first["thumbprint"]
    # The new key is good for an order.
    assert shell("issue", "--now", NAME)["issued"] == 1
    shell("account", "deactivate", code=2)
    assert "--yes" in shell.said
    assert shell("account", "deactivate", "--yes")["account"] is None
    shell("issue", "--now", NAME)
    last = shell("account")
    assert last["account"] != first["account"] and last["thumbprint"] not in (
        first["thumbprint"],
        rolled["thumbprint"],
    )


def test_what_was_proved_is_given_back(make_pebble, tmp_path):
    ca = make_pebble(authz_reuse=100)
    shell = Shell(tmp_path, ca, names=(NAME, "www.janet.example"), addresses=("127.0.0.1",))
    shell("account", "deauthorize", code=2)
    assert "--name NAME" in shell.said
    shell("account", "deauthorize", "--name", NAME, code=2)
    assert "Nothing was proved" in shell.said
    shell("issue", "--now", NAME, "--now", "127.0.0.1")
    shell("issue", "--now", NAME)  # where the two came too close, this one waited

    def validated():
        ca.reset()
        shell("issue", "--now", NAME)
        return ca.requests().count(("POST", "/chalZ/"))

    assert validated() == 0, "the CA did not reuse what it knew"
    ca.reset()
    shell("account", "deauthorize", "--name", "www.janet.example")
    assert ca.requests().count(("POST", "/authZ/")) == 2
    assert validated() == 2
    # An address that is not ours any more is given back by itself: when it comes back, it is proved anew.
    for address in ("::1", "127.0.0.1"):
        Shell(tmp_path, ca, names=(NAME, "www.janet.example"), addresses=(address,))
        ca.reset()
        shell("issue", "--now", address)
        assert ca.requests()[1:3] == [("POST", "/my-order/"), ("POST", "/authZ/")]
        assert ca.requests().count(("POST", "/chalZ/")) == 1


def test_an_account_is_found_again_by_its_key_alone(shell, pebble, tmp_path):
    shell("issue")
    was = shell("account")
    names = [n for n in os.listdir(tmp_path / "state") if n.startswith("account-")]
    der = (tmp_path / "state" / names[0]).read_bytes()
    key = serialization.load_der_private_key(der, None)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "other").mkdir()
    other = Shell(tmp_path / "other", pebble)
    (tmp_path / "account.pem").write_bytes(pem)
    found = other("account", "recover", "--key", str(tmp_path / "account.pem"))
    assert (found["account"], found["thumbprint"]) == (was["account"], was["thumbprint"])
    assert other("issue")["issued"] == 1 and other("account")["account"] == was["account"]
    # A key that the CA does not know changes nothing.
    stranger = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "stranger.pem").write_bytes(stranger)
    other("account", "recover", "--key", str(tmp_path / "stranger.pem"), code=3)
    assert other("account")["account"] == was["account"]


@pytest.mark.parametrize("reason", ["unspecified", "keycompromise", "superseded"])
def test_revoke_by_account(shell, pebble, reason):
    shell("issue")
    serial = shell.leaf().serial_number
    out = shell("revoke", NAME, "--reason", reason)
    assert out["revoked"] and not (shell.folder / "live" / NAME).exists()
    assert revoked(pebble, serial) == {"unspecified": 0, "keycompromise": 1, "superseded": 4}[reason]
    assert [n for n in os.listdir(shell.folder / "state") if n.startswith(("key-", "chain-"))] == []
    assert shell("status")["certificates"] == []
    shell("revoke", NAME, code=2)
    assert "no certificate" in shell.said
    assert shell("issue", "--now", NAME)["issued"] == 1


def test_revoke_by_the_certificates_own_key(shell, pebble):
    shell("issue")
    serial = shell.leaf().serial_number
    pebble.reset()
    assert shell("revoke", NAME, "--reason", "keycompromise", "--by-key")["revoked"]
    assert revoked(pebble, serial) == 1


def test_two_lineages_are_not_revoked_at_one_moment(pebble, tmp_path):
    shell = Shell(tmp_path, pebble, addresses=["127.0.0.1"])
    shell("issue", "--now", NAME, "--now", "127.0.0.1")
    assert shell("revoke", NAME)["revoked"]
    out = shell("revoke", "127.0.0.1")
    assert not out["revoked"]
    at = datetime.datetime.fromisoformat(out["plan"]["at"][:-1])
    assert at - datetime.datetime.utcnow() > datetime.timedelta(minutes=110)


def revoked(pebble, serial):
    """The reason that Pebble notes for a serial number."""
    import ssl
    import urllib.request

    context = ssl.create_default_context(cafile=pebble.tls_root)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    with opener.open(f"{pebble.management_url}/cert-status-by-serial/{serial:x}", timeout=10) as answer:
        obj = json.load(answer)
    assert obj["Status"] == "Revoked"
    return obj.get("Reason", 0)


def test_choices_for_one_run(make_pebble, tmp_path):
    ca = make_pebble(alternates=2)
    shell = Shell(tmp_path, ca, addresses=["127.0.0.1"])
    roots = [
        x509.load_pem_x509_certificate(open(ca.root(k), "rb").read()).subject.rfc4514_string()[3:]
        for k in range(3)
    ]
    for k in (1, 2):
        shell("issue", "--now", NAME, "--preferred-chain", roots[k], "--challenge", "tls-alpn-01")
        chain = x509.load_pem_x509_certificates((tmp_path / "live" / NAME / "chain.pem").read_bytes())
        assert chain[-1].issuer.rfc4514_string()[3:] == roots[k]
    shell("issue", "--now", "127.0.0.1", "--profile", "classic")
    leaf = shell.leaf("127.0.0.1")
    begin, end = validity(leaf)
    assert (end - begin).days >= 89
    shell("issue", "--now", NAME, "--profile", "gold", code=2)
    assert "no profile 'gold'; it lists: classic, shortlived" in shell.said
    shell("issue", "--now", NAME, "--profile", "shortlived", code=2)
    assert "six-day" in shell.said


@pytest.mark.parametrize(
    "words, said",
    [
        (["issue", "--challenge", "smoke-signals"], "--challenge must be one of"),
        (["issue", "--now", NAME, "--profile", 'a"b'], "--profile wants"),
        (["revoke", "other.janet.example"], "not in the configuration"),
        (["revoke", NAME], "no certificate"),
        (["account", "recover"], "Say which key"),
        (["account", "recover", "--key", "/nonexistent"], "Cannot read"),
        (["account", "recover", "--key", __file__], "no P-256 private key"),
        (["account", "update"], "no account yet"),
        (["account", "show", "--yes"], "--yes belongs to"),
        (["account", "show", "--key", "x"], "--key belongs to"),
        (["adopt", "/nonexistent"], "Cannot read"),
        (["adopt", __file__], "holds no certificate"),
    ],
)
def test_wrong_use_is_one_sentence(shell, words, said):
    shell(*words, code=2)
    lines = shell.said.strip().split("\n")
    assert len(lines) == 1 and said in lines[0] and lines[0].startswith("ipcert: ")


def test_help_names_every_option():
    for words, options in (
        (["issue"], ["--now", "--wait", "--profile", "--challenge", "--preferred-chain"]),
        (["account"], ["show", "update", "rollover", "deactivate", "recover", "--yes", "--key"]),
        (["revoke"], ["--reason", "keycompromise", "--by-key"]),
        (["adopt"], ["PATH", "certbot"]),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "ipcert_port", *words, "--help"], stdout=subprocess.PIPE, text=True
        )
        assert done.returncode == 0 and not [o for o in options if o not in done.stdout]


# Adoption


def left_behind(folder, names, days=90, age=10, chain="fullchain.pem", key="privkey.pem"):
    """What another client leaves: a chain and a key, in the layout of its kind."""
    secret, authority = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    nobody, issuer = certificates.name(""), certificates.name("Old CA")
    start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=age)
    end = start + datetime.timedelta(days=days)
    leaf = certificates.sign(nobody, secret.public_key(), issuer, authority, start, end, names)
    folder.mkdir(parents=True)
    (folder / chain).write_bytes(certificates.pem(leaf))
    (folder / key).write_bytes(certificates.secret(secret))
    return leaf


@pytest.mark.parametrize(
    "folder, chain, key",
    [(NAME, "fullchain.pem", "privkey.pem"), (NAME + "_ecc", "fullchain.cer", NAME + ".key")],
    ids=["certbot", "acme.sh"],
)
def test_adopted_certificates_are_renewed_by_plan(shell, pebble, tmp_path, folder, chain, key):
    left_behind(tmp_path / "live-of-another" / folder, [NAME], chain=chain, key=key)
    pebble.reset()
    out = shell("adopt", str(tmp_path / "live-of-another"))
    plan = out["adopted"][0]
    at = datetime.datetime.fromisoformat(plan["at"][:-1])
    days = (at - datetime.datetime.utcnow()) / datetime.timedelta(days=1)
    assert 7 < days < 76, "P2: between 0.20 and 0.95 of 90 days, 10 of which are over"
    assert pebble.requests() == []
    # Nothing is due, and nothing is issued at once.
    assert shell("issue")["issued"] == 0
    assert shell("plan")["plans"][0]["at"] == plan["at"]


def test_an_adopted_key_is_never_used(shell, tmp_path):
    from ipcert_port import formatting
    from ipcert_port.port.state import State

    left_behind(tmp_path / "old", [NAME])
    shell("adopt", str(tmp_path / "old"))
    digest = bytes.fromhex(formatting.spki((tmp_path / "old" / "fullchain.pem").read_bytes()))
    assert State(str(tmp_path / "state")).journal.ring.holds(digest, 0)


def test_what_cannot_be_adopted(pebble, tmp_path):
    shell = Shell(tmp_path, pebble, addresses=["127.0.0.1"])
    left_behind(tmp_path / "mixed", [NAME, "127.0.0.1"])
    shell("adopt", str(tmp_path / "mixed"), code=2)
    assert "share one certificate" in shell.said and "Nothing was adopted" in shell.said
    left_behind(tmp_path / "more", [NAME, "www.janet.example"])
    shell("adopt", str(tmp_path / "more"), code=2)
    assert "not exactly" in shell.said
    left_behind(tmp_path / "old", [NAME], days=5)
    shell("adopt", str(tmp_path / "old"), code=2)
    assert "has expired" in shell.said


# CAs


def test_bindings_and_names_of_cas(make_pebble, tmp_path):
    from ipcert.errors import LocalError
    from ipcert_port.config import directories, reader

    kid, key = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    ca = make_pebble(eab={kid: key})
    shell = Shell(tmp_path, ca)
    shell("issue", code=2)
    assert "external account binding" in shell.said
    (tmp_path / "eab.key").write_text(key + "\n")
    bound = Shell(tmp_path, ca, extra=f'eab_kid = "{kid}"\neab_key_file = "eab.key"')
    assert bound("issue", "--now", NAME)["issued"] == 1 and bound("account")["external"] == kid
    (tmp_path / "eab.key").write_text(key[:-2] + "AA\n")
    (tmp_path / "b").mkdir()
    wrong = Shell(tmp_path / "b", ca, extra=f'eab_kid = "{kid}"\neab_key_file = "../eab.key"')
    wrong("issue", code=3)
    assert key[:20] not in wrong.said
    for name in directories.KNOWN:
        url, needs, _ = directories.KNOWN[name]
        path = tmp_path / f"{name}.toml"
        path.write_text(f'[ca]\ndirectory = "{name}"\n[identifiers]\nnames = ["nas.example.net"]\n')
        if needs:
            with pytest.raises(LocalError) as caught:
                reader.load(str(path))
            assert name in str(caught.value) and "eab_kid" in str(caught.value)
        else:
            assert reader.load(str(path)).directory == url
        assert directories.name(url) == name


def test_another_ca_is_never_taken_silently(make_pebble, pebble, tmp_path):
    shell = Shell(tmp_path, pebble)
    first = shell("issue")
    assert first["issued"] == 1
    other = make_pebble()
    shell = Shell(tmp_path, other)
    out = shell("issue")
    assert out["issued"] == 0 and [n for n in out["notices"] if n["code"] == "ca-changed"]
    assert shell("status")["certificates"], "what was issued stays in service"
    # A CA that is down is waited for: nothing else is asked.
    other.stop()
    pebble.reset()
    shell("issue", "--now", NAME, code=5)
    assert pebble.requests() == []
