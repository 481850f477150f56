"""The hub's server on 443: which certificate, whose turn, what it answers, and a renewed certificate without a restart."""

import socket
import ssl
import subprocess
import time

import pytest
from cryptography import x509

from tools.lib.board import qemu

NAME = "hub.example.org"
ADDRESS = "127.0.0.1"
ADDRESS6 = "2001:db8::1"  # the tests come by IPv4, and never see its certificate
SECONDS = 60  # that a connection may take: this machine may be busy
ACME = "acme-tls/1"
ALERT = b"\x15\x03\x03\x00\x02\x02\x50"  # fatal, internal_error

RUN = """
import asyncio, binascii, mps2, sys
from asyncio import core
from hubserver import Front
from ipcert import identifiers, action, limits
from ipcert.encoding import alpn_certificate, key_file
from ipcert_port.port import entropy, port, sign, store
def prove(text):
    random, who, it = entropy.Entropy(mps2.random), identifiers.parse(text), action.Action()
    mine = port.Port(store.Store("/state"), sign.Signer(random), random)
    mine.signer.generate(limits.SPARE)
    buf = bytearray(alpn_certificate.SIZE)
    it.chain = bytes(buf[: alpn_certificate.write(buf, 0, mine.signer, limits.SPARE, who, b"digest of 32 bytes, for the test")])
    it.key = bytes(buf[: key_file.write(mine, limits.SPARE, buf, False)])
    it.name = alpn_certificate.server_name(who)
    asyncio.create_task(front.proof.publish(it))
def withdraw():
    asyncio.create_task(front.proof.withdraw(None))
front = Front(seconds=%d)
def _ready():
    yield core._io_queue.queue_read(sys.stdin)
async def main():
    front.start()
    print("listening")
    line = b""
    while True:
        await _ready()
        c = sys.stdin.buffer.read(1)
        if c != b"\\n":
            line += c
            continue
        if line[:1] == b"=":
            print("said", eval(line[1:]))
            line = b""
            continue
        ids, key, chain = [binascii.a2b_base64(part) for part in line.split(b" ")]
        line = b""
        try:
            front.deploy(ids.decode(), key, chain)
            print("deployed")
        except Exception as e:
            print("refused", e)
"""


@pytest.fixture(scope="module")
def front(image, tmp_path_factory, authority):
    """A hub that serves NAME, ADDRESS and ADDRESS6.

    front.give(names, chain, key) deploys another certificate; front.say(expression) is its str() on the hub.
    """
    flash = tmp_path_factory.mktemp("front") / "flash"
    with qemu.Hub(image, flash, ports=(443,), boot={"main": "off"}) as hub:
        hub.execute(
            "import network, time\nlan = network.LAN()\nlan.active(True)\n"
            "while not lan.isconnected():\n    time.sleep_ms(50)"
        )
        hub.execute(RUN % SECONDS)
        hub.begin("asyncio.run(main())")
        hub.read_until(b"listening")

        def give(ids, chain, key):
            import base64

            parts = (ids.encode(), key, chain)
            hub.send(b" ".join(base64.b64encode(part) for part in parts) + b"\n")
            return hub.wait_line("ed")

        def say(expression):
            hub.send(b"=" + expression.encode() + b"\n")
            return hub.wait_line("said ")[5:]

        hub.give, hub.say = give, say
        for ids in (NAME, ADDRESS, ADDRESS6):
            assert give(ids, *authority.issue(ids)) == "deployed"
        yield hub


def connect(hub):
    return socket.create_connection(("127.0.0.1", hub.forwards[443]), timeout=30)


def ask(hub, authority, sni, request):
    """(names of the certificate, the whole answer) of one request."""
    context = ssl.create_default_context(cadata=authority.root.decode())
    context.check_hostname = False
    with context.wrap_socket(connect(hub), server_hostname=sni) as secure:
        names = [value for _, value in secure.getpeercert()["subjectAltName"]]
        secure.sendall(request)
        answer = b""
        while piece := secure.recv(2048):
            answer += piece
        return names, answer


def wait_for(front, expression, value):
    """Until the hub's word for `expression` is `value`."""
    deadline = time.monotonic() + 60
    while (said := front.say(expression)) != value:
        assert time.monotonic() < deadline, f"{expression} is {said}, not {value}"
        time.sleep(0.1)


def get(host):
    return f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


@pytest.mark.parametrize(
    "sni, request_, names, status",
    [
        (None, get(ADDRESS), [ADDRESS], 200),
        (ADDRESS, get(ADDRESS + ":8443"), [ADDRESS], 200),
        (NAME, get(NAME), [NAME], 200),
        (NAME.upper(), get(NAME), [NAME], 200),
        (NAME, get(ADDRESS), [NAME], 421),
        (None, get(NAME), [ADDRESS], 421),
        (NAME, get("other.example.org"), [NAME], 421),
        (NAME, b"GET / HTTP/1.1\r\n\r\n", [NAME], 400),
        (NAME, get(NAME).replace(b"\r\n\r\n", b"\r\nHost: x\r\n\r\n"), [NAME], 400),
        (NAME, b"POST / HTTP/1.1\r\nHost: hub.example.org\r\n\r\n", [NAME], 405),
        (NAME, b"\xff\xfe\r\n\r\n", [NAME], 400),
        (NAME, b"x" * 3000, [NAME], 400),
    ],
)
def test_answers(front, authority, sni, request_, names, status):
    seen, answer = ask(front, authority, sni, request_)
    assert seen == names and int(answer.split(b" ")[1]) == status
    assert b"Location" not in answer and b"Set-Cookie" not in answer and b"Server:" not in answer


