"""The board itself, before ipcert: boot, memory, clock, entropy, network, TLS both ways."""

import ast
import socket
import ssl
import threading
import time
import urllib.request

import pytest

from tools.lib.board import qemu

NAME = "hub.example.org"


def test_modules_are_there(hub):
    wanted = "tls socket network asyncio time select vfs cryptolib hashlib json binascii struct tlsserver mps2".split()
    hub.execute("import " + ", ".join(wanted))


def test_cryptolib_has_ctr(hub):
    # NIST SP 800-38A F.5.1, first block.
    got = hub.evaluate(
        "__import__('cryptolib').aes(bytes.fromhex('2b7e151628aed2a6abf7158809cf4f3c'), 6,"
        " bytes.fromhex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'))"
        ".encrypt(bytes.fromhex('6bc1bee22e409f96e93d7e117393172a')).hex()"
    )
    assert got == "'874d6191b620e3261bef6864990db6ce'"


def test_clock_is_the_hosts(hub):
    epoch_2000 = 946684800
    assert hub.evaluate("__import__('time').gmtime(0)[0]") == "2000"
    before = int(time.time() - 0.1)
    seen = int(hub.evaluate("__import__('time').time()")) + epoch_2000
    # The emulator asks time(2), which follows the clock that Python reads by some milliseconds.
    assert before <= seen <= time.time()


def test_sleep_takes_as_long_as_it_says(hub):
    took = int(
        hub.evaluate(
            "(lambda t, a: (t.sleep_ms(200), t.ticks_diff(t.ticks_ms(), a))[1])(time, time.ticks_ms())"
        )
    )
    assert 200 <= took < 10000  # a busy machine stops the emulator for a while


def test_dhcp(hub):
    assert hub.evaluate("lan.ifconfig()[0]") == f"'{qemu.GUEST}'"
    assert hub.evaluate("lan.status()") == "3"
    assert hub.evaluate("lan.status('link')") == "True"


def test_slaac_gives_an_ipv6_address(hub):
    for _ in range(100):
        found = ast.literal_eval(hub.evaluate("lan.ipconfig('addr6')"))
        if len(found) > 1:
            break
        time.sleep(0.3)
    link_local, routed = (address for address, *_ in found)
    assert link_local.startswith("FE80::") and routed.startswith("FEC0::")


def test_static_address(hub):
    hub.execute("lan.ifconfig(('10.0.2.15', '255.255.255.0', '10.0.2.2', '10.0.2.3'))")
    try:
        assert hub.evaluate("lan.ipconfig('dhcp4')") == "False"
        assert hub.evaluate("lan.ifconfig()") == "('10.0.2.15', '255.255.255.0', '10.0.2.2', '10.0.2.3')"
    finally:
        hub.execute("lan.ipconfig(dhcp4=True)")
        hub.execute("for _ in range(100):\n if lan.ipconfig('has_dhcp4'):\n  break\n time.sleep_ms(50)")
    assert hub.evaluate("lan.ipconfig('has_dhcp4')") == "True"


def test_a_lost_link_is_seen_and_comes_back(hub):
    hub.qmp("set_link", name="net0", up=False)
    hub.execute("for _ in range(100):\n if not lan.isconnected():\n  break\n time.sleep_ms(50)")
    assert hub.evaluate("(lan.status(), lan.status('link'), lan.isconnected())") == "(1, False, False)"
    hub.qmp("set_link", name="net0", up=True)
    hub.execute("for _ in range(100):\n if lan.isconnected():\n  break\n time.sleep_ms(50)")
    assert hub.evaluate("(lan.status(), lan.status('link'), lan.isconnected())") == "(3, True, True)"


def test_unknown_key_is_an_error(hub):
    with pytest.raises(qemu.HubError, match="ValueError"):
        hub.execute("lan.status('rssi')")


