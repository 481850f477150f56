"""ACME clients, each in its own environment, and how each is asked for one certificate with a new account.

A client has: name; version(); prepare(directory, pebble) for what its user does beforehand (not measured); and
order(directory, pebble, name) -> (command, environment), one process that ends with the certificate on disk.
`webroot` clients need a web server beside them. install() makes all that is needed and raises `Stop`.
"""

import glob
import os
import shutil
import subprocess

from tools.lib import debian, needs, venv
from tools.lib.bench.measure import clean_environment
from tools.lib.build import golang, wheel
from tools.lib.run import quiet
from tools.lib.say import Stop

_DEBIAN_ROOTS = "/etc/ssl/certs/ca-certificates.crt"


class Client:
    """What the clients have in common."""

    name = ""
    webroot = False
    note = ""
    tries = 1  # a run that fails is repeated up to this many times, and the failures are reported

    def install(self):
        """Make what is needed."""

    def version(self):
        """The client's version, as text."""
        return ""

    def prepare(self, directory, pebble):
        """What its user does beforehand. Not measured."""

    def certificates(self, directory):
        """The paths of the certificates it wrote."""
        return glob.glob(os.path.join(directory, "**", "*.pem"), recursive=True)


class Certbot(Client):
    """EFF's certbot, with its own web server."""

    name = "certbot"

    def install(self):
        needs.install("bench issue certbot")
        self._venv = venv.environment("bench-certbot")

    def version(self):
        return quiet([self._script(), "--version"], "certbot does not run.").split()[-1]

    def order(self, directory, pebble, name):
        command = [self._script(), "certonly", "--non-interactive", "--agree-tos", "--quiet"]
        command += ["--register-unsafely-without-email", "--standalone", "--http-01-address", "127.0.0.1"]
        command += ["--http-01-port", str(pebble.http_port), "--server", pebble.directory_url]
        command += ["--config-dir", directory, "--work-dir", directory, "--logs-dir", directory]
        command += ["--key-type", "ecdsa", "--required-profile", "classic", "--domain", name]
        return command, clean_environment(REQUESTS_CA_BUNDLE=pebble.tls_root)

    def certificates(self, directory):
        return glob.glob(os.path.join(directory, "live", "*", "fullchain.pem"))

    def _script(self):
        return os.path.join(self._venv, "bin", "certbot")


class Lego(Client):
    """lego, with its own web server."""

    name = "lego"

    def install(self):
        needs.install("bench issue lego")
        self._program = os.path.join(golang.build("lego"), "lego")

    def version(self):
        return golang.MODULES["lego"][1]

    def order(self, directory, pebble, name):
        command = [self._program, "--server", pebble.directory_url, "--email", f"admin@{name}"]
        command += ["--domains", name, "--accept-tos", "--path", directory]
        command += ["--http", "--http.port", f"127.0.0.1:{pebble.http_port}", "run", "--profile", "classic"]
        return command, clean_environment(LEGO_CA_CERTIFICATES=pebble.tls_root)

    def certificates(self, directory):
        found = glob.glob(os.path.join(directory, "certificates", "*.crt"))
        return [path for path in found if not path.endswith(".issuer.crt")]


