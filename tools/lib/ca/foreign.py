"""CAs that others wrote, each running as its maker says, in a network namespace of its own.

They validate on ports 80 and 443 and ask the machine's resolver, and most cannot be told otherwise. So each has a
namespace where those ports are free, with a DNS server (Pebble's) that is its resolver: any name is 127.0.0.1 and ::1 is
there too. Whoever is to be validated must be in it: `with ca.enter():`, by the thread and all that it starts.

A CA has: name, version; directory_url; tls_root and issuing_root, PEM files that verify its own HTTPS and what it issues;
http_port, tls_port, dns_port.
"""

import abc
import contextlib
import os
import shutil
import ssl
import subprocess
import tempfile
import urllib.request

from tools.lib import loopback, needs, netns, venv
from tools.lib.build import golang
from tools.lib.ca import authority, pebble, testcert
from tools.lib.run import die_with, last_line
from tools.lib.say import Stop

_PORT = 8443  # of each CA in its namespace
_START = 60  # seconds that a CA may take on a busy machine


class Foreign(abc.ABC):
    """One of the CAs below. Use it as a context manager; nothing of it is left. Raises `Stop`."""

    name = version = ""
    row = ""  # of needs.py
    path = ""  # of the directory
    http_port, tls_port, dns_port = 80, 443, 53

    @abc.abstractmethod
    def _program(self):
        """Whatever `_command` wants to know of the program, made outside the namespace. Raises `Stop`."""

    @abc.abstractmethod
    def _command(self, program):
        """(argument list, more of the environment) to start it with."""

    def __init__(self):
        self._children = []

    def __enter__(self):
        needs.install(self.row)
        _, challtestsrv = pebble.programs()
        program = self._program()
        self.directory = tempfile.mkdtemp(prefix="foreign-ca-")
        self._namespace = netns.Namespace()
        try:
            authority.make(self.directory)
            self.issuing_root = self._path("root.pem")
            root, leaf, key = testcert.make()
            self.tls_root = self._write("tls-root.pem", root)
            self._write("tls.pem", leaf + root)
            self._write("tls-key.pem", key)
            self._write("resolv.conf", b"nameserver 127.0.0.1\n")
            with self.enter():
                command = [challtestsrv, "-dnsserver", "127.0.0.1:53", "-management", "127.0.0.1:8055"]
                # Names have an IPv4 address alone: not every CA would try the other.
                command += ["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]
                for other in ("-http01", "-https01", "-tlsalpn01", "-doh"):
                    command += [other, ""]
                self._spawn(command, {})
                self._wait(8055)
                command, environment = self._command(program)
                # Its resolver, seen by it alone.
                words = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
                self._spawn(
                    ["unshare", "-m", "sh", "-c", words, self._path("resolv.conf"), *command], environment
                )
                self._wait(_PORT)
                self.directory_url = f"https://localhost:{_PORT}{self.path}"
                loopback.wait_until(self._is_there, _START)  # gunicorn listens before it has read the program
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception):
        self.close()

    @contextlib.contextmanager
    def enter(self):
        """For as long as the block lasts this thread, and what it starts, is where the CA is."""
        with self._namespace.enter():
            yield self

    def close(self):
        """Stop it and remove what it wrote."""
        while self._children:
            child = self._children.pop()
            child.kill()
            child.wait()
        self._namespace.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def said(self):
        """What it has logged."""
        with open(self._path("log"), errors="replace") as file:
            return file.read()

    def _spawn(self, command, environment):
        with open(self._path("log"), "ab") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env={**_clean(), **environment},
                preexec_fn=die_with(os.getpid(), apart=True),
            )
        self._children.append(child)

    def _wait(self, port):
        child = self._children[-1]
        loopback.wait_until(lambda: child.poll() is not None or loopback.answers(port), _START)
        if child.poll() is not None or not loopback.answers(port):
            raise Stop(f"{self.name} {self.version} did not start: {last_line(self.said())}")

    def _is_there(self):
        https = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.tls_root))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https)
        with contextlib.suppress(OSError), opener.open(self.directory_url, timeout=_START) as answer:
            return answer.status == 200
        return False

    def _path(self, *names):
        return os.path.join(self.directory, *names)

    def _write(self, name, data):
        with open(self._path(name), "wb") as file:
            file.write(data)
        return self._path(name)


