"""A home for tests: a folder with a configuration, and `ipcert` run in it as its owner would run it."""

import datetime
import hashlib
import json
import os
import subprocess
import sys
import time

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ipcert.journal import Slots
from ipcert_port.port.state import State

SECTIONS = (
    "ca",
    "identifiers",
    "policy",
    "challenge",
    "address",
    "state",
    "http01",
    "tlsalpn",
    "dns",
    "deploy",
    "serve",
    "fleet",
)


class Home:
    """`folder` (a pathlib.Path) and the `pebble` that is its CA. Settings are changed with `configure` or `wish`.

    wishes    section -> key -> value as Python has it; written to `config` by `configure`
    """

    def __init__(self, folder, pebble=None, names=(), addresses=("127.0.0.1",)):
        self.folder = folder
        self.config = str(folder / "ipcert.toml")
        self.wishes = {section: {} for section in SECTIONS}
        self.wishes["ca"] = {"test": True, "agree_terms": True}
        self.wishes["identifiers"] = {"names": list(names), "addresses": list(addresses)}
        self.wishes["state"] = {"dir": "state"}
        self.wishes["deploy"] = {"dir": "live"}
        if pebble is not None:
            self.use(pebble)
        self.configure()

    def use(self, pebble):
        """Make this Pebble the CA."""
        self.wishes["ca"].update(directory=pebble.directory_url, roots=pebble.tls_root)
        port = pebble.http_port
        self.wishes["http01"]["listen"] = ["127.0.0.1:%d" % port, "[::1]:%d" % port]

    def wish(self, section, **values):
        """Change settings and write the configuration."""
        self.wishes[section].update(values)
        self.configure()

    def configure(self):
        """Write the configuration. JSON's texts, numbers and lists of texts are TOML's too."""
        lines = []
        for section in SECTIONS:
            lines.append("[%s]" % section)
            for key in self.wishes[section]:
                lines.append("%s = %s" % (key, json.dumps(self.wishes[section][key])))
        with open(self.config, "w") as file:
            file.write("\n".join(lines) + "\n")

    def command(self, *words):
        return [sys.executable, "-m", "ipcert_port", words[0], "--config", self.config, *words[1:]]

    def run(self, *words, timeout=120, **options):
        """Run `ipcert WORDS` to its end; stdout and stderr as text."""
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=timeout, **options
        )

    def start(self, *words, **options):
        """Start `ipcert WORDS` and return the Popen."""
        return subprocess.Popen(
            self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )

    def json(self, *words, code=0, **options):
        """Run with --json; the object, after the exit code was checked."""
        done = self.run(*words, "--json", **options)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def state(self):
        return State(str(self.folder / "state"))

    def record(self, ids):
        """The journal's record for a lineage, by its identifiers as text."""
        return [r for r in self.state().records() if r.identifiers_text.text() == ids][0]

    def rewrite(self, change):
        """Write the journal anew after `change(journal)`, as a device would."""
        state = State(str(self.folder / "state"))
        slots = Slots(state.journal)
        slots.load(state.read)
        change(state.journal)
        n = slots.encode()
        (self.folder / "state" / slots.name).write_bytes(bytes(slots.data[:n]))

    def deployed(self):
        """Everything under the deploy folder: relative path -> (bytes, mtime in ns, mode); links: their target."""
        out = {}
        top = str(self.folder / "live")
        for where, folders, files in os.walk(top):
            for name in folders + files:
                path = os.path.join(where, name)
                if os.path.islink(path):
                    out[os.path.relpath(path, top)] = os.readlink(path)
                elif os.path.isfile(path):
                    with open(path, "rb") as file:
                        seen = os.stat(path)
                        out[os.path.relpath(path, top)] = (
                            file.read(),
                            seen.st_mtime_ns,
                            seen.st_mode & 0o777,
                        )
        return out

    def leaf(self, name):
        """The deployed certificate of a lineage, read by `cryptography`."""
        return x509.load_pem_x509_certificate((self.folder / "live" / name / "cert.pem").read_bytes())


def spki(public):
    """SHA-256 of a public key's SubjectPublicKeyInfo, in hex."""
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def validity(certificate):
    """(not before, not after) in Unix seconds, from any version of `cryptography`."""
    begin, end = (
        getattr(certificate, name + "_utc", None)
        or getattr(certificate, name).replace(tzinfo=datetime.timezone.utc)
        for name in ("not_valid_before", "not_valid_after")
    )
    return begin.timestamp(), end.timestamp()


def sans(certificate):
    """(names, addresses) of a certificate or CSR, as lists of text."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return found.get_values_for_type(x509.DNSName), [
        str(a) for a in found.get_values_for_type(x509.IPAddress)
    ]


def sentence(done):
    """The one line that a failed command left on stderr, checked to be a whole sentence of ours."""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("ipcert: ") and lines[0][-1] in ".?", lines[0]
    assert "Traceback" not in lines[0] and len(lines[0]) > 30
    return lines[0]


# The daemon.

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
_PACKAGES = ("", "ports/cpython", "ports/urequests_compat", "ports/ucryptolib_shim")


def until(what, seconds):
    """Wait for `what()` to be true; a file or record that is not there yet counts as false."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if what():
                return True
        except (FileNotFoundError, IndexError):
            pass
        time.sleep(0.05)
    return False


def stat(pid):
    """(CPU ticks, resident KB, modules' file names in its memory map)."""
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    with open("/proc/%d/status" % pid) as file:
        rss = [int(line.split()[1]) for line in file if line.startswith("VmRSS")][0]
    with open("/proc/%d/maps" % pid) as file:
        maps = file.read()
    return int(fields[11]) + int(fields[12]), rss, maps


def children(pid):
    """The numbers, as texts, of a process's children."""
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return file.read().split()


def started(pid):
    """The Unix second (with its fraction, to a tick) at which a process was started, as the kernel noted it."""
    with open("/proc/%s/stat" % pid) as file:
        ticks = int(file.read().rsplit(")", 1)[1].split()[19])
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + ticks / os.sysconf("SC_CLK_TCK")


def uncovered():
    """The environment without coverage: a child that is killed while it writes its database leaves a damaged one."""
    return {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}


class Daemons:
    """Starts `ipcert run` for homes; all of them end with the `with` block."""

    def __init__(self):
        self._started = []

    def run(self, home, task_wait=None):
        """Start one; its Popen. task_wait: what its children have for limits.TASK_WAIT, in seconds."""
        # Coverage would be in the daemon's memory and CPU time, and a .pth file brings it: so without site (-S), whose
        # work PYTHONPATH does. The daemon's child does the work that counts.
        clean = uncovered()
        clean["PYTHONPATH"] = os.pathsep.join(
            [*(os.path.join(_ROOT, p) for p in _PACKAGES), *filter(None, sys.path)]
        )
        if task_wait is not None:
            (home.folder / "site").mkdir()
            text = "from ipcert import limits\n\nlimits.TASK_WAIT = %d\n" % task_wait
            (home.folder / "site" / "sitecustomize.py").write_text(text)
            clean["PYTHONPATH"] = "%s:%s" % (home.folder / "site", clean["PYTHONPATH"])
        command = home.command("run")
        command.insert(1, "-S")
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self._started.append(subprocess.Popen(command, env=clean, **pipes))
        return self._started[-1]

    def __enter__(self):
        return self

    def __exit__(self, *what):
        for daemon in self._started:
            daemon.kill()
            daemon.communicate()
