"""A real Pebble with its DNS server, on free loopback ports, for as long as a `with` block lasts."""

import contextlib
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import urllib.request

from tools.lib import loopback, needs
from tools.lib.build import golang
from tools.lib.ca import testcert
from tools.lib.ca.counting import CountingProxy
from tools.lib.run import die_with, last_line
from tools.lib.say import Stop

PROFILES = {
    "classic": {"description": "Names, for 90 days", "validityPeriod": 90 * 86400},
    "shortlived": {"description": "Names and addresses, for six days", "validityPeriod": 6 * 86400},
}
_REQUEST = re.compile(r"^Pebble \S+ \S+ (GET|HEAD|POST|OPTIONS) (/\S*) -> calling handler\(\)$", re.MULTILINE)
_TRIES = 3


def programs(moved=False):
    """The paths of (pebble, pebble-challtestsrv), built when missing. `moved`: with a clock that can be moved (`goclock`).

    Raises `Stop`.
    """
    directory = golang.build("pebble", moved)
    return os.path.join(directory, "pebble"), os.path.join(directory, "pebble-challtestsrv")


def debian_programs():
    """The paths of Debian's own (pebble, pebble-challtestsrv). Raises `Stop`."""
    needs.install("debian's pebble")
    found = shutil.which("pebble"), shutil.which("pebble-challtestsrv")
    if None in found:
        raise Stop("Debian's pebble package has no pebble or pebble-challtestsrv program.")
    return found


