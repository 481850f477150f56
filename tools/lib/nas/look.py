"""What the NAS shows to whoever connects, looked at with OpenSSL's command: certificate, chain, alert, session, HTTP."""

import re
import socket
import subprocess
import threading
import time

from cryptography import x509

_SECONDS = 300  # for one connection; the machine is emulated and may be busy


class Seen:
    """One connection. `certificate` (x509 or None), `verified` by OpenSSL, `status` of HTTP (int or 0), `reused` session,
    `alert` (its number or 0), `text`: what OpenSSL printed."""

    def __init__(self, text):
        self.text = text
        found = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.DOTALL)
        self.certificate = x509.load_pem_x509_certificate(found[0].encode()) if found else None
        self.verified = "Verify return code: 0 (ok)" in text
        self.reused = re.search(r"^Reused, ", text, re.MULTILINE) is not None
        status = re.search(r"^HTTP/1\.1 (\d{3}) ", text, re.MULTILINE)
        self.status = int(status[1]) if status else 0
        alert = re.search(r"SSL alert number (\d+)", text)
        self.alert = int(alert[1]) if alert else 0


def look(port, root, sni, host, keep=None, offer=None, version="-tls1_3"):
    """Connect to 127.0.0.1:`port` with server name `sni` (None for none) and ask for / of `host`: a `Seen`.

    `root`: the CA's root as a PEM file. keep: a file that gets the session; offer: one that holds a session to resume.
    """
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", root, version, "-ign_eof"]
    command += ["-servername", sni] if sni else ["-noservername"]
    if ":" in host or host.replace(".", "").isdigit():
        command += ["-verify_ip", host]
    else:
        command += ["-verify_hostname", host]
    command += ["-sess_out", keep] if keep else []
    command += ["-sess_in", offer] if offer else []
    done = subprocess.run(
        command,
        input=f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_SECONDS,
    )
    return Seen(done.stdout.decode("utf-8", "replace").replace("\r\n", "\n"))


class _Meanwhile:
    """Does `_once` over and over, in a thread, while a `with` block lasts."""

    def _once(self):
        """What is done over and over."""

    def __init__(self):
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _run(self):
        while not self._over.is_set():
            self._once()


class Prober(_Meanwhile):
    """Asks port `port` of 127.0.0.1 for `paths` over and over, in a thread, while a `with` block lasts.

    answers: every answer that came, as (path, bytes). Connections that nobody answered do not count.
    """

    def __init__(self, port, paths):
        super().__init__()
        self.answers = []
        self._port = port
        self._paths = paths

    def _once(self):
        path = self._paths[len(self.answers) % len(self._paths)]
        answer = ask(self._port, path)
        if answer:
            self.answers.append((path, answer))
        self._over.wait(0.2)


def ask(port, path, host="127.0.0.1"):
    """What port `port` answers to a plain request for `path`; b"" when nobody does."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            while len(answer) < 65536:
                piece = raw.recv(4096)
                if not piece:
                    break
                answer += piece
    except OSError:
        return answer
    return answer


class Visitors(_Meanwhile):
    """One visitor after another (TLS, one request, certificate verified for `host`) while a `with` block lasts.

    count: those who were served; failures: what happened to the others; serials: the certificates' serial numbers, in order.
    """

    def __init__(self, port, root, host):
        super().__init__()
        self.count = 0
        self.failures = []
        self.serials = []
        self._port, self._root, self._host = port, root, host

    def _once(self):
        try:
            secure = connect(self._port, self._root, self._host)
            with secure:
                certificate = x509.load_der_x509_certificate(secure.getpeercert(True))
                request(secure, "/", self._host)
                head = secure.recv(4096)
                if not head.startswith(b"HTTP/1.1 200 "):
                    raise OSError(f"answered {head[:40]!r}")
        except OSError as error:
            self.failures.append(f"{type(error).__name__}: {error}")
            return
        self.count += 1
        self._over.wait(0.3)  # the emulated machine has other things to do, too
        if certificate.serial_number not in self.serials[-1:]:
            self.serials.append(certificate.serial_number)


def connect(port, root, host):
    """A verified TLS connection to `host`, which is at 127.0.0.1:`port`."""
    import ssl

    raw = socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)
    try:
        return ssl.create_default_context(cafile=root).wrap_socket(raw, server_hostname=host)
    except BaseException:
        raw.close()
        raise


def request(secure, path, host):
    """Send a request over a connection of `connect`."""
    secure.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())


class Download:
    """A download that has begun and that its reader lets wait: `finish` reads the rest; returns the body's length."""

    def __init__(self, port, root, host, path):
        self._secure = connect(port, root, host)
        request(self._secure, path, host)
        self._got = self._secure.recv(4096)

    def finish(self, seconds=900):
        """The number of body bytes that came until the server closed; OSError when it broke off."""
        end = time.monotonic() + seconds
        length = -1
        head = self._got
        with self._secure:
            while time.monotonic() < end:
                piece = self._secure.recv(65536)
                if not piece:
                    return length
                if length < 0:
                    head += piece
                    if b"\r\n\r\n" in head:
                        length = len(head) - head.index(b"\r\n\r\n") - 4
                else:
                    length += len(piece)
        raise OSError(f"the download had not ended after {seconds} s")
