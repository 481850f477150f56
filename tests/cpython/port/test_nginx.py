"""`ipcert-nginx`: what it takes from the deploy folder, what it writes, and Debian's own nginx serving it."""

import contextlib
import datetime
import os
import socket
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from ipcert.errors import LocalError
from ipcert_port.deploy import handover, nginx
from ipcert_port.deploy.folders import CERT, FULLCHAIN, KEY, folder_name
from tools.lib import cache, loopback, needs
from tools.lib.ca import certificates

NAME = "nas.example.net"


AUTHORITY = ec.generate_private_key(ec.SECP256R1())


def certificate(*general):
    """PEM (certificate, key), of an authority that nobody knows, for these general names."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    start, end = now - datetime.timedelta(hours=1), now + datetime.timedelta(days=1)
    nobody, issuer = certificates.name(""), certificates.name("test root")
    made = certificates.sign(nobody, key.public_key(), issuer, AUTHORITY, start, end, general)
    return certificates.pem(made), certificates.secret(key)


def general(text):
    import ipaddress

    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def deploy(live, *texts, name=None, general_names=None):
    """What `deploy.Deployer` would leave under `live` for these identifiers."""
    name = name or folder_name(texts)
    folder = live / (".%s@0123456789abcdef" % name)
    folder.mkdir(parents=True)
    chain, key = certificate(*(general_names or [general(text) for text in texts]))
    for file, data in ((FULLCHAIN, chain), (CERT, chain), (KEY, key)):
        (folder / file).write_bytes(data)
    (live / name).symlink_to(folder.name)
    return folder


def test_it_takes_what_ipcert_left_and_nothing_else(tmp_path):
    deploy(tmp_path, NAME, "www." + NAME)
    deploy(tmp_path, "198.51.100.42")
    deploy(tmp_path, "2001:db8::7")
    # A folder of somebody's own; a name that is not the certificate's; directives; no certificate; a hidden one.
    (tmp_path / "other").mkdir()
    deploy(tmp_path, "a.example.net", name="b.example.net")
    evil = 'x.example"; load_module /tmp/x.so; #'
    deploy(tmp_path, name="evil", general_names=[x509.DNSName(evil)])
    deploy(tmp_path, name="x.example; }", general_names=[x509.DNSName("x.example; }")])
    (deploy(tmp_path, "c.example.net") / FULLCHAIN).write_bytes(b"nonsense")
    (deploy(tmp_path, "d.example.net") / FULLCHAIN).unlink()
    found = nginx.deployed(str(tmp_path))
    assert [(one.folder, one.texts) for one in found] == [
        ("198.51.100.42", ["198.51.100.42"]),
        ("ipv6-2001-db8--7", ["2001:db8::7"]),
        (NAME, [NAME, "www." + NAME]),
    ]
    assert nginx.deployed(str(tmp_path / "missing")) == []


def test_nobody_is_served_before_there_is_a_certificate():
    texts = nginx.configuration([])
    assert "ssl_certificate" not in texts[nginx.HTTP]
    assert texts[nginx.STREAM].count("default unix:/run/ipcert-nginx/reject.sock") == 4


def test_what_was_there_comes_back_when_nginx_refuses(tmp_path, monkeypatch):
    folder = tmp_path / "etc"
    nginx.write(str(folder), {"stream.conf": "old"})
    undo = nginx.write(str(folder), {"stream.conf": "new", "http.conf": "new"})
    (tmp_path / "bin").mkdir()
    refusing = tmp_path / "bin" / "nginx"
    refusing.write_text("#!/bin/sh\necho unknown directive; exit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(LocalError, match="unknown directive"):
        nginx.reload(undo)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"stream.conf": "old"}
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match="Cannot run nginx"):
        nginx.reload(nginx.write(str(folder), {"http.conf": "new"}))
    assert [path.name for path in folder.iterdir()] == ["stream.conf"]


@contextlib.contextmanager
def serving(folder, monkeypatch, **options):
    """Debian's nginx with what is deployed under `folder`/live; yields its port."""
    files = needs.unpacked("nginx")
    port = loopback.free_ports(1)[0]
    monkeypatch.setattr(nginx, "SOCKETS", str(folder))
    live = str(folder / "live")
    sites = nginx.deployed(live, handover.Copies(str(folder / "copies")))
    texts = nginx.configuration(sites, port=port, ipv6=loopback.has_ipv6(), folder=str(folder), **options)
    nginx.write(str(folder), texts)
    scratch = "".join(
        f"{what}_temp_path {folder}/{what}; " for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"load_module {files}/usr/lib/nginx/modules/ngx_stream_module.so;\n"
        f"daemon off; {'user root;' if os.geteuid() == 0 else ''} pid {folder}/pid; events {{}}\n"
        f"include {folder}/{nginx.STREAM};\n"
        f"http {{ access_log {folder}/access.log; {scratch} include {folder}/{nginx.HTTP}; }}\n"
    )
    command = [files + "/usr/sbin/nginx", "-e", "stderr", "-c", str(main)]
    with open(folder / "log", "wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as child:
        try:
            assert loopback.wait_until(lambda: loopback.answers(port), 60), (folder / "log").read_text()
            yield port
        finally:
            child.terminate()


def visit(port, name, host, at="127.0.0.1", alpn=()):
    """(identifiers of the certificate that is shown, HTTP status), or why there was none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    try:
        with (
            socket.create_connection((at, port), 30) as raw,
            context.wrap_socket(raw, server_hostname=name) as tls,
        ):
            seen = x509.load_der_x509_certificate(tls.getpeercert(True))
            tls.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host.encode())
            status = int(tls.recv(64).split(b" ")[1])
    except ssl.SSLError as error:
        return error.reason
    except (OSError, IndexError):
        return "closed"
    names = seen.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(
        names.get_values_for_type(x509.DNSName) + list(map(str, names.get_values_for_type(x509.IPAddress)))
    ), status


def literal(port, name, at="127.0.0.1"):
    """What OpenSSL says of a connection with this server name: the certificate as text, or the alert."""
    client = ["openssl", "s_client", "-connect", f"{at}:{port}", "-servername", name]
    done = subprocess.run(client, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = ["openssl", "x509", "-noout", "-text"]
    shown = subprocess.run(text, input=done.stdout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return (shown.stdout or done.stdout).decode()


def test_nginx_shows_each_certificate_to_whom_it_is_for(tmp_path, monkeypatch):
    live = tmp_path / "live"
    live.mkdir()
    deploy(live, NAME, "*.home.example.net")
    deploy(live, "127.0.0.1")
    deploy(live, "127.0.0.2")
    deploy(live, "::1")
    names = sorted([NAME, "*.home.example.net"])
    wrong = "TLSV1_UNRECOGNIZED_NAME"
    (tmp_path / "site-name.conf").write_text("return 204;")
    with serving(tmp_path, monkeypatch) as port:
        assert visit(port, NAME, NAME) == visit(port, NAME.upper(), NAME.upper()) == (names, 204)
        assert visit(port, "a.home.example.net", "a.home.example.net") == (names, 204)
        assert visit(port, NAME, "a.b.home.example.net") == visit(port, NAME, "127.0.0.1") == (names, 421)
        for other in ("a.b.home.example.net", "home.example.net", "x" + NAME, "www." + NAME, "x"):
            assert visit(port, other, NAME) == wrong
        # Without a name: that of the address which was connected to.
        assert visit(port, None, "127.0.0.1") == (["127.0.0.1"], 404)
        # An address as server name, which Python would not send.
        assert "IP Address:127.0.0.2" in literal(port, "127.0.0.2")
        assert "alert number 112" in literal(port, "127.0.0.3")
        assert "alert number 112" in literal(port, "::1")
        assert visit(port, None, "127.0.0.2", at="127.0.0.2") == (["127.0.0.2"], 404)
        assert visit(port, None, NAME) == visit(port, None, "127.0.0.2") == (["127.0.0.1"], 421)
        # Two addresses could be meant, so neither is shown.
        assert visit(port, None, "127.0.0.1", at="127.0.0.9") == wrong
        if loopback.has_ipv6():
            assert visit(port, None, "[::1]", at="::1") == (["::1"], 404)
            assert visit(port, NAME, NAME, at="::1") == (names, 204)
            # The other family's certificate would tie the two together.
            assert "alert number 112" in literal(port, "127.0.0.1", at="[::1]")


def test_names_that_mean_something_to_nginx_are_names_and_no_more(tmp_path, monkeypatch):
    live = tmp_path / "live"
    live.mkdir()
    words = [
        "default",
        "include",
        "hostnames",
        "volatile",
        "a." + "x" * 60 + "." + "y" * 60 + "." + "z" * 60 + ".example",
    ]
    for word in words:
        deploy(live, word)
    deploy(live, NAME)
    with serving(tmp_path, monkeypatch) as port:
        for word in [*words, NAME]:
            assert visit(port, word, word) == ([word], 404)
        assert visit(port, "other", "other") == "TLSV1_UNRECOGNIZED_NAME"


def test_of_two_addresses_that_were_found_the_one_seen_last_is_shown(tmp_path, monkeypatch):
    live = tmp_path / "live"
    live.mkdir()
    for text in ("203.0.113.7", "203.0.113.8"):
        deploy(live, text)
    sites = nginx.deployed(str(live))
    sites[0].since, sites[1].since = 2000, 1000
    stream = nginx.configuration(sites, found=(4,))[nginx.STREAM]
    assert "$ipcert_here4 {\n        default unix:%s/0.sock;" % nginx.SOCKETS in stream
    stream = nginx.configuration(sites)[nginx.STREAM]
    assert "$ipcert_here4 {\n        default unix:%s/reject.sock;" % nginx.SOCKETS in stream


def test_nginx_hands_validations_on_and_hides_the_name_from_strangers(tmp_path, monkeypatch):
    live = tmp_path / "live"
    live.mkdir()
    deploy(live, NAME)
    # The test's own 127.0.0.1 is to be a stranger's.
    monkeypatch.setattr(nginx, "_LOCAL", ("127.0.0.8/32",))
    with socket.create_server(("127.0.0.1", 0)) as ours:
        alpn = "127.0.0.1:%d" % ours.getsockname()[1]
        with serving(tmp_path, monkeypatch, name_on="lan", alpn=alpn) as port:
            assert visit(port, NAME, NAME) == "TLSV1_UNRECOGNIZED_NAME"
            assert visit(port, None, NAME) == "TLSV1_UNRECOGNIZED_NAME"
            with socket.socket() as raw:
                raw.bind(("127.0.0.8", 0))
                raw.connect(("127.0.0.1", port))
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                with context.wrap_socket(raw, server_hostname=NAME) as tls:
                    assert tls.version()
            # A validation reaches ipcert as the CA sent it: a ClientHello, no PROXY line before it.
            with socket.create_connection(("127.0.0.1", port), 30) as raw:
                hello, out = ssl.MemoryBIO(), ssl.MemoryBIO()
                context.set_alpn_protocols(["acme-tls/1"])
                tls = context.wrap_bio(hello, out, server_hostname=NAME)
                with pytest.raises(ssl.SSLWantReadError):
                    tls.do_handshake()
                sent = out.read()
                raw.sendall(sent)
                ours.settimeout(30)
                with ours.accept()[0] as got:
                    assert got.recv(65536) == sent


# 47 is what a bucket of one cache line does not take any more; 253 is the longest that DNS allows.
@pytest.mark.parametrize(
    "length", [47, 253, *(pytest.param(n, marks=pytest.mark.full) for n in (46, 64, 128))]
)
def test_nginx_serves_names_of_any_length(tmp_path, monkeypatch, length):
    live = tmp_path / "live"
    live.mkdir()
    name = (".".join(["x" * 63] * 4)[-(length - len(".example.net")) :] + ".example.net").lstrip(".")
    deploy(live, name)
    deploy(live, "*." + name[2:])
    deploy(live, "2001:db8:1111:2222:3333:4444:5555:6666")
    assert len(name) == length and len(nginx.deployed(str(live))) == 3
    with serving(tmp_path, monkeypatch) as port:
        assert visit(port, name, name) == visit(port, name, name.upper()) == ([name], 404)
        assert visit(port, name, "x" + name) == ([name], 421)
        six = visit(port, "y" + name[1:], "y" + name[1:])
        assert six == (["*." + name[2:]], 404) if name[1] == "." else "TLSV1_UNRECOGNIZED_NAME"


@pytest.mark.parametrize("length", [47, 253])
def test_the_example_takes_names_of_any_length(tmp_path, length):
    files = needs.unpacked("nginx")
    name = (".".join(["x" * 63] * 4)[-(length - len(".example.net")) :] + ".example.net").lstrip(".")
    with open(os.path.join(cache.ROOT, "ports", "cpython", "nginx.example.conf")) as file:
        text = (
            file.read()
            .replace("nas.example.net", name)
            .replace("modules/ngx", files + "/usr/lib/nginx/modules/ngx")
        )
    # A path of a socket, too, has a longest.
    (tmp_path / "nginx.conf").write_text(text.replace("/run/nginx.pid", str(tmp_path / "pid")))
    command = [files + "/usr/sbin/nginx", "-e", "stderr", "-t", "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert "hash_bucket_size" not in done.stdout and "syntax is ok" in done.stdout, done.stdout