class Pebble:
    """A running Pebble. Use it as a context manager; nothing of it is left behind, also after ctrl-C or a crash.

    Its children are killed with the thread that made them, so make it in one that lives as long as the block.

    profiles      name -> {"description", "validityPeriod" (seconds)}; with several and none asked, Pebble picks one
                  at random. Versions before 2.7 ignore them.
    nonce_reject  percent of good nonces that are refused
    authz_reuse   percent of authorizations that are reused
    sleep         validate after a random pause, as a real CA does (seconds: PEBBLE_VA_SLEEPTIME); 0: at once
    always_valid  validate nothing. Never the only way that something is tested.
    alternates    number of alternate roots
    chain         number of intermediates in a chain
    eab           {kid: base64url MAC key}: only accounts bound to one of these are made
    strict        Pebble's -strict
    retry_after   (authorizations, orders): seconds of the Retry-After headers
    blocked       domains that are refused
    ipv4, ipv6    what the DNS server answers by default; "" for nothing. (Pebble validates at the IPv6 one if any.)
    http_port     where http-01 is validated; tls_port: tls-alpn-01. Free ones are taken by default.
    programs      (pebble, pebble-challtestsrv) paths, for another version than the pinned one
    host          the name in `directory_url`: localhost, 127.0.0.1 or ::1
    clock         a `goclock.Clock` that moves its time; wants `programs` of `programs(moved=True)`
    dns_server    (host, port) of another DNS server that validation asks; None: its own

    Attributes while it runs: directory_url, management_url, dns_url, dns_port, http_port, tls_port, tls_root (PEM
    path: verifies the CA's own HTTPS), log (path), directory (a scratch directory that goes with it).
    """

    def __init__(
        self,
        profiles=None,
        nonce_reject=0,
        authz_reuse=0,
        sleep=0,
        always_valid=False,
        alternates=0,
        chain=1,
        eab=None,
        strict=False,
        retry_after=(1, 1),
        blocked=("blocked-domain.example",),
        ipv4="127.0.0.1",
        ipv6="",
        http_port=None,
        tls_port=None,
        programs=None,
        host="localhost",
        dns_server=None,
        clock=None,
    ):
        self._config = {
            "ocspResponderURL": "",
            "externalAccountBindingRequired": bool(eab),
            "externalAccountMACKeys": dict(eab or {}),
            "domainBlocklist": list(blocked),
            "retryAfter": {"authz": retry_after[0], "order": retry_after[1]},
            "keyAlgorithm": "ecdsa",
            "profiles": PROFILES if profiles is None else profiles,
        }
        self._environment = {
            "PEBBLE_WFE_NONCEREJECT": str(nonce_reject),
            "PEBBLE_AUTHZREUSE": str(authz_reuse),
            "PEBBLE_ALTERNATE_ROOTS": str(alternates),
            "PEBBLE_CHAIN_LENGTH": str(chain),
        }
        if sleep:
            self._environment["PEBBLE_VA_SLEEPTIME"] = str(sleep)
        else:
            self._environment["PEBBLE_VA_NOSLEEP"] = "1"
        if always_valid:
            self._environment["PEBBLE_VA_ALWAYS_VALID"] = "1"
        if clock is not None:
            self._environment.update(clock.environment)
        self._alternates = alternates
        self._strict = strict
        self._dns = (ipv4, ipv6)
        self._wanted = (http_port, tls_port)
        self._programs = programs
        self._host = host
        self._dns_server = dns_server
        self._children = []
        self._proxy = None
        self._counted = None
        self.directory = None

    def __enter__(self):
        self._programs = self._programs or programs()
        self.directory = tempfile.mkdtemp(prefix="pebble-")
        try:
            root, leaf, key = testcert.make()
            self.tls_root = self._write("tls-root.pem", root)
            self._write("tls.pem", leaf + root)
            self._write("tls-key.pem", key)
            self._tls = ssl.create_default_context(cafile=self.tls_root)
            for attempt in range(_TRIES):
                self._take_ports()
                try:
                    self.start()
                    break
                except Stop:
                    self.stop()
                    if attempt == _TRIES - 1:
                        raise
            self.reset()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception):
        self.close()

    # Running

    def start(self):
        """Start it on its ports (again, after `stop`): a CA without memory of what was before."""
        self.log = os.path.join(self.directory, "pebble.log")
        dns_log = os.path.join(self.directory, "challtestsrv.log")
        where = "127.0.0.1:%d"
        ipv4, ipv6 = self._dns
        pebble, challtestsrv = self._programs
        command = [challtestsrv, _dns_flag(challtestsrv), where % self.dns_port]
        command += ["-management", where % self._dns_management, "-defaultIPv4", ipv4, "-defaultIPv6", ipv6]
        command += ["-http01", "", "-https01", "", "-tlsalpn01", ""]
        if "-doh " in _usage(challtestsrv):
            command += ["-doh", ""]
        self._spawn(command, dns_log, {})
        config = self._write("pebble.json", json.dumps({"pebble": self._config}).encode())
        server = "%s:%d" % self._dns_server if self._dns_server else where % self.dns_port
        command = [pebble, "-config", config, "-dnsserver", server]
        if self._strict:
            command.append("-strict=true")
        self._spawn(command, self.log, self._environment)
        for child, port, log in (
            (self._children[0], self._dns_management, dns_log),
            (self._children[1], self._listen, self.log),
            (self._children[1], self._management, self.log),
        ):
            loopback.wait_until(lambda c=child, p=port: c.poll() is not None or loopback.answers(p), 20)
            if child.poll() is not None or not loopback.answers(port):
                with open(log) as file:
                    raise Stop(f"{os.path.basename(child.args[0])} did not start: {last_line(file.read())}")
        self._proxy = CountingProxy(self._port, self._listen)
        self._save_roots()

    def stop(self):
        """Stop it, and keep the ports and the scratch directory. The CA is then out of reach."""
        if self._proxy is not None:
            self._proxy.close()
            self._proxy = None
        while self._children:
            child = self._children.pop()
            child.kill()
            child.wait()

    def close(self):
        """Stop it and remove the scratch directory."""
        self.stop()
        if self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)

    # What it is asked

    def root(self, number=0):
        """The path of an issuing root's certificate (PEM); 1 and up are the alternates."""
        return os.path.join(self.directory, f"root-{number}.pem")

    def intermediate(self, number=0):
        """The path of the certificate (PEM) that signs leaves under that root."""
        return os.path.join(self.directory, f"intermediate-{number}.pem")

    def set_renewal_info(self, certificate, answer):
        """Answer ARI for the certificate (PEM text) with `answer`: an object, or a text to send as it is."""
        text = answer if isinstance(answer, str) else json.dumps(answer)
        body = json.dumps({"Certificate": certificate, "ARIResponse": text}).encode()
        self._ask(self.management_url + "/set-renewal-info/", body)

    def dns(self, what, **body):
        """Ask the DNS server's management: dns("add-a", host="nas.example.", addresses=["127.0.0.1"])."""
        self._ask(f"{self.dns_url}/{what}", json.dumps(body).encode())

    # What it counted

    def reset(self):
        """Count requests and connections from now on."""
        self._proxy.forget()
        self._counted = self._proxy.count()
        self._request_mark = os.path.getsize(self.log)

    def requests(self):
        """The HTTP requests since `reset`: a list of (method, Pebble's name of the resource)."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            file.seek(self._request_mark)
            return _REQUEST.findall(file.read())

    def traffic(self):
        """The `Count` of connections, bytes and pauses since `reset`."""
        return self._proxy.count().since(self._counted)

    # Inside

    def _take_ports(self):
        ports = iter(loopback.free_ports(7))
        self._port, self._listen, self._management, self.dns_port, self._dns_management = (
            next(ports) for _ in range(5)
        )
        self.http_port = self._wanted[0] or next(ports)
        self.tls_port = self._wanted[1] or next(ports)
        self._config.update(
            listenAddress=f"127.0.0.1:{self._listen}",
            managementListenAddress=f"127.0.0.1:{self._management}",
            httpPort=self.http_port,
            tlsPort=self.tls_port,
            certificate=os.path.join(self.directory, "tls.pem"),
            privateKey=os.path.join(self.directory, "tls-key.pem"),
        )
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.directory_url = f"https://{host}:{self._port}/dir"
        self.management_url = f"https://127.0.0.1:{self._management}"
        self.dns_url = f"http://127.0.0.1:{self._dns_management}"

    def _spawn(self, command, log, environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PEBBLE_")}
        try:
            with open(log, "ab") as output:
                child = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env={**clean, **environment},
                    cwd=self.directory,
                    preexec_fn=die_with(os.getpid(), apart=True),
                )
        except OSError as error:
            raise Stop(f"{command[0]} could not be started: {error}.") from error
        self._children.append(child)

    def _save_roots(self):
        for number in range(1 + self._alternates):
            self._write(f"root-{number}.pem", self._ask(f"{self.management_url}/roots/{number}"))
            self._write(
                f"intermediate-{number}.pem", self._ask(f"{self.management_url}/intermediates/{number}")
            )

    def _ask(self, url, body=None):
        try:
            # ProxyHandler({}): an HTTP proxy in the environment has no business on loopback.
            https = urllib.request.HTTPSHandler(context=self._tls)
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https)
            with opener.open(url, data=body, timeout=10) as response:
                return response.read()
        except OSError as error:
            raise Stop(f"Pebble's management did not answer at {url}: {error}.") from error

    def _write(self, name, data):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(data)
        return path


def _usage(program):
    """The program's own list of flags."""
    done = subprocess.run([program, "-help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout


def _dns_flag(challtestsrv):
    """The DNS flag's name: -dns01 up to version 2.6, -dnsserver since."""
    return "-dnsserver" if "-dnsserver" in _usage(challtestsrv) else "-dns01"


@contextlib.contextmanager
def debian(**options):
    """Debian's own Pebble: on Debian 12 that is 2.4, without profiles and ARI, and with a CN in its leaves."""
    with Pebble(programs=debian_programs(), **options) as pebble:
        yield pebble