class Uacme(Client):
    """uacme from Debian: two runs, the account and the certificate, and a hook that writes into a webroot.

    Its libcurl reads Debian's list of roots only, so it runs with the test root mounted over that list, in a mount
    namespace of its own.
    """

    name = "uacme"
    webroot = True
    note = (
        "two runs (new, issue) of one shell; the web server is not counted; it gives up where a challenge without "
        "a token comes before http-01 in Pebble's shuffled list, and only runs that were spared that are counted"
    )
    tries = 60

    def install(self):
        needs.install("bench issue uacme")
        self._program = shutil.which("uacme") or "/usr/bin/uacme"
        probe = subprocess.run(
            ["unshare", "-rm", "true"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if probe.returncode:
            raise Stop("uacme needs a mount namespace to trust a test root, and this machine allows none")

    def version(self):
        return debian.installed("uacme")

    def prepare(self, directory, pebble):
        self._hook = os.path.join(directory, "hook")
        challenges = os.path.join(directory, "www", ".well-known", "acme-challenge")
        with open(self._hook, "w") as file:
            # $1 begin|done|failed  $2 type  $3 identifier  $4 token  $5 key authorization
            file.write(f'#!/bin/sh\n[ "$2" = http-01 ] || exit 1\ncd {challenges} || exit 1\n')
            file.write('case "$1" in begin) printf %s "$5" > "$4" ;; *) rm -f "$4" ;; esac\n')
        os.chmod(self._hook, 0o700)

    def order(self, directory, pebble, name):
        uacme = f"{self._program} -c {directory}/conf -a {pebble.directory_url} -t EC -b 256"
        script = f"mount --bind {pebble.tls_root} {_DEBIAN_ROOTS} && "
        script += f"{uacme} -y new && {uacme} -h {self._hook} issue {name}"
        return ["unshare", "-rm", "sh", "-c", script], clean_environment()

    def certificates(self, directory):
        return glob.glob(os.path.join(directory, "conf", "*", "cert.pem"))


class AcmeTiny(Client):
    """acme-tiny: the user makes account key, certificate key and CSR with openssl first, and runs a web server."""

    name = "acme-tiny"
    webroot = True
    note = "keys and CSR made beforehand by openssl, and the web server, are not counted; its account key is RSA 2048"

    def install(self):
        needs.install("bench issue acme-tiny")
        self._venv = venv.environment("bench-acme-tiny")

    def version(self):
        return venv.pinned("acme-tiny").split()[0].split("==")[1]

    def prepare(self, directory, pebble):
        account, key = os.path.join(directory, "account.key"), os.path.join(directory, "cert.key")
        quiet(["openssl", "genrsa", "-out", account, "2048"], "openssl could not make a key.")
        quiet(
            ["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-out", key],
            "openssl could not make a key.",
        )

    def order(self, directory, pebble, name):
        csr = os.path.join(directory, "csr.pem")
        words = [
            "openssl",
            "req",
            "-new",
            "-key",
            os.path.join(directory, "cert.key"),
            "-subj",
            "/",
            "-out",
            csr,
        ]
        quiet([*words, "-addext", f"subjectAltName=DNS:{name}"], "openssl could not make a CSR.")
        command = [os.path.join(self._venv, "bin", "acme-tiny"), "--quiet", "--disable-check"]
        command += ["--account-key", os.path.join(directory, "account.key"), "--csr", csr]
        command += ["--acme-dir", os.path.join(directory, "www", ".well-known", "acme-challenge")]
        command += ["--directory-url", pebble.directory_url]
        return command, clean_environment(SSL_CERT_FILE=pebble.tls_root)

    def certificates(self, directory):
        return []  # on its stdout


class Ipcert(Client):
    """ipcert, as built and installed: a wheel, not the checkout."""

    name = "ipcert"

    def install(self):
        needs.install("bench issue ipcert")
        self._venv = wheel.installed()

    def version(self):
        return quiet([self._script(), "--version"], "ipcert does not run.").split()[-1]

    def prepare(self, directory, pebble):
        self._config = os.path.join(directory, "ipcert.toml")

    def order(self, directory, pebble, name):
        with open(self._config, "w") as file:
            file.write(f'[ca]\ndirectory = "{pebble.directory_url}"\nroots = "{pebble.tls_root}"\n')
            file.write("test = true\nagree_terms = true\n\n")
            file.write(f'[identifiers]\nnames = ["{name}"]\n\n[policy]\nfirst_delay = "0s"\n\n')
            file.write(f'[state]\ndir = "{directory}/state"\n\n[deploy]\ndir = "{directory}/live"\n\n')
            file.write(f'[http01]\nlisten = ["127.0.0.1:{pebble.http_port}"]\n')
        return [self._script(), "issue", "--config", self._config], clean_environment()

    def certificates(self, directory):
        return glob.glob(os.path.join(directory, "live", "**", "*.pem"), recursive=True)

    def _script(self):
        return os.path.join(self._venv, "bin", "ipcert")


ALL = (Ipcert, Certbot, Lego, Uacme, AcmeTiny)