def test_frames_are_counted(hub):
    before = ast.literal_eval(hub.evaluate("lan.status('stats')"))
    with echo_server() as port:
        hub.execute(
            f"import socket\ns = socket.socket()\ns.connect(socket.getaddrinfo('10.0.2.2', {port})[0][-1])\n"
            "s.sendall(b'x' * 4000)\nn = 0\nwhile n < 4000:\n n += len(s.recv(4000 - n))\ns.close()"
        )
    after = ast.literal_eval(hub.evaluate("lan.status('stats')"))
    assert after["tx_bytes"] - before["tx_bytes"] > 4000 and after["rx_bytes"] - before["rx_bytes"] > 4000
    assert after["rx_errors"] == after["tx_errors"] == after["rx_no_memory"] == 0


class echo_server:
    """Echoes one connection on 127.0.0.1; the context value is its port."""

    def __enter__(self):
        self.listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return self.listening.getsockname()[1]

    def _serve(self):
        connection, _ = self.listening.accept()
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)

    def __exit__(self, *_):
        self.listening.close()


class tls_server:
    """Serves `answer` over TLS to each connection; the context value is its port."""

    def __init__(self, chain, key, directory):
        (directory / "chain.pem").write_bytes(chain)
        (directory / "key.pem").write_bytes(key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(directory / "chain.pem", directory / "key.pem")

    def __enter__(self):
        self.listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return self.listening.getsockname()[1]

    def _serve(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(connection, server_side=True) as secure:
                    secure.sendall(b"hello from the host")
            except OSError:
                connection.close()

    def __exit__(self, *_):
        self.listening.close()


CLIENT = """
import socket, tls
def visit(port, root, name):
    s = socket.socket()
    try:
        s.settimeout(20)
        s.connect(socket.getaddrinfo("10.0.2.2", port)[0][-1])
        c = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        c.verify_mode = tls.CERT_REQUIRED
        c.load_verify_locations(root)
        w = c.wrap_socket(s, server_hostname=name)
        try:
            print(w.read(19), w.cipher()[1])
        finally:
            w.close()
    finally:
        s.close()
"""


def test_tls_client_verifies(hub, authority, tmp_path):
    hub.execute(CLIENT)
    chain, key = authority.issue("ca.example.org")
    with tls_server(chain, key, tmp_path) as port:
        out = hub.execute(f"visit({port}, {authority.root!r}, 'ca.example.org')")
        assert out == "b'hello from the host' TLSv1.2\n"
        with pytest.raises(qemu.HubError, match="does not match"):
            hub.execute(f"visit({port}, {authority.root!r}, 'other.example.org')")
        stranger = type(authority)()
        with pytest.raises(qemu.HubError, match="not correctly signed by the trusted CA"):
            hub.execute(f"visit({port}, {stranger.root!r}, 'ca.example.org')")
    expired = 400 * 86400
    hub.execute(f"import mps2\nmps2.clock({expired})")
    try:
        with tls_server(chain, key, tmp_path) as port:
            with pytest.raises(qemu.HubError, match="expired"):
                hub.execute(f"visit({port}, {authority.root!r}, 'ca.example.org')")
    finally:
        hub.execute("mps2.clock(0)")


SERVER = """
import asyncio, gc, tls, tlsserver
async def page(reader, writer):
    try:
        while (await reader.readline()).strip():
            pass
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nhi")
        await writer.drain()
    except (OSError, ValueError) as e:
        print("page", repr(e))
    writer.close()
    await writer.wait_closed()
def choose(sni, alpn):
    seen.append((sni, alpn))
    if alpn == "acme-tls/1":
        return challenge
    if sni in (None, "127.0.0.1"):
        return by_address
    if sni == "hub.example.org":
        return by_name
    return None
front = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
tlsserver.choose(front, ("http/1.1", "acme-tls/1"), choose)
seen = []
async def main():
    plain = await asyncio.start_server(page, "0.0.0.0", 80)
    secure = await asyncio.start_server(page, "0.0.0.0", 443, ssl=front)
    print("listening")
    try:
        await asyncio.sleep(1000)
    finally:
        plain.close()
        secure.close()
"""


@pytest.fixture(scope="module")
def server(hub, authority):
    """The hub serves 80 and 443 with three certificates until the module's tests are done."""
    hub.execute(SERVER)
    for variable, names in (
        ("by_address", ["127.0.0.1"]),
        ("by_name", [NAME]),
        ("challenge", ["challenge.test"]),
    ):
        chain, key = authority.issue(*names)
        hub.execute(f"{variable} = tlsserver.Certificate({chain!r}, {key!r})")
    hub.begin("asyncio.run(main())")
    hub.read_until(b"listening")
    yield hub
    hub.send(b"\x03")
    with pytest.raises(qemu.HubError, match="KeyboardInterrupt"):
        hub.finish()
    hub.execute("asyncio.new_event_loop()")


def greet(port, authority, sni, expected, alpn=None):
    """A verified handshake with the hub; the names in its certificate."""
    client = ssl.create_default_context(cadata=authority.root.decode())
    client.check_hostname = False
    if alpn:
        client.set_alpn_protocols(alpn)
    raw = socket.create_connection(("127.0.0.1", port), timeout=20)
    with client.wrap_socket(raw, server_hostname=sni) as secure:
        names = [value for _, value in secure.getpeercert()["subjectAltName"]]
        if secure.selected_alpn_protocol() != "acme-tls/1":
            secure.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert secure.recv(1000).startswith(b"HTTP/1.1 200")
        assert names == expected
        return secure.selected_alpn_protocol()


def test_http_server(server):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.forwards[80]}/", timeout=20) as answer:
        assert answer.read() == b"hi"


@pytest.mark.parametrize(
    "sni, alpn, expected",
    [
        (None, None, "127.0.0.1"),
        ("127.0.0.1", None, "127.0.0.1"),
        (NAME, None, NAME),
        (NAME, ["h2", "http/1.1"], NAME),
        (None, ["acme-tls/1"], "challenge.test"),
        ("1.0.0.127.in-addr.arpa", ["acme-tls/1"], "challenge.test"),
    ],
)
def test_the_certificate_follows_alpn_and_sni(server, authority, sni, alpn, expected):
    agreed = greet(server.forwards[443], authority, sni, [expected], alpn)
    assert agreed == (alpn[-1] if alpn else None)


@pytest.mark.parametrize("sni", ["example.org", "hub.example.org.evil.test", "xhub.example.org"])
def test_another_name_gets_unrecognized_name(server, authority, sni):
    with pytest.raises(ssl.SSLError, match="(?i)unrecognized.name"):
        greet(server.forwards[443], authority, sni, [])
    greet(server.forwards[443], authority, NAME, [NAME])  # and the server is still there


def test_unknown_protocols_are_refused(server, authority):
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        greet(server.forwards[443], authority, NAME, [], ["h2"])


def test_a_key_must_belong_to_its_chain(new_hub, authority):
    hub = new_hub()
    (chain, key), (_, other) = authority.issue(NAME), authority.issue(NAME)
    hub.execute("import tlsserver")
    hub.execute(f"tlsserver.Certificate({chain!r}, {key!r})")
    for bad in (
        f"{chain!r}, {other!r}",
        f"{key!r}, {chain!r}",
        f"{chain[:200]!r}, {key!r}",
        f"b'', {key!r}",
        f"{chain!r}, b''",
    ):
        with pytest.raises(qemu.HubError, match="ValueError"):
            hub.execute(f"tlsserver.Certificate({bad})")


def test_garbage_does_not_stop_the_server(server, authority):
    for bytes_sent in (b"\x16\x03\x01\x00\x05hello", b"GET / HTTP/1.1\r\n\r\n", b""):
        with socket.create_connection(("127.0.0.1", server.forwards[443]), timeout=20) as raw:
            raw.sendall(bytes_sent)
    # asyncio's plain server lets them all in at once; each holds its memory until it is found out.
    deadline = time.monotonic() + 30
    while True:
        try:
            return greet(server.forwards[443], authority, None, ["127.0.0.1"])
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
