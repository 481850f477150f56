"""ipcert before each CA that can be had: a name, both families, http-01 and tls-alpn-01, account, revocation; MicroPython.

What a CA does not offer, and what it does wrong, stands in two tables below, with its own words. A CA that is mended
makes its test fail, so that the line is taken out. `tools/test interop` prints what each has.
"""

import contextlib
import os
import shutil
import subprocess

import pytest
from cryptography import x509

from ipcert.operation_commands import Revocation
from tests.interop.home import home
from tests.interop.test_micropython import Hub
from tools.lib import cache, needs, netns
from tools.lib.build import golang
from tools.lib.ca import foreign, pebble, stepca
from tools.lib.say import Stop

NAME, V4, V6 = "nas.janet.example", "127.0.0.1", "::1"


@contextlib.contextmanager
def a_pebble(programs=None):
    """A Pebble with ports of its own: it needs no namespace."""
    with pebble.Pebble(programs=programs) as ca:
        ca.issuing_root = ca.root()
        yield ca


@contextlib.contextmanager
def newer_pebble():
    needs.install("pebble newer")
    folder = golang.build("pebble-newer")
    with a_pebble((os.path.join(folder, "pebble"), os.path.join(folder, "pebble-challtestsrv"))) as ca:
        yield ca


@contextlib.contextmanager
def debians_pebble():
    with a_pebble(pebble.debian_programs()) as ca:
        yield ca


@contextlib.contextmanager
def step():
    needs.install("step-ca")
    with pebble.Pebble() as helper, stepca.StepCA(helper) as ca:
        ca.issuing_root = ca.tls_root
        yield ca


CAS = {
    "pebble-2.10.1": a_pebble,
    "pebble-2.10.3": newer_pebble,
    "pebble-debian": debians_pebble,  # 2.4 on Debian 12
    "step-ca-0.30.2": step,
    "caddy-2.11.9": foreign.Caddy,
    "caddy-debian": foreign.DebianCaddy,  # 2.6.2 on Debian 12
    "acme2certifier-0.46.3": foreign.Acme2certifier,
    "serles-acme-1.3.0": foreign.Serles,
}
BUILT = ("caddy-2.11.9",)  # takes minutes to build: only in `tools/test full`

# (CA, what) -> (our error's code, the CA's words): the CA does not have it, and says so.
WITHOUT = {
    ("step-ca-0.30.2", "rollover"): ("rejectedIdentifier", "not implemented"),
    ("caddy-2.11.9", "rollover"): ("rejectedIdentifier", "not implemented"),
    ("caddy-debian", "rollover"): ("rejectedIdentifier", "not implemented"),
    ("serles-acme-1.3.0", "rollover"): ("unauthorized", "not offered"),
    ("serles-acme-1.3.0", "revocation"): ("unauthorized", "not offered"),
    ("serles-acme-1.3.0", "revocation by key"): ("unauthorized", "not offered"),
}
# The same where the CA is wrong.
WRONG = {
    # It writes http://::1/ where RFC 3986 3.2.2 wants brackets.
    ("serles-acme-1.3.0", "http-01", V6): ("serverInternal", "'::1' is not a valid host or port"),
    # Its TLS gives an address as server name, which none may be (RFC 6066 3): so there is none, where RFC 8738 6 wants
    # 1.0.0.127.in-addr.arpa.
    ("serles-acme-1.3.0", "tls-alpn-01", V4): ("connection", "no application protocol"),
    ("serles-acme-1.3.0", "tls-alpn-01", V6): ("connection", "no application protocol"),
    # RFC 8555 7.3: contact is optional.
    ("acme2certifier-0.46.3", "account without contact"): ("malformed", "Contact information is missing"),
    # RFC 8555 7.6: the certificate's own key is enough.
    ("acme2certifier-0.46.3", "revocation by key"): ("accountDoesNotExist", "accountDoesNotExist"),
}

full = pytest.mark.full


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=full if name in BUILT else ()) for name in CAS]
)
def running(request):
    """(its key in CAS, the CA)."""
    make = CAS[request.param]
    if isinstance(make, type) and not netns.possible():
        pytest.skip("no network namespaces here: that takes root")
    try:
        with make() as ca:
            yield request.param, ca
    except Stop as error:
        if "debian" in request.param:
            pytest.skip(str(error))
        raise


@pytest.fixture
def ca(running):
    """The CA, with this thread where the CA validates."""
    name, one = running
    with one.enter() if hasattr(one, "enter") else contextlib.nullcontext():
        yield one


CONTACTS = ("mailto:janet@janet.example",)


def looks_at(name, what, record_property):
    """Say for the table which CA a test is about, and what of it."""
    record_property("ca", name)
    record_property("what", what)


def is_told(key, error, record_property):
    """What the tables say of `key` came true; False where they say nothing of it."""
    table = WITHOUT if key in WITHOUT else WRONG
    if key not in table:
        assert error is None, error
        record_property("has", "yes")
        return False
    code, words = table[key]
    assert error is not None, "%s is mended: take its line out of the table" % (key,)
    assert error.code == code and words in str(error), error
    record_property("has", "no" if table is WITHOUT else "the CA is wrong")
    return True


