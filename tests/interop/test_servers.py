"""Debian's own nginx and Caddy, with the configurations we document: what a stranger gets to see, before and after a
renewal, and that the renewal drops nobody."""

import contextlib
import os
import socket
import ssl
import subprocess
import threading

import pytest
from cryptography import x509
from home import Home

from tools.lib import loopback, needs

NAME = "nas.janet.example"
ADDRESS = "127.0.0.1"
FILM = 24 << 20  # bytes: more than fits into the buffers on the way
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _example(name, changes):
    """The documented configuration, with this test's paths and ports. Every change must have had its place."""
    with open(os.path.join(ROOT, "ports", "cpython", name)) as file:
        text = file.read()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


class Client:
    """A stranger at `port` of `host`, who trusts Pebble's issuing root."""

    def __init__(self, pebble, port, host=ADDRESS):
        self._port = port
        self._host = host
        self._root = pebble.root()
        self._context = ssl.create_default_context(cafile=pebble.root())
        self._context.check_hostname = False

    def connect(self, name):
        """A TLS connection; `name` None sends no server name. Raises ssl.SSLError."""
        sock = socket.create_connection((self._host, self._port), 30)
        try:
            return self._context.wrap_socket(sock, server_hostname=name)
        except BaseException:
            sock.close()
            raise

    def leaf(self, name):
        """(names and addresses of the certificate that is served, its serial number)."""
        with self.connect(name) as tls:
            leaf = x509.load_der_x509_certificate(tls.getpeercert(True))
        san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        texts = san.get_values_for_type(x509.DNSName) + [
            str(a) for a in san.get_values_for_type(x509.IPAddress)
        ]
        return texts, leaf.serial_number

    def refusal(self, name):
        """Why the handshake failed, in OpenSSL's words; "served" where it did not."""
        try:
            with self.connect(name):
                return "served"
        except ssl.SSLError as e:
            return e.reason
        except (ConnectionError, EOFError):
            return "closed"

    def status(self, name, host, tls=None):
        """The status of GET / for `host`, over a connection with the server name `name`."""
        with tls or self.connect(name) as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host.encode())
            return int(_all(tls).split(b" ")[1])

    def resumes(self, first, second):
        """True when a session with server name `first` is taken up again with `second`."""
        # TLS 1.2 has its tickets in the handshake; the server's keys are the same for 1.3.
        context = ssl.create_default_context(cafile=self._root)
        context.check_hostname = False
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection((self._host, self._port), 30) as sock:
            with context.wrap_socket(sock, server_hostname=first) as tls:
                session = tls.session
                assert session.has_ticket
        with socket.create_connection((self._host, self._port), 30) as sock:
            with context.wrap_socket(sock, server_hostname=second, session=session) as tls:
                return tls.session_reused


def _all(tls):
    data = bytearray()
    while True:
        piece = tls.recv(65536)
        if not piece:
            return bytes(data)
        data += piece


