"""No mode depends on the umask: web servers and the CA reach what is public, nobody reads a key, nobody else may write."""

import ast
import contextlib
import ctypes
import functools
import http.server
import os
import stat
import subprocess
import sys
import threading

import pytest
from home import Home, until

from ipcert_port.port import files
from tools.lib import cache

UMASKS = (0o077, 0o027, 0o000, 0o777)
NAME = "nas.janet.example"
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2  # capability.h
_CAPBSET_DROP = 24


def each(*first):
    """A test of each umask; in `./tools/test` of the `first` alone."""
    masks = [mask if mask in first else pytest.param(mask, marks=pytest.mark.full) for mask in UMASKS]
    return pytest.mark.parametrize("umask", masks, ids=["%03o" % mask for mask in UMASKS])


def unprivileged(umask):
    """For a child before its program starts: take the umask, and lose root's power over modes."""

    def prepare():
        os.umask(umask)
        if os.geteuid() == 0:
            for capability in (_DAC_OVERRIDE, _DAC_READ_SEARCH):
                if ctypes.CDLL(None, use_errno=True).prctl(_CAPBSET_DROP, capability, 0, 0, 0):
                    os._exit(99)

    return prepare


def modes(folder):
    """relative path -> mode, of everything below `folder`."""
    found = {}
    for where, folders, names in os.walk(folder):
        for name in folders + names:
            path = os.path.join(where, name)
            if not os.path.islink(path):
                found[os.path.relpath(path, folder)] = stat.S_IMODE(os.lstat(path).st_mode)
    return found


class Seen(http.server.SimpleHTTPRequestHandler):
    """A web server's answers, and the modes of what it was to serve at that moment."""

    modes = {}

    def do_GET(self):
        path = self.translate_path(self.path)
        self.modes[path] = stat.S_IMODE(os.stat(path).st_mode)
        super().do_GET()

    def log_message(self, *words):
        pass


@contextlib.contextmanager
def web_server(port, root):
    Seen.modes = {}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Seen, directory=root))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@each(0o077, 0o000, 0o777)
def test_an_order_leaves_the_modes_that_are_meant(pebble, tmp_path, umask):
    home = Home(tmp_path, pebble)
    home.wish("state", dir="made/for/state")
    copies = ["*/combined.pem:made/for/copies/{name}.pem", "*/cert.pem:made/public/{name}.crt"]
    home.wish("deploy", dir="made/for/live", copy=copies)
    home.wish("http01", webroot="made/www")
    with web_server(pebble.http_port, str(tmp_path / "made" / "www")) as server:
        for _ in range(2):  # the second finds what the first left
            done = home.run("issue", "--now", "127.0.0.1", preexec_fn=unprivileged(umask))
            assert done.returncode == 0, done.stderr
    assert set(server.modes.values()) == {0o644}
    found = modes(tmp_path / "made")
    state = {path: mode for path, mode in found.items() if path.startswith("for/state")}
    assert state.pop("for/state") == 0o700 and set(state.values()) == {0o600}
    for path, mode in found.items():
        if path not in state and path != "for/state":
            secret = path.endswith(("privkey.pem", ".pem")) and not path.endswith(("cert.pem", "chain.pem"))
            folder = os.path.isdir(tmp_path / "made" / path)
            assert mode == (0o755 if folder else 0o600 if secret else 0o644), (path, oct(mode))
    assert stat.S_IMODE(os.stat(tmp_path / "made").st_mode) == 0o755


