"""Which certificate a stranger gets to see (P11), from outside: real TLS clients against the real server."""

import datetime
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ipcert.journal import Record
from ipcert_port.deploy import client_hello as hello
from ipcert_port.deploy.folders import Deployer
from ipcert_port.deploy.tls_server import Chooser, Lineage, Server
from tools.lib.ca import certificates

NAME, V4, V6 = "nas.example.net", "127.0.0.1", "::1"


class Authority:
    """A CA of the test's own, made with `cryptography`."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = certificates.name("test root")
        self.root = self._sign(self.name, self.key, ca=True)

    def _sign(self, subject, key, texts=(), ca=False):
        start = datetime.datetime(2026, 11, 1)
        end = start + datetime.timedelta(days=3000)
        return certificates.sign(subject, key.public_key(), self.name, self.key, start, end, texts, ca)

    def deploy(self, folder, *texts):
        """Issue for these identifiers and deploy; returns the leaf in DER."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self._sign(certificates.name(""), key, texts)
        record = Record()
        record.identifiers_text.set(",".join(texts).encode())
        der = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        Deployer(folder).deploy(record, der, certificates.pem(leaf))
        return leaf.public_bytes(serialization.Encoding.DER)


class Served:
    """Three certificates on one port of 127.0.0.1 and one of ::1."""

    def __init__(self, folder, name_on="all", lineages=((NAME, "*.lab.example.net"), (V4,), (V6,))):
        self.folder = folder
        self.ca = Authority()
        self.root = os.path.join(folder, "root.pem")
        self.live = os.path.join(folder, "live")
        self.leaves = {texts[0]: self.ca.deploy(self.live, *texts) for texts in lineages}
        with open(self.root, "wb") as file:
            file.write(certificates.pem(self.ca.root))
        self.server = Server(
            Chooser([Lineage(list(t), self.live) for t in lineages], name_on), [("127.0.0.1", 0), ("::1", 0)]
        )
        self.server.start()
        self.v4, self.v6 = self.server.ports

    def context(self, version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.root)
        context.check_hostname = False
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context

    def connect(self, sni, to=V4, context=None, session=None):
        """A TLS connection with this SNI (None for none); the caller closes it."""
        port = self.v6 if ":" in to else self.v4
        plain = socket.create_connection((to, port), timeout=10)
        try:
            return (context or self.context()).wrap_socket(plain, server_hostname=sni, session=session)
        except BaseException:
            plain.close()
            raise

    def leaf(self, sni, to=V4):
        with self.connect(sni, to) as tls:
            return tls.getpeercert(True)

    def alert(self, sni, to=V4, context=None):
        with pytest.raises(ssl.SSLError) as caught:
            self.connect(sni, to, context)
        return str(caught.value).upper().replace(" ", "_")

    def get(self, sni, host, method="GET", to=V4):
        with self.connect(sni, to) as tls:
            tls.sendall(
                ("%s / HTTP/1.1\r\n%s\r\n" % (method, "".join("Host: %s\r\n" % h for h in host))).encode()
            )
            data = b""
            while True:
                piece = tls.recv(4096)
                if not piece:
                    return data.decode()
                data += piece


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    one = Served(str(tmp_path_factory.mktemp("served")))
    yield one
    one.server.close()


def raw_sni(served, name, to=V4):
    """openssl s_client with any server name at all; returns what it says."""
    port = served.v6 if ":" in to else served.v4
    where = "[%s]:%d" % (to, port) if ":" in to else "%s:%d" % (to, port)
    more = ["-servername", name] if name is not None else ["-noservername"]
    command = ["openssl", "s_client", "-connect", where, *more, "-showcerts"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=20)
    return (done.stdout + done.stderr).decode(errors="replace")


def shown(served, name, to=V4):
    """The leaf that openssl was shown, in DER, or None."""
    text = raw_sni(served, name, to)
    if "-----BEGIN CERTIFICATE-----" not in text:
        assert "unrecognized name" in text or "alert number 112" in text, text
        return None
    pem = text[text.index("-----BEGIN CERTIFICATE-----") :].split("-----END CERTIFICATE-----")[0]
    return ssl.PEM_cert_to_DER_cert(pem + "-----END CERTIFICATE-----\n")


def test_no_server_name_is_the_address_that_was_connected_to(served):
    assert served.leaf(None) == served.leaves[V4]
    assert served.leaf(None, V6) == served.leaves[V6]