def test_the_page_is_neutral_and_head_has_no_body(front, authority):
    _, page = ask(front, authority, NAME, get(NAME))
    _, bare = ask(front, authority, NAME, get(NAME).replace(b"GET", b"HEAD"))
    head, _, body = page.partition(b"\r\n\r\n")
    assert bare == head + b"\r\n\r\n" and b"hub.example" not in body and b"ipcert" not in page


@pytest.mark.parametrize("sni", ["example.org", "x.hub.example.org", "hub.example.orga"])
def test_other_names_get_the_alert(front, authority, sni):
    with pytest.raises(ssl.SSLError, match="(?i)unrecognized.name"):
        ask(front, authority, sni, b"")


@pytest.mark.parametrize(
    "literal, shown", [(ADDRESS, True), ("10.0.2.15", False), ("127.0.0.10", False), (ADDRESS6, False)]
)
def test_an_address_as_server_name(front, literal, shown):
    # Python's ssl sends no address as server_name, and no standard allows it; scanners do it all the same.
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{front.forwards[443]}", "-servername", literal],
        input=get(literal), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30,
    )  # fmt: skip
    assert (b"BEGIN CERTIFICATE" in done.stdout) == shown
    assert (b"unrecognized name" in done.stdout) != shown


def test_a_new_certificate_is_served_without_a_restart(front, authority):
    chain, key = authority.issue(NAME)
    context = ssl.create_default_context(cadata=authority.root.decode())
    context.check_hostname = False
    assert front.give(NAME, b"not a chain", key).startswith("refused")
    ask(front, authority, NAME, get(NAME))  # what was served before stays
    assert front.give(NAME, chain, key) == "deployed"
    with context.wrap_socket(connect(front), server_hostname=NAME) as secure:
        leaf = ssl.DER_cert_to_PEM_cert(secure.getpeercert(True)).encode()
    assert chain.startswith(leaf)


def test_one_that_says_nothing_holds_the_others_up_for_its_seconds_only(front, authority):
    wait_for(front, "front._inside", "0")
    front.say("setattr(front, '_seconds', 5)")
    try:
        with connect(front):
            wait_for(front, "front._places", "0")
            front.say(f"setattr(front, '_seconds', {SECONDS})")
            ask(front, authority, NAME, get(NAME))  # gives up after 30 seconds
    finally:
        front.say(f"setattr(front, '_seconds', {SECONDS})")


def test_too_many_are_refused_with_an_alert(front, authority):
    wait_for(front, "front._inside", "0")
    # One has its turn and four may wait. Each is let in before the next one comes: what comes faster than it can be
    # taken in is reset by the network stack.
    held = []
    try:
        for k in range(5):
            held.append(connect(front))
            wait_for(front, "front._inside", str(k + 1))
        for _ in range(3):
            with connect(front) as late:
                assert late.recv(100) == ALERT and late.recv(100) == b""
        assert front.say("front._inside") == "5"
        for sock in held:
            sock.setblocking(False)
            with pytest.raises(BlockingIOError):
                sock.recv(1)
    finally:
        for sock in held:
            sock.close()
    wait_for(front, "front._inside", "0")
    ask(front, authority, NAME, get(NAME))


def shown(front, sni, protocols):
    """(protocol, certificate) of a handshake that trusts anybody, or the alert in words."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    try:
        with context.wrap_socket(connect(front), server_hostname=sni) as secure:
            protocol, certificate = secure.selected_alpn_protocol(), secure.getpeercert(True)
            if protocol == ACME:
                secure.sendall(get(NAME))
                try:
                    assert secure.recv(100) == b""  # RFC 8737 3: nothing after the handshake
                except ConnectionError:
                    pass
            return protocol, x509.load_der_x509_certificate(certificate)
    except ssl.SSLError as e:
        return str(e).lower().replace("_", " ")


@pytest.mark.parametrize(
    "identifier, sni",
    [
        (NAME, NAME),
        ("192.0.2.7", "7.2.0.192.in-addr.arpa"),
        ("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_a_challenges_certificate_is_shown_to_nobody_but_the_ca(front, identifier, sni):
    def is_refused(sni, protocols=(ACME,)):
        return "no application protocol" in shown(front, sni, protocols)

    assert is_refused(sni)
    front.say(f"prove({identifier!r})")
    wait_for(front, "front.proof.name", sni)
    protocol, certificate = shown(front, sni, [ACME])
    assert protocol == ACME
    extension = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31"))
    assert extension.critical and extension.value.value == b"\x04\x20digest of 32 bytes, for the test"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one.value) for one in names] == [identifier]
    for other in (None, ADDRESS, "x." + sni, "neighbour.example.org"):
        assert is_refused(other), other
    assert is_refused(sni, ["h2"]) and is_refused(sni, [ACME.upper()])
    # And the others get theirs meanwhile.
    for other, protocols, agreed, name in (
        (NAME, ["http/1.1", ACME], "http/1.1", NAME),
        (NAME, None, None, NAME),
        (None, None, None, ADDRESS),
    ):
        protocol, found = shown(front, other, protocols)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert protocol == agreed and [str(one.value) for one in names] == [name]
    front.say("withdraw()")
    wait_for(front, "front.proof.name", "None")
    assert is_refused(sni)