class Server:
    """One of the two, running with `config`; its home's ipcert tells it of changes through PATH."""

    def __init__(self, command, folder, log):
        self.log = str(log)
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=str(folder),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(
                    os.environ, HOME=str(folder), XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder)
                ),
            )

    def words(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def is_settled(self):
        """True when no worker is left from before the last reload; on a busy machine an old one still answers, even
        after new ones have. Caddy has no workers."""
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as file:
            return len(file.read().split()) <= 1

    def close(self):
        self.process.terminate()
        self.process.wait(60)


@contextlib.contextmanager
def nginx(home, port, proof):
    """Debian's nginx with nginx.example.conf. tls-alpn-01 goes through it to the port `proof`."""
    files = needs.unpacked("nginx")
    folder = home.folder
    quiet = "".join(
        "%s_temp_path %s/%s; " % (what, folder, what)
        for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        "daemon off;\n"
        + _example(
            "nginx.example.conf",
            [
                ("modules/ngx", files + "/usr/lib/nginx/modules/ngx"),
                ("user www-data;", "user root;" if os.geteuid() == 0 else ""),
                ("listen 443;", "listen 127.0.0.1:%d;" % port),
                (
                    "listen [::]:443 ipv6only=on;",
                    "listen [::1]:%d;" % port if loopback.has_ipv6() else "listen unix:%s/six;" % folder,
                ),
                ("127.0.0.1:8443", "127.0.0.1:%d" % proof),
                ("/run/", "%s/" % folder),
                ("/var/lib/ipcert/", "%s/" % folder),
                ("/var/www/html", "%s/www" % folder),
                ("server_tokens off;", quiet + "access_log %s/access.log;" % folder),
                ("nas.example.net", NAME),
                ("198.51.100.42", ADDRESS),
            ],
        )
    )
    os.environ["PATH"] = files + "/usr/sbin:" + os.environ["PATH"]
    home.wish("deploy", server="nginx", server_config=str(folder / "nginx.conf"))
    home.wish("challenge", name="tls-alpn-01", address="tls-alpn-01")
    home.wish("tlsalpn", listen=["127.0.0.1:%d" % proof])
    server = Server(["nginx", "-e", "stderr", "-c", str(folder / "nginx.conf")], folder, folder / "nginx.log")
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def caddy(home, port, proof):
    """Debian's Caddy with Caddyfile.example; its control socket is on the port `proof`."""
    files = needs.unpacked("caddy")
    folder = home.folder
    (folder / "Caddyfile").write_text(
        _example(
            "Caddyfile.example",
            [
                ("auto_https off", "auto_https off\n\tadmin 127.0.0.1:%d" % proof),
                ("default_bind 0.0.0.0", "default_bind 127.0.0.1"),
                ("https:// {", "https://:%d {" % port),
                ("https://198.51.100.42 {", "https://%s:%d {" % (ADDRESS, port)),
                ("https://nas.example.net {", "https://%s:%d {" % (NAME, port)),
                ("/var/lib/ipcert/", "%s/" % folder),
                ("/var/www/html", "%s/www" % folder),
                ("nas.example.net", NAME),
                ("198.51.100.42", ADDRESS),
            ],
        )
    )
    os.environ["PATH"] = files + "/usr/bin:" + os.environ["PATH"]
    home.wish("deploy", server="caddy", server_config=str(folder / "Caddyfile"))
    server = Server(["caddy", "run", "--config", str(folder / "Caddyfile")], folder, folder / "caddy.log")
    try:
        yield server
    finally:
        server.close()


class Visitors:
    """Strangers who come all the time, from threads of their own; `failures` is what went wrong for them."""

    def __init__(self, client, pairs):
        self.served = 0
        self.failures = []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._visit, args=(client, *pair)) for pair in pairs]
        for thread in self._threads:
            thread.start()

    def _visit(self, client, name, host):
        while not self._end.is_set():
            try:
                status = client.status(name, host)
                if status != 200:
                    raise OSError("status %d" % status)
                self.served += 1
            except (OSError, IndexError) as e:
                self.failures.append("%s: %r" % (host, e))

    def close(self):
        self._end.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize(
    "run, stranger", [(nginx, "TLSV1_UNRECOGNIZED_NAME"), (caddy, "TLSV1_ALERT_INTERNAL_ERROR")]
)
def test_what_strangers_see_and_a_renewal_that_drops_nobody(
    make_pebble, tmp_path, monkeypatch, run, stranger
):
    monkeypatch.setenv("PATH", os.environ["PATH"])
    pebble = make_pebble()
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "index.html").write_text("hello")
    (tmp_path / "www" / "film").write_bytes(bytes(FILM))
    home = Home(tmp_path, pebble, [NAME], [ADDRESS])
    port = pebble.tls_port
    with run(home, port, loopback.free_ports(1)[0]) as server:
        client = Client(pebble, port)
        assert loopback.wait_until(lambda: loopback.answers(port), 60), server.words()
        # Before there is a certificate the server runs, and shows none.
        for name in (None, NAME):
            assert client.refusal(name) in (stranger, "closed"), server.words()
        home.json("issue")
        home.json("issue", "--now", NAME)

        def shown(name, texts):
            try:
                return client.leaf(name)[0] == texts
            except (ssl.SSLError, ConnectionError):
                return False

        assert loopback.wait_until(
            lambda: shown(None, [ADDRESS]) and shown(NAME, [NAME]) and server.is_settled(), 60
        ), server.words()
        assert client.refusal("www." + NAME) == client.refusal("x") == stranger
        assert client.status(None, ADDRESS) == client.status(NAME, NAME) == 200
        assert client.status(NAME, "%s:%d" % (NAME.upper(), port)) == 200
        assert client.status(None, NAME) == client.status(NAME, ADDRESS) == client.status(None, "x") == 421
        # Caddy's ticket keys are shared, which is said where it is documented.
        assert client.resumes(NAME, NAME)
        assert client.resumes(NAME, None) == (run is caddy)
        if run is nginx:
            if loopback.has_ipv6():
                six = Client(pebble, port, "::1")
                assert six.refusal(None) == stranger and six.leaf(NAME)[0] == [NAME]

        before = client.leaf(None)[1]
        download = client.connect(None)
        download.sendall(b"GET /film HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % ADDRESS.encode())
        begun = download.recv(4096)
        visitors = Visitors(client, [(None, ADDRESS), (NAME, NAME)])
        try:
            assert loopback.wait_until(lambda: visitors.served > 10, 60)
            done = home.run("issue", "--now", ADDRESS)
            assert done.returncode == 0, done.stderr
            assert loopback.wait_until(lambda: client.leaf(None)[1] != before, 60), server.words()
            served = visitors.served
            assert loopback.wait_until(lambda: visitors.served > served + 10, 60)
        finally:
            visitors.close()
        assert visitors.failures == []
        # Neither is a download that began before it.
        with download:
            head, _, body = (begun + _all(download)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ") and len(body) == FILM


def test_a_server_that_does_not_reload_is_said(pebble, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", needs.unpacked("nginx") + "/usr/sbin:" + os.environ["PATH"])
    home = Home(tmp_path, pebble)
    (tmp_path / "nginx.conf").write_text("pid %s/none.pid; events {} http { nonsense; }" % tmp_path)
    home.wish("deploy", server="nginx", server_config="nginx.conf")
    done = home.run("issue")
    assert done.returncode == 8 and "nonsense" in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ipcert: The command 'nginx ") and "the certificate is in place" in last
    assert home.leaf(ADDRESS)