def test_the_exact_name_is_the_names_certificate(served):
    assert served.leaf(NAME) == served.leaf(NAME.upper()) == served.leaf(NAME, V6) == served.leaves[NAME]
    assert served.leaf("a.lab.example.net") == served.leaves[NAME]


@pytest.mark.parametrize(
    "sni", ["example.net", "www.nas.example.net", "lab.example.net", "a.b.lab.example.net", "localhost"]
)
def test_any_other_name_is_unrecognized(served, sni):
    assert "UNRECOGNIZED_NAME" in served.alert(sni)


@pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the openssl command is needed for an SNI that is an address"
)
def test_a_server_name_that_is_literally_our_address(served):
    assert shown(served, V4) == served.leaves[V4]
    assert shown(served, V6, V6) == shown(served, "0:0:0:0:0:0:0:1", V6) == served.leaves[V6]
    assert shown(served, None) == served.leaves[V4]
    assert shown(served, "127.0.0.2") is None
    # The other family's certificate would tie the two together.
    assert shown(served, V6) is None and shown(served, V4, V6) is None


def test_verified_as_a_browser_does(served):
    for expected, to in ((NAME, V4), (V4, V4), (V6, V6)):
        context = ssl.create_default_context(cafile=served.root)
        port = served.v6 if ":" in to else served.v4
        with socket.create_connection((to, port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname=expected) as tls:
                assert tls.getpeercert(True) == served.leaves[expected]


def ticket_key_name(served, sni, to=V4):
    """The first 16 bytes of a TLS 1.2 session ticket name the key that sealed it (RFC 5077 4)."""
    port = served.v6 if ":" in to else served.v4
    where = "[%s]:%d" % (to, port) if ":" in to else "%s:%d" % (to, port)
    more = ["-servername", sni] if sni else ["-noservername"]
    done = subprocess.run(
        ["openssl", "s_client", "-tls1_2", "-connect", where, *more],
        input=b"",
        capture_output=True,
        timeout=20,
    )
    lines = done.stdout.decode().splitlines()
    first = [line for line in lines if line.strip().startswith("0000 - ")][0]
    return first.split(" - ", 1)[1][:47]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command prints session tickets")
def test_each_certificate_has_ticket_keys_of_its_own(served):
    by_address, by_name, by_v6 = (
        ticket_key_name(served, None),
        ticket_key_name(served, NAME),
        ticket_key_name(served, None, V6),
    )
    assert ticket_key_name(served, None) == by_address and ticket_key_name(served, NAME) == by_name
    assert len({by_address, by_name, by_v6}) == 3


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_of_one_certificate_is_not_taken_up_by_another(served, version):
    context = served.context(version)

    def session(sni):
        with served.connect(sni, context=context) as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while tls.recv(4096):
                continue
            return tls.session

    ticket = session(None)
    with served.connect(None, context=context, session=ticket) as tls:
        assert tls.session_reused
    with served.connect(NAME, context=context, session=session(None)) as tls:
        assert not tls.session_reused and tls.getpeercert(True) == served.leaves[NAME]


@pytest.mark.parametrize(
    "sni, host, to, status",
    [
        (NAME, [NAME], V4, 200),
        (NAME, [NAME.upper() + ":8443"], V4, 200),
        (None, [V4], V4, 200),
        (None, [V4 + ":443"], V4, 200),
        (None, ["[::1]:443"], V6, 200),
        (None, [NAME], V4, 421),
        (NAME, [V4], V4, 421),
        (None, ["[::1]"], V4, 421),
        (NAME, ["other.example.net"], V4, 421),
        (NAME, [], V4, 400),
        (NAME, [NAME, NAME], V4, 400),
    ],
)
def test_the_host_must_be_the_certificates(served, sni, host, to, status):
    answer = served.get(sni, host, to=to)
    assert answer.startswith("HTTP/1.1 %d " % status)
    assert "location:" not in answer.lower() and "set-cookie" not in answer.lower()
    other = {NAME, V4, V6} - {h.lower() for h in host}
    if status == 421:
        assert not [o for o in other if o in answer]


def test_methods_and_garbage(served):
    assert served.get(NAME, [NAME], "HEAD").endswith("\r\n\r\n")
    assert served.get(NAME, [NAME], "POST").startswith("HTTP/1.1 405 ")


def test_acme_tls_alpn_gets_no_ordinary_certificate(served):
    context = served.context()
    context.set_alpn_protocols(["acme-tls/1"])
    assert "NO_APPLICATION_PROTOCOL" in served.alert(NAME, context=context)


def test_a_renewed_certificate_is_served_without_a_restart(tmp_path):
    one = Served(str(tmp_path))
    try:
        old = one.leaf(NAME)
        keep = one.connect(NAME)
        new = one.ca.deploy(one.live, NAME, "*.lab.example.net")
        assert new != old and one.leaf(NAME) == new and one.leaf(None) == one.leaves[V4]
        keep.sendall(b"GET / HTTP/1.1\r\nHost: nas.example.net\r\n\r\n")
        assert keep.recv(4096).startswith(b"HTTP/1.1 200")
        keep.close()
        os.unlink(os.path.join(one.live, NAME))
        assert "UNRECOGNIZED_NAME" in one.alert(NAME)
    finally:
        one.server.close()


def test_behind_nat_the_private_address_stands_for_the_public_one(tmp_path):
    one = Served(str(tmp_path), lineages=((NAME,), ("9.9.9.9",)))
    try:
        assert one.leaf(None) == one.leaves["9.9.9.9"]
        assert "UNRECOGNIZED_NAME" in one.alert(None, V6)
    finally:
        one.server.close()


def test_a_name_shown_on_the_lan_only():
    chooser = Chooser([Lineage([NAME], "/none"), Lineage(["9.9.9.9"], "/none")], "lan")
    assert chooser.choose(NAME, "192.168.1.2", "192.168.1.9").texts == [NAME]
    assert chooser.choose(NAME, "192.168.1.2", "8.8.8.8") is None
    assert chooser.choose(NAME, "2001:db9::1", "2001:db9::77") is not None
    assert chooser.choose(NAME, "2001:db9::1", "2001:db9:1::77") is None
    assert chooser.choose(NAME, "::ffff:192.168.1.2", "::ffff:8.8.8.8") is None
    assert chooser.choose(None, "192.168.1.2", "8.8.8.8").texts == ["9.9.9.9"]
    assert chooser.choose("9.9.9.9", "192.168.1.2", "8.8.8.8").texts == ["9.9.9.9"]
    everyone = Chooser([Lineage([NAME], "/none")], "all")
    assert everyone.choose(NAME, "192.168.1.2", "8.8.8.8").texts == [NAME]


# The ClientHello reader.


def client_hello(sni=NAME, alpn=None):
    """The bytes that OpenSSL sends first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=sni).do_handshake()
    return outgoing.read()


def test_a_real_client_hello():
    found = hello.parse(client_hello("Nas.Example.Net", ["h2", "http/1.1"]))
    assert found.server_name == NAME and found.protocols == [b"h2", b"http/1.1"]
    found = hello.parse(client_hello(None))
    assert found.server_name is None and found.protocols == []


def test_every_prefix_needs_more_and_every_split_into_records_reads_the_same():
    data = client_hello()
    for n in range(len(data)):
        assert hello.parse(data[:n]) is None
    body = data[5:]
    for n in (1, 3, 4, 40, len(body) - 1):
        records = b""
        for piece in (body[:n], body[n:]):
            records += b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece
        assert hello.parse(records).server_name == NAME


def test_garbage_is_malformed_and_nothing_else():
    import random

    data = client_hello()
    dice = random.Random(1)
    read = 0
    for _ in range(3000):
        bad = bytearray(data)
        for _ in range(dice.randrange(1, 6)):
            bad[dice.randrange(len(bad))] = dice.randrange(256)
        try:
            hello.parse(bytes(bad))
            read += 1
        except hello.Malformed:
            continue
    assert 0 < read < 3000
    for start in (
        b"GET / HTTP/1.1\r\n",
        b"\x15\x03\x01\0\2\2\x28",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x03\x01\0\0",
    ):
        with pytest.raises(hello.Malformed):
            hello.parse(start)


def test_a_hello_in_small_pieces_is_waited_for_and_left_unread():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    listener = socket.create_server(("127.0.0.1", 0))
    theirs.close()
    ours.close()
    data = client_hello()
    with listener, socket.create_connection(listener.getsockname()) as client:
        server = listener.accept()[0]
        with server:

            def drip():
                for k in range(0, len(data), 100):
                    client.sendall(data[k : k + 100])
                    time.sleep(0.01)

            thread = threading.Thread(target=drip)
            thread.start()
            assert hello.peek(server, 10).server_name == NAME
            thread.join()
            assert server.recv(len(data), socket.MSG_WAITALL) == data


def test_a_silent_client_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        with listener.accept()[0] as server:
            started = time.monotonic()
            with pytest.raises(TimeoutError):
                hello.peek(server, 0.3)
            assert time.monotonic() - started < 5
