"""tools/vendor demo: the vendored tree as a router runs it, on emulated ARM and big-endian MIPS, before a real Pebble.

Installed by the OpenWrt package's own Makefile, with stand-ins for OpenWrt's build system; procd, uci and netifd are not
here, so the service is started as its init script starts it. What serves HTTPS on a router is not ours (uhttpd, nginx):
what counts is what lies in /etc/ssl/acme. Debian's nginx serves it here, as the tree's nginx.example.conf says.
"""

import argparse
import contextlib
import json
import lzma
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tools.lib import loopback, needs
from tools.lib.build import micropython
from tools.lib.build import router as build_router
from tools.lib.ca.certificates import spki
from tools.lib.ca.pebble import Pebble
from tools.lib.say import Stop, note
from tools.lib.vendor import nginx
from tools.lib.vendor import tree as vendor_tree

NAME, ADDRESS = "home.janet.example", "127.0.0.1"
FILES = ("crt", "fullchain.crt", "chain.crt", "combined.crt", "key")
HEAP = "640k"
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_COMPRESS = 302400  # the first delay of two weeks becomes four seconds
_PATIENCE = 180  # seconds for what takes a few on a quiet machine
_STAND_IN = """
INSTALL_DIR:=install -d -m0755
INSTALL_BIN:=install -m0755
INSTALL_DATA:=install -m0644
INSTALL_CONF:=install -m0600
CP:=cp -fpR
define BuildPackage
install:
$(call Package/$(1)/install,$(DESTDIR))
endef
"""
_CONFIG = """config ipcert 'main'
	option enabled '1'
	option agree_terms '1'
	option test '1'
	option compress '%(compress)d'
	option directory '%(directory)s'
	option roots '%(roots)s'
	option port '%(port)d'
	list listen '127.0.0.1'
	list names '%(name)s'
	option interface 'lo'
	option state_dir '%(root)s/etc/ipcert'
	option cert_dir '%(root)s/etc/ssl/acme'
	option run_dir '%(root)s/var/run/ipcert'
	option helpers '%(root)s/usr/lib/ipcert'
"""
_HOTPLUG = """#!/bin/sh
%s
echo "$ACTION $IPCERT_NAME" >>"%s"
"""