@each(0o777)
def test_tls_alpn_and_what_init_and_ipcert_nginx_write(pebble, tmp_path, umask):
    home = Home(tmp_path, pebble)
    home.wishes["challenge"] = {"name": "tls-alpn-01", "address": "tls-alpn-01"}
    home.wish("tlsalpn", listen=["127.0.0.1:%d" % pebble.tls_port])
    options = {"preexec_fn": unprivileged(umask)}
    done = home.run("issue", **options)
    assert done.returncode == 0, done.stderr
    # The folder that a shared port 443 reads from.
    script = (
        "from ipcert_port.solvers.shelf import Shelf; Shelf('made/shelf').publish('a.example', b'k', b'c')"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, **options)
    command = [
        sys.executable,
        "-m",
        "ipcert_port.deploy.nginx",
        "--config",
        home.config,
        "--write",
        "made/nginx",
    ]
    subprocess.run(command, cwd=tmp_path, check=True, **options)
    command = [
        sys.executable,
        "-m",
        "ipcert_port",
        "init",
        "--config",
        "made/ipcert.toml",
        "--name",
        "a.example.net",
    ]
    subprocess.run(command, cwd=tmp_path, check=True, **options)
    assert modes(tmp_path / "made") == {
        "shelf": 0o700,
        "shelf/a.example.pem": 0o600,
        "nginx": 0o755,
        "nginx/stream.conf": 0o644,
        "nginx/http.conf": 0o644,
        "ipcert.toml": 0o644,
    }


@each(0o777)
def test_the_daemon_makes_its_folder_closed(pebble, tmp_path, umask):
    home = Home(tmp_path, pebble)
    home.wish("state", dir="made/state")
    process = home.start("run", preexec_fn=unprivileged(umask))
    try:
        assert until(lambda: os.path.exists(tmp_path / "live" / "127.0.0.1"), 60)
    finally:
        process.terminate()
        process.wait(60)
    found = modes(tmp_path / "made")
    assert found.pop("state") == 0o700 and set(found.values()) == {0o600}
    assert {oct(mode) for path, mode in modes(tmp_path / "live").items() if "/" not in path} == {"0o755"}


@pytest.mark.quick
@each(*UMASKS)
def test_folders_above_are_public_and_what_is_there_stays(tmp_path, umask):
    old = os.umask(umask)
    try:
        os.mkdir(tmp_path / "there")
        os.chmod(tmp_path / "there", 0o711)
        files.folder(str(tmp_path / "there" / "a" / "b"), 0o700)
        with open(files.create(str(tmp_path / "there" / "file"), 0o640), "wb") as file:
            file.write(b"x")
        os.chmod(tmp_path / "there" / "file", 0o666)
        os.close(files.create(str(tmp_path / "there" / "file"), 0o600))
    finally:
        os.umask(old)
    assert modes(tmp_path) == {"there": 0o711, "there/a": 0o755, "there/a/b": 0o700, "there/file": 0o600}
    with pytest.raises(FileExistsError):
        files.folder(str(tmp_path / "there" / "file"))


@pytest.mark.quick
def test_nothing_else_of_the_port_makes_folders_or_opens_files_to_write():
    """Of the kind, not of the cases: a call added later is found here."""
    wrong = []
    root = os.path.join(cache.ROOT, "ports", "cpython", "ipcert_port")
    for where, _, names in os.walk(root):
        for name in sorted(n for n in names if n.endswith(".py")):
            path = os.path.join(where, name)
            if path.endswith(os.path.join("port", "files.py")):
                continue
            with open(path) as file:
                tree = ast.parse(file.read())
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and _creates(node):
                    wrong.append("%s:%d: %s" % (os.path.relpath(path, root), node.lineno, ast.unparse(node)))
    assert wrong == []


def _creates(call):
    called = ast.unparse(call.func)
    text = ast.unparse(call)
    if called in ("os.mkdir", "os.makedirs", "os.mknod", "os.mkfifo", "tempfile.mkdtemp"):
        return True
    if called == "os.open":
        return "O_CREAT" in text
    if called in ("open", "io.open"):
        writes = (
            len(call.args) > 1
            and isinstance(call.args[1], ast.Constant)
            and set(call.args[1].value) & set("wax+")
        )
        # What is open has its mode already.
        return bool(writes) and ast.unparse(call.args[0]).split("(")[0] not in ("fd", "write", "files.create")
    return called.endswith((".mkdir", ".write_text", ".write_bytes"))