def is_issued_by(ca, chain, text, folder):
    """The chain is for this identifier alone, and OpenSSL leads it to the CA's root."""
    leaf = x509.load_pem_x509_certificate(chain)
    san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one.value) for one in san] == [text]
    (folder / "chain.pem").write_bytes(chain)
    command = [
        "openssl",
        "verify",
        "-CAfile",
        ca.issuing_root,
        "-untrusted",
        folder / "chain.pem",
        folder / "chain.pem",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "challenge, text",
    [
        ("http-01", NAME),
        pytest.param("http-01", V4, marks=full),
        pytest.param("http-01", V6, marks=full),
        pytest.param("tls-alpn-01", NAME, marks=full),
        pytest.param("tls-alpn-01", V4, marks=full),
        pytest.param("tls-alpn-01", V6, marks=full),
    ],
)
def test_issuance_and_renewal(running, ca, tmp_path, challenge, text, record_property):
    looks_at(running[0], "%s %s" % (challenge, {NAME: "name", V4: "IPv4", V6: "IPv6"}[text]), record_property)
    device = home(ca, tmp_path, [text], challenge_name=challenge, challenge_ip=challenge, contacts=CONTACTS)
    error = device.everything()
    if is_told((running[0], challenge, text), error, record_property):
        assert not device.record.file_id
        return
    is_issued_by(ca, device.chain(), text, tmp_path)
    device.device.event("renew", text)
    assert device.run() is None and device.device.issued == 2
    is_issued_by(ca, device.chain(), text, tmp_path)


def operation(ca, tmp_path, name, what, record_property):
    """One operation on an account with a certificate; afterwards an order still works."""
    looks_at(name, what, record_property)
    device = home(ca, tmp_path, [V4], contacts=CONTACTS)
    assert device.run() is None and device.record.file_id
    event = {
        "contacts": ("account", "contacts"),
        "rollover": ("account", "rollover"),
        "revocation": ("revoke", Revocation(V4, 1)),
        "revocation by key": ("revoke", Revocation(V4, 1, True)),
    }[what]
    before = bytes(device.device.journal.account_key_hash)
    device.device.event(*event)
    error = device.run()
    told = is_told((name, what), error, record_property)
    changed = before != bytes(device.device.journal.account_key_hash)
    assert changed == (what == "rollover" and not told)
    assert bool(device.record.file_id) == (told or not what.startswith("revocation"))
    device.device.event("renew", V4)
    assert device.run() is None and device.device.issued == 2


@pytest.mark.full
@pytest.mark.parametrize("what", ["contacts", "rollover", "revocation", "revocation by key"])
def test_account_and_revocation(running, ca, tmp_path, what, record_property):
    operation(ca, tmp_path, running[0], what, record_property)


@pytest.mark.full
def test_an_account_without_contact(running, ca, tmp_path, record_property):
    looks_at(running[0], "account without contact", record_property)
    device = home(ca, tmp_path, [V4])
    told = is_told((running[0], "account without contact"), device.run(), record_property)
    assert bool(device.record.file_id) == (not told)


@pytest.mark.parametrize("text", [NAME, pytest.param(V4, marks=full), pytest.param(V6, marks=full)])
def test_the_same_on_micropython(running, ca, tmp_path, text, record_property):
    looks_at(
        running[0], "MicroPython, http-01 %s" % {NAME: "name", V4: "IPv4", V6: "IPv6"}[text], record_property
    )
    hub = Hub(ca, tmp_path, [text], contacts=CONTACTS)
    try:
        state = hub("run")
        key = (running[0], "http-01", text)
        if key in WRONG:
            assert state["error"] == WRONG[key][0] and WRONG[key][1] in state["text"], state
            record_property("has", "the CA is wrong")
            return
        assert state["error"] is None and state["issued"] == 1, state
        is_issued_by(ca, hub.pem(), text, tmp_path)
        record_property("has", "yes")
    finally:
        hub.close()


def test_the_page_says_what_the_tables_say():
    """docs/acme.md has what `tools/test interop` printed; a line that is taken out of a table must change it."""
    with open(os.path.join(cache.ROOT, "docs", "acme.md")) as file:
        part = file.read().split("## CAs\n")[1]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:1] == "|"
    ]
    names = rows[0][1:]
    assert names == list(CAS) and len(rows) == 2 + 14
    texts = {"name": NAME, "IPv4": V4, "IPv6": V6}
    for what, *cells in rows[2:]:
        kind, _, last = what.replace("MicroPython, ", "").rpartition(" ")
        for name, cell in zip(names, cells):
            key = (name, kind, texts[last]) if last in texts else (name, what)
            wanted = "no" if key in WITHOUT else "the CA is wrong" if key in WRONG else "yes"
            assert cell == wanted, (key, cell)


def test_the_tables_name_cas_that_there_are():
    assert {key[0] for key in (*WITHOUT, *WRONG)} <= set(CAS) and shutil.which("openssl")
