"""Debian's nginx in front of what a router deployed, with the configuration that ipcert documents."""

import os
import socket
import ssl
import subprocess
from pathlib import Path

from tools.lib import loopback, needs
from tools.lib.say import Stop

_EXAMPLE = os.path.join("ports", "cpython", "nginx.example.conf")
_SCRATCH = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Nginx:
    """nginx on a free `port` while a `with` lasts; `reload` is the command that makes it read the files anew.

    `live`: the router's /etc/ssl/acme. Raises Stop.
    """

    def __init__(self, folder, live, name, address, example):
        self._folder = Path(folder)
        self._folder.mkdir(parents=True)
        files = needs.unpacked("nginx")
        self.port = loopback.free_ports(1)[0]
        self._config = self._folder / "nginx.conf"
        text = Path(example).read_text()
        scratch = "".join("%s_temp_path %s/%s; " % (what, folder, what) for what in _SCRATCH)
        for old, new in (
            ("/run/", "%s/" % folder),
            ("/var/lib/ipcert/live/", "%s/." % live),
            ("/var/www/html", str(folder)),
            ("modules/ngx", files + "/usr/lib/nginx/modules/ngx"),
            ("user www-data;", "user root;" if os.geteuid() == 0 else ""),
            ("listen 443;", "listen 127.0.0.1:%d;" % self.port),
            ("listen [::]:443 ipv6only=on;", "listen unix:%s/six;" % folder),
            ("server_tokens off;", scratch + "access_log off;"),
            ("nas.example.net", name),
            ("198.51.100.42", address),
        ):
            if old not in text:
                raise Stop("%s has no %s any more." % (_EXAMPLE, old))
            text = text.replace(old, new)
        self._config.write_text("daemon off;\n" + text)
        self._command = [files + "/usr/sbin/nginx", "-e", str(self._folder / "log"), "-c", str(self._config)]
        self.reload = " ".join(self._command + ["-s", "reload"])
        self._child = None

    def __enter__(self):
        self._child = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        if not loopback.wait_until(lambda: loopback.answers(self.port) or self._child.poll() is not None, 60):
            self.__exit__()
        if self._child.poll() is not None:
            raise Stop("nginx did not start: %s" % (self._folder / "log").read_text()[-300:])
        return self

    def __exit__(self, *exception):
        self._child.terminate()
        self._child.wait(60)


def served(port, name, root):
    """What a stranger who names `name` (None: nothing) is shown on `port`: (texts of the certificate, its PEM), verified
    to `root`; or (why not, None)."""
    try:
        with socket.create_connection(("127.0.0.1", port), 30) as sock:
            with _context(root).wrap_socket(sock, server_hostname=name) as tls:
                texts = [text for _, text in tls.getpeercert()["subjectAltName"]]
                return texts, ssl.DER_cert_to_PEM_cert(tls.getpeercert(True)).encode()
    except OSError as error:  # ssl.SSLError is one
        return getattr(error, "reason", str(error)), None


def status(port, name, host, root):
    """The HTTP status of GET / for `host` over a connection with the server name `name`, or None for no answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), 30) as sock:
            with _context(root).wrap_socket(sock, server_hostname=name) as tls:
                tls.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host.encode())
                words = tls.recv(4096).split(b" ")
                return int(words[1]) if len(words) > 1 else None
    except OSError:
        return None


def _context(root):
    context = ssl.create_default_context(cafile=root)
    context.check_hostname = False
    return context