def _clean():
    """The environment without what is about the tests' own Python, and without proxies."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "COV_", "COVERAGE")) and not name.lower().endswith("_proxy")
    }


class Caddy(Foreign):
    """Caddy's `acme_server`: smallstep's ACME inside the web server, with the CA that Caddy makes for itself."""

    name, version, row = "Caddy", golang.MODULES["caddy"][1], "caddy's acme_server"
    path = "/acme/local/directory"

    def _program(self):
        return os.path.join(golang.build("caddy"), "caddy")

    def _command(self, program):
        text = f"""{{
            admin off
            skip_install_trust
            auto_https off
            storage file_system {self._path("storage")}
        }}
        https://localhost:{_PORT} {{
            tls {self._path("tls.pem")} {self._path("tls-key.pem")}
            acme_server {{
                lifetime 5d
                resolvers udp/127.0.0.1:53
            }}
        }}
        """
        self._write("Caddyfile", text.encode())
        self.issuing_root = self._path("storage", "pki", "authorities", "local", "root.crt")
        home = {"HOME": self.directory, "XDG_DATA_HOME": self.directory, "XDG_CONFIG_HOME": self.directory}
        return [program, "run", "--config", self._path("Caddyfile"), "--adapter", "caddyfile"], home


class DebianCaddy(Caddy):
    """The same in Debian 12's version, four years older."""

    version, row = "of Debian", "caddy's acme_server, Debian's"

    def _program(self):
        return os.path.join(needs.unpacked("caddy"), "usr", "bin", "caddy")


def _gunicorn(group, application, *more):
    words = [
        os.path.join(venv.environment(group), "bin", "python"),
        "-m",
        "gunicorn",
        "--worker-class",
        "gthread",
    ]
    words += [
        "--threads",
        "4",
        "--certfile",
        "tls.pem",
        "--keyfile",
        "tls-key.pem",
        "--bind",
        f"127.0.0.1:{_PORT}",
    ]
    return [*words, "--no-control-socket", *more, application]


class Acme2certifier(Foreign):
    """acme2certifier under gunicorn, with its own CA on files and its own database (SQLite)."""

    name, version, row = "acme2certifier", "0.46.3", "acme2certifier"
    path = "/directory"

    def _program(self):
        return venv.environment("acme2certifier")

    def _command(self, program):
        os.mkdir(self._path("certs"))
        text = f"""[DEFAULT]
debug: False
[Nonce]
nonce_check_disable: False
[CAhandler]
handler_module: acme2certifier.cahandlers.openssl_ca_handler
issuing_ca_key: {self._path("intermediate-key.pem")}
issuing_ca_cert: {self._path("intermediate.pem")}
issuing_ca_crl: {self._path("crl.pem")}
ca_cert_chain_list: ["{self._path("root.pem")}"]
cert_validity_days: 6
cert_save_path: {self._path("certs")}
[DBhandler]
handler: wsgi
dbfile: {self._path("acme.db")}
[Challenge]
dns_server_list: ["127.0.0.1"]
[Order]
tnauthlist_support: False
"""
        environment = {"ACME_SRV_CONFIGFILE": self._write("acme_srv.cfg", text.encode())}
        return _gunicorn(
            "acme2certifier", "acme2certifier.share.acme2certifier_wsgi:application"
        ), environment


class Serles(Foreign):
    """serles-acme under gunicorn. What signs is a backend of ours: the one that it brings leaves all names out."""

    name, version, row = "serles-acme", "1.3.0", "serles"
    path = "/directory"

    def _program(self):
        return venv.environment("serles")

    def _command(self, program):
        text = f"""[serles]
database = sqlite:///{self._path("serles.db")}
backend = serles_backend:Backend
subjectNameTemplate = CN={{SAN[0]}}
allowWildcards = true
allowIpIdentifiers = true
removeRootCAFromChain = true
[ours]
folder = {self.directory}
"""
        here = os.path.dirname(os.path.abspath(__file__))
        shutil.copy(os.path.join(here, "serles_backend.py"), self.directory)
        environment = {"CONFIG": self._write("serles.ini", text.encode()), "PYTHONPATH": self.directory}
        return _gunicorn("serles", "serles:create_app()"), environment
