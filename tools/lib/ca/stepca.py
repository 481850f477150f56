"""A real step-ca with an ACME provisioner, on a free loopback port, for as long as a `with` block lasts."""

import json
import os
import shutil
import subprocess
import tempfile

from tools.lib import loopback
from tools.lib.build import golang
from tools.lib.ca import authority
from tools.lib.ca.pebble import Pebble
from tools.lib.run import die_with, last_line
from tools.lib.say import Stop


def program():
    """The path of step-ca, built when missing. Raises `Stop`."""
    return os.path.join(golang.build("step-ca"), "step-ca")


class StepCA:
    """A running step-ca. It asks `dns`, a running `Pebble`, for its DNS server, and validates on that one's ports.

    directory_url; tls_root: verifies its HTTPS and its certificates alike; http_port, tls_port
    """

    def __init__(self, dns: Pebble):
        self._dns = dns
        self.http_port, self.tls_port = dns.http_port, dns.tls_port
        self.dns_port = dns.dns_port
        self._child: subprocess.Popen[bytes] = None

    def __enter__(self):
        step_ca = program()
        self.directory = tempfile.mkdtemp(prefix="step-ca-")
        (port,) = loopback.free_ports(1)
        authority.make(self.directory)
        config = {
            "root": self._path("root.pem"),
            "crt": self._path("intermediate.pem"),
            "key": self._path("intermediate-key.pem"),
            "address": f"127.0.0.1:{port}",
            "dnsNames": ["localhost", "127.0.0.1"],
            "db": {"type": "badgerv2", "dataSource": self._path("db")},
            "authority": {
                "provisioners": [
                    {
                        "type": "ACME",
                        "name": "acme",
                        "challenges": ["http-01", "dns-01", "tls-alpn-01"],
                        "claims": {"maxTLSCertDuration": "2160h", "defaultTLSCertDuration": "144h"},
                    }
                ]
            },
        }
        with open(self._path("ca.json"), "w") as file:
            json.dump(config, file)
        command = [step_ca, self._path("ca.json"), "--insecure", "--resolver", f"127.0.0.1:{self.dns_port}"]
        command += ["--acme-http-port", str(self.http_port), "--acme-tls-port", str(self.tls_port)]
        try:
            with open(self._path("log"), "wb") as log:
                self._child = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with(os.getpid(), apart=True),
                    env={**os.environ, "STEPPATH": self.directory},
                )  # fmt: skip
            loopback.wait_until(lambda: self._child.poll() is not None or loopback.answers(port), 30)
            if self._child.poll() is not None or not loopback.answers(port):
                with open(self._path("log")) as file:
                    raise Stop(f"step-ca did not start: {last_line(file.read())}")
        except BaseException:
            self.close()
            raise
        self.tls_root = self._path("root.pem")
        self.directory_url = f"https://localhost:{port}/acme/acme/directory"
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Stop it and remove what it wrote."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _path(self, name):
        return os.path.join(self.directory, name)
