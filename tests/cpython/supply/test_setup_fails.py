"""Setting up where it cannot work: each ends in one sentence that says what to do, and leaves no broken cache behind."""

import hashlib
import http.server
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import zipfile

import pytest

from tools.lib import cache, debian, needs, say, venv

# Makes the environment "made" of the one package that is asked for, as every environment is made.
MAKE = """
import sys
sys.path.insert(0, {root!r})
from tools.lib import cache, say, venv
words = ["--group", {project!r} + ":a"]
say.main(lambda: cache.once(cache.path("made"), lambda target: venv.fill(target, *words, lock={lock!r})) and None)
"""


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache of the test's own, which has uv already, and with what `MAKE` reads beside it. Its path."""
    program = venv.program()
    own = tmp_path / "cache"
    own.mkdir()
    (own / os.path.basename(program)).symlink_to(program)
    monkeypatch.setenv("IPCERT_CACHE", str(own))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    for name in ("PIP_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    wheel = tmp_path / "six-1.17.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("six.py", os.urandom(3 << 20).hex())  # 6 MB
        file.writestr("six-1.17.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: six\nVersion: 1.17.0\n")
        file.writestr("six-1.17.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr("six-1.17.0.dist-info/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (tmp_path / "lock.txt").write_text(f"six==1.17.0 --hash=sha256:{digest}\n")
    project = '[project]\nname = "x"\nversion = "1"\n\n[dependency-groups]\na = ["six"]\n'
    (tmp_path / "pyproject.toml").write_text(project)
    return own


def command(folder):
    """The words that run MAKE."""
    names = {"project": str(folder / "pyproject.toml"), "lock": str(folder / "lock.txt")}
    return [sys.executable, "-c", MAKE.format(root=cache.ROOT, **names)]


def here(folder, **variables):
    """The environment in which the package comes from `folder`."""
    return dict(os.environ, UV_NO_INDEX="1", UV_FIND_LINKS=str(folder), **variables)


def works(folder):
    """That the next run makes the environment."""
    done = subprocess.run(command(folder), env=here(folder), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert cache.is_ready(cache.path("made"))
    done = subprocess.run(
        [venv.python(cache.path("made")), "-c", "import importlib.util as u; u.find_spec('six').origin"]
    )
    assert done.returncode == 0


def sentence(words):
    """The one line that is left when what was done is taken away."""
    lines = [line for line in words.splitlines() if not line.startswith("making ")]
    assert len(lines) == 1, words
    return lines[0]


def closed():
    """An index on this machine where nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}/simple"


@pytest.fixture
def index():
    """A function that starts an index that answers by `answer(handler)`, and returns its URL."""
    running = []

    def start(answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            do_GET = answer

            def log_message(self, *words):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        running.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/simple"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


NOWHERE = "It cannot be reached over the network: connect this machine"
MISSING = "The registry does not have it"


@pytest.mark.parametrize("answers, advice", [(False, NOWHERE), (True, MISSING)])
def test_an_index_that_is_not_there_or_has_nothing(own_cache, index, tmp_path, answers, advice):
    url = index(lambda handler: handler.send_error(404)) if answers else closed()
    done = subprocess.run(
        command(tmp_path), env=dict(os.environ, PIP_INDEX_URL=url), capture_output=True, text=True
    )
    assert done.returncode == 2 and advice in sentence(done.stderr)
    assert not os.path.exists(cache.path("made"))
    works(tmp_path)


def test_uv_itself_cannot_be_had(own_cache, monkeypatch):
    for path in own_cache.iterdir():
        path.unlink()
    monkeypatch.setenv("PIP_INDEX_URL", closed())
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(say.Stop) as caught:
        venv.uv(["--version"], "uv does not run.")
    assert str(caught.value).startswith("pip could not install uv. " + NOWHERE)
    assert [path.name for path in own_cache.iterdir()] == ["locks"]


def test_a_full_disk(own_cache, tmp_path):
    """Three megabytes of memory as a disk, in a mount namespace; then it has room."""
    script = """set -e; mkdir -p "$0"; mount -t tmpfs -o size=3m tmpfs "$0"; cp -P "$1"/* "$0"; export IPCERT_CACHE="$0"
set +e; shift; "$@"; echo "status $?"; ls "$0"; mount -o remount,size=64m "$0"; "$@" 2>&1; echo "status $?"; ls "$0" """
    words = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c", script]
    words += [str(tmp_path / "disk"), str(own_cache), *command(tmp_path)]
    done = subprocess.run(
        words, env=here(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if "unshare failed" in done.stderr or "permission denied" in done.stderr:
        pytest.skip("this machine gives no mount namespace of one's own")
    first, second = done.stdout.split("status 2\n")
    assert first == "" and "The disk is full: make room" in sentence(done.stderr), done.stderr
    assert "made" not in second.split("making")[0].split()
    assert second.splitlines()[-1] == sorted(second.split("status 0\n")[1].split())[-1] and "made" in second


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_set_up(own_cache, index, tmp_path, number):
    asked, ended = threading.Event(), threading.Event()

    def stall(handler):
        asked.set()
        handler.connection.settimeout(60)
        handler.connection.recv(1)  # nothing more is said: this ends with the program that asked
        ended.set()

    child = subprocess.Popen(
        command(tmp_path),
        env=dict(os.environ, PIP_INDEX_URL=index(stall)),
        stderr=subprocess.PIPE,
        text=True,
        # What a shell runs in the background ignores Ctrl-C, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert asked.wait(60)
    child.send_signal(number)
    said = child.communicate(timeout=60)[1]
    assert ended.wait(60), "uv goes on writing"
    if number == signal.SIGKILL:
        assert not cache.is_ready(cache.path("made"))
    else:
        assert child.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
        assert not os.path.exists(cache.path("made")) and "Traceback" not in said
    works(tmp_path)


def test_what_another_version_left(own_cache, tmp_path):
    (own_cache / "made").mkdir()
    (own_cache / "made" / "bin").write_text("half of something")
    works(tmp_path)
    (own_cache / "made" / ".ready").unlink()
    (own_cache / "uv").rename(own_cache / "uv-old")
    (own_cache / "uv").write_text("not a directory")
    done = subprocess.run(command(tmp_path), env=here(tmp_path), capture_output=True, text=True)
    assert done.returncode == 2 and "The cache cannot be used: remove it" in sentence(done.stderr)
    (own_cache / "uv").unlink()
    works(tmp_path)


def as_nobody(action):
    """The words of the `Stop` that `action()` raises in a child that is an ordinary user without sudo."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        words = "it did not stop"
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.environ["PATH"] = os.pathsep.join(
                folder
                for folder in os.environ["PATH"].split(os.pathsep)
                if not os.path.exists(f"{folder}/sudo")
            )
            action()
        except say.Stop as error:
            words = str(error)
        except BaseException as error:
            words = repr(error)
        os.write(writing, words.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading, "rb") as file:
        return file.read().decode()


@pytest.mark.skipif(not debian.is_debian(), reason="only apt's packages are installed")
def test_a_user_who_may_not_install(own_cache, tmp_path, monkeypatch):
    monkeypatch.setitem(needs.TABLE, "x", {"debian": ["ipcert-no-such-package"]})
    for path in (own_cache, *own_cache.parents):
        if path.is_relative_to("/tmp") and path != path.__class__("/tmp"):
            path.chmod(0o777)
    words = as_nobody(lambda: needs.install("x"))
    assert "run `sudo apt-get install ipcert-no-such-package` and then this again" in words


def test_a_cache_that_may_not_be_written(own_cache, monkeypatch):
    folder = own_cache / "root's"
    folder.mkdir(0o755)
    monkeypatch.setenv("IPCERT_CACHE", str(folder / "cache"))
    if os.geteuid():
        folder.chmod(0o555)
    words = as_nobody(lambda: cache.once(cache.path("x"), os.listdir))
    assert re.search(r"The cache cannot be written\. .*set IPCERT_CACHE to another directory", words), words