def install(tree, root):
    """Install a vendored tree into the folder `root`, by its own Makefile. Raises Stop."""
    needs.install("vendor demo")
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "rules.mk").write_text("")
        (Path(scratch) / "package.mk").write_text(_STAND_IN)
        variables = ["TOPDIR=" + scratch, "INCLUDE_DIR=" + scratch, "DESTDIR=%s" % root]
        command = ["make", "-s", "-C", str(tree), *variables, "install"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Stop("The package's Makefile failed: %s" % done.stdout.strip()[-300:])


class Memory(threading.Thread):
    """The most that the emulated process had in memory, looked at again and again. `most`: bytes."""

    def __init__(self, pid, interpreter):
        super().__init__(daemon=True)
        self.most = 0
        self._folder = "/proc/%d" % pid
        self._interpreter = os.path.realpath(interpreter)
        self._over = threading.Event()

    def run(self):
        while not self._over.wait(0.1):
            with contextlib.suppress(OSError, ValueError):
                self.most = max(self.most, self._resident())

    def _resident(self):
        """Resident bytes of the guest's part of QEMU's address space: 4 GB from where its program is mapped."""
        total = 0
        start = None
        inside = False
        with open(self._folder + "/smaps") as file:
            for line in file:
                words = line.split()
                if "-" in words[0] and not words[0].endswith(":"):
                    low = int(words[0].split("-")[0], 16)
                    if start is None and words[-1] == self._interpreter:
                        start = low
                    inside = (
                        start is not None and start <= low < start + (1 << 32) and words[-1][:5] != "/usr/"
                    )
                    inside = inside and words[-1] != "[heap]" and low < 0x500000000000
                elif inside and words[0] == "Rss:":
                    total += int(words[1]) * 1024
        return total

    def end(self):
        """Stop looking; returns `most`."""
        self._over.set()
        self.join()
        return self.most


class Router:
    """One emulated router: an installed tree with a configuration, and the service in it while a `with` lasts."""

    def __init__(self, program, folder, pebble, interpreter=None, tree=None, **options):
        self.folder = Path(folder)
        self.root = self.folder / "root"
        self.tree = tree or self.folder / "ipcert"
        if tree is None:
            vendor_tree.write(str(self.tree), mpy=True)
        install(self.tree, self.root)
        self.live = self.root / "etc/ssl/acme"
        self.events = self.folder / "events"
        self.log = self.folder / "log"
        self.most = 0
        self._interpreter = interpreter
        self._child = None
        self.hotplug(":")
        self.config = self.root / "etc/config/ipcert"
        values = {
            "compress": _COMPRESS,
            "directory": pebble.directory_url,
            "roots": self._roots(pebble),
            "port": pebble.http_port,
            "name": NAME,
            "root": self.root,
        }
        more = "".join("\toption %s '%s'\n" % pair for pair in options.items())
        self.config.write_text(_CONFIG % values + more)
        self._environment = dict(
            os.environ,
            PATH="%s:%s" % (self.folder / "bin", os.environ["PATH"]),
            IPCERT_MICROPYTHON=str(program),
            IPCERT_TREE=str(self.root / "usr/lib/ipcert/python"),
            IPCERT_HEAP=HEAP,
        )

    def hotplug(self, command):
        """Have /etc/hotplug.d/acme run `command`, and note what it was told."""
        program = self.folder / "bin/hotplug-call"
        program.parent.mkdir(exist_ok=True)
        program.write_text(_HOTPLUG % (command, self.events))
        program.chmod(0o755)

    def _roots(self, pebble):
        """The CA's root at the end of as many others as a router has: they take memory too."""
        path = self.folder / "roots.pem"
        path.write_bytes(Path(_BUNDLE).read_bytes() + Path(pebble.tls_root).read_bytes())
        return path

    def command(self, *words):
        """The command line of `ipcert WORDS` as an owner would type it."""
        return [str(self.root / "usr/sbin/ipcert"), "--config", str(self.config), *words]

    def run(self, *words):
        """(exit status, output) of a command."""
        done = subprocess.run(
            self.command(*words),
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE,
        )
        return done.returncode, done.stdout

    def set_clock(self):
        """Tell what the NTP client would: the clock is right."""
        (self.root / "var/run/ipcert").mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.root / "var/run/ipcert/clock-is-set").write_text("")

    def __enter__(self):
        with open(self.log, "ab") as log:
            self._child = subprocess.Popen(
                self.command("run"), env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._memory = Memory(self._child.pid, str(self._interpreter)) if self._interpreter else None
        if self._memory:
            self._memory.start()
        return self

    def __exit__(self, *exception):
        self._child.send_signal(signal.SIGKILL)
        self._child.wait()
        if self._memory:
            self.most = max(self.most, self._memory.end())

    def wait(self, condition, what):
        """Wait until `condition()` is true. Raises Stop when it does not come true, or the service ended."""
        good = loopback.wait_until(lambda: condition() or self._child.poll() is not None, _PATIENCE, 0.1)
        if not good or not condition():
            raise Stop("%s: %s" % (what, self.log.read_text()[-1500:]))

    def chain(self, name):
        """The deployed chain as bytes, or None."""
        try:
            return (self.live / (name + ".fullchain.crt")).read_bytes()
        except OSError:
            return None

    def told(self):
        """The hotplug events so far, as lines."""
        return self.events.read_text().split("\n")[:-1] if self.events.exists() else []

    def plans(self):
        """{first identifier: second of the next act}, as `ipcert status --json` says."""
        status, text = self.run("status", "--json")
        if status:
            raise Stop("ipcert status failed: %s" % text)
        return {c["identifiers"][0]: c["next"] for c in json.loads(text)["certificates"]}


def check(router, pebble):
    """What is wrong with what is deployed, as sentences."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    found, keys = [], set()
    for name in (NAME, ADDRESS):
        files = {file: (router.live / ("%s.%s" % (name, file))) for file in FILES}
        leaf = x509.load_pem_x509_certificate(files["crt"].read_bytes())
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if [str(n.value) for n in names] != [name]:
            found.append("The certificate for %s is for %s." % (name, names))
        verified = subprocess.run(
            ["openssl", "verify", "-CAfile", pebble.root(), "-untrusted", files["chain.crt"], files["crt"]],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if verified.returncode:
            found.append("%s does not chain to the CA's root: %s" % (name, verified.stdout.strip()))
        key = serialization.load_pem_private_key(files["key"].read_bytes(), None).public_key()
        if spki(key) != spki(leaf.public_key()):
            found.append("%s: key and certificate do not belong together." % name)
        keys.add(spki(key))
        if (
            files["fullchain.crt"].read_bytes() + files["key"].read_bytes()
            != files["combined.crt"].read_bytes()
        ):
            found.append("%s: the combined file is not chain and key." % name)
        if files["key"].stat().st_mode & 0o077 or files["combined.crt"].stat().st_mode & 0o077:
            found.append("%s: others can read the key." % name)
    if len(keys) != 2:
        found.append("The two certificates share a key.")
    return found


def check_served(router, server, pebble):
    """What is wrong with what strangers see on port 443, as sentences. After a reload nginx's old processes still answer
    for a moment, so each thing may take its time to become true."""
    root = pebble.root()

    def right(asked, name):
        texts, pem = nginx.served(server.port, asked, root)
        return texts == [name] and (router.live / (name + ".crt")).read_bytes().split() == pem.split()

    wanted = (
        ("Without a server name the address's certificate is not served.", lambda: right(None, ADDRESS)),
        ("With the name its certificate is not served.", lambda: right(NAME, NAME)),
        (
            "Another server name is not refused with unrecognized_name.",
            lambda: (
                nginx.served(server.port, "else.janet.example", root) == ("TLSV1_UNRECOGNIZED_NAME", None)
            ),
        ),
        (
            "Another Host is not answered with 421.",
            lambda: nginx.status(server.port, NAME, ADDRESS, root) == 421,
        ),
    )
    return [text for text, is_so in wanted if not loopback.wait_until(is_so, 60, 0.2)]


def job(processor, folder, pebble):
    """The whole story on one processor; returns what is printed about it. Raises Stop."""
    interpreter = micropython.interpreter(processor=processor)
    router = Router(build_router.emulated(processor), folder, pebble, interpreter)
    router.set_clock()
    server = nginx.Nginx(
        Path(folder) / "nginx", router.live, NAME, ADDRESS, router.tree / "nginx.example.conf"
    )
    router.hotplug(server.reload)
    started = time.monotonic()
    orders = []
    with server, router:
        router.wait(lambda: router.chain(NAME) and router.chain(ADDRESS), "No two certificates")
        router.wait(lambda: len(router.told()) == 2, "Nobody was told")
        issued = time.monotonic() - started
        problems = check(router, pebble) + check_served(router, server, pebble)
        before = router.chain(NAME), router.chain(ADDRESS)
        router.run("renew", ADDRESS)
        router.wait(lambda: router.chain(ADDRESS) != before[1], "No renewal")
        router.wait(lambda: len(router.told()) == 3, "Nobody was told of the renewal")
        if router.chain(NAME) != before[0]:
            problems.append("The name's certificate was renewed with the address's.")
        problems += check(router, pebble) + check_served(router, server, pebble)
        plans = router.plans()
        orders.append(_orders(pebble))
    # Power: SIGKILL, and everything again from what lies in the flash.
    with router:
        router.wait(lambda: _orders(pebble) >= orders[0] and _up(router), "It does not come up again")
        if router.plans() != plans:
            problems.append("Plans were drawn again after the restart.")
    if _orders(pebble) != orders[0]:
        problems.append("Something was ordered again after the restart.")
    if router.told() != ["issued " + ADDRESS, "issued " + NAME, "renewed " + ADDRESS]:
        problems.append("The hooks were told: %s." % ", ".join(router.told()))
    return {
        "processor": processor,
        "byteorder": "big" if processor == "mips" else "little",
        "issued_seconds": round(issued, 1),
        "resident": router.most,
        "heap": HEAP,
        "problems": problems,
    }


def _up(router):
    return router.log.read_bytes().count(b"ipcert: ready") == 2


def _orders(pebble):
    """How many new orders the CA has seen."""
    return sum(name.startswith("/order-plz") for method, name in pebble.requests() if method == "POST")


def size(folder, processor):
    """Bytes of the installed tree, with and without compression, and of the interpreter; {name: bytes}."""
    tree = Path(folder) / "root/usr"
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    data = b"".join(path.read_bytes() for path in files)
    program = micropython.interpreter(processor=processor).read_bytes()
    return {
        "files": len(files),
        "tree": len(data),
        "tree_xz": len(lzma.compress(data)),
        "interpreter": len(program),
        "interpreter_xz": len(lzma.compress(program)),
    }


def main(argv):
    """The command. Returns an exit status."""
    parser = argparse.ArgumentParser(prog="tools/vendor demo", description=__doc__.split("\n\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--processor", choices=sorted(micropython.CROSS), action="append", help="only this one"
    )
    args = parser.parse_args(argv)
    results = []
    for processor in args.processor or sorted(micropython.CROSS):
        note(
            "%s: a router with %d MB asks for %s and its own address" % (processor, build_router.MEMORY, NAME)
        )
        with tempfile.TemporaryDirectory(prefix="ipcert-router-") as folder:
            with Pebble(nonce_reject=5) as pebble:
                results.append(job(processor, folder, pebble))
            results[-1]["flash"] = size(folder, processor)
    if args.json:
        print(json.dumps({"routers": results}))
    for one in results:
        if not args.json:
            _show(one)
        for problem in one["problems"]:
            print("%s: %s" % (one["processor"], problem), file=sys.stderr)
    return 1 if any(one["problems"] for one in results) else 0


def _show(one):
    flash = one["flash"]
    print(
        "%(processor)s (%(byteorder)s-endian): two certificates in %(issued_seconds).0f s, served apart, one renewed, plans kept."
        % one
    )
    print(
        "  flash: tree %(tree)d bytes (xz %(tree_xz)d), interpreter with TLS and signer %(interpreter)d (xz %(interpreter_xz)d)"
        % flash
    )
    print("  memory: %(resident)d bytes resident at most, with a heap of %(heap)s" % one)
