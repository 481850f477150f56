"""A proxy of the environment: a real one, Debian's tinyproxy, with Pebble behind it; and curl's own reading of the variables."""

import contextlib
import os
import re
import subprocess

import pytest
from home import Home

from ipcert.errors import LocalError
from ipcert_port.port import proxy
from tools.lib import loopback, needs
from tools.lib.run import die_with

# Those of the machine that runs the tests are none of theirs.
CLEAN = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


class Tinyproxy:
    """A running one on a free port; `user`, `password`: that it wants."""

    def __init__(self, folder, user="", password=""):
        self.port = loopback.free_ports(1)[0]
        self._log = folder / "tinyproxy.log"
        lines = [
            "Port %d" % self.port,
            "Listen 127.0.0.1",
            "Timeout 60",
            'LogFile "%s"' % self._log,
            "LogLevel Info",
        ]
        if user:
            lines.append("BasicAuth %s %s" % (user, password))
        (folder / "tinyproxy.conf").write_text("\n".join(lines) + "\n")
        program = os.path.join(needs.unpacked("tinyproxy"), "usr", "bin", "tinyproxy")
        command = [program, "-d", "-c", str(folder / "tinyproxy.conf")]
        self._child = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=die_with(os.getpid()))

    def __enter__(self):
        assert loopback.wait_until(lambda: loopback.answers(self.port), 30)
        return self

    def __exit__(self, *what):
        self._child.terminate()
        self._child.wait(30)

    def tunnels(self):
        """ "host:port" of every CONNECT so far."""
        return re.findall(r"CONNECT (\S+) HTTP/1\.1", self._log.read_text())


@pytest.fixture
def tinyproxy(tmp_path):
    with contextlib.ExitStack() as stack:

        def make(**options):
            return stack.enter_context(Tinyproxy(tmp_path, **options))

        yield make


def run(home, *words, **variables):
    return home.run(*words, env={**CLEAN, **variables})


def test_an_order_goes_through_it_and_nothing_past_it(make_pebble, tmp_path, tinyproxy):
    ca, through = make_pebble(), tinyproxy()
    home = Home(tmp_path, ca)
    done = run(home, "issue", HTTPS_PROXY="http://127.0.0.1:%d" % through.port)
    assert done.returncode == 0, done.stderr
    host = ca.directory_url.split("/")[2]
    assert set(through.tunnels()) == {host}
    assert ca.traffic().connections == len(through.tunnels()) > 0


@pytest.mark.parametrize("variables", [
    {"https_proxy": "127.0.0.1:%d", "HTTPS_PROXY": "http://127.0.0.1:1"},
    {"ALL_PROXY": "http://127.0.0.1:%d/"},
    {"HTTPS_PROXY": "HTTP://localhost:%d", "NO_PROXY": "example.net 10.0.0.0/8"},
])  # fmt: skip
def test_the_variables_that_count(pebble, tmp_path, tinyproxy, variables):
    through = tinyproxy()
    home = Home(tmp_path, pebble)
    values = {name: value % through.port if "%d" in value else value for name, value in variables.items()}
    done = run(home, "doctor", "--json", **values)
    assert '"ok": true' in done.stdout.split('"check": "CA reachable"')[1][:300], done.stdout
    assert through.tunnels()


def test_no_proxy_is_asked_directly(pebble, tmp_path, tinyproxy):
    through = tinyproxy()
    home = Home(tmp_path, pebble)
    done = run(
        home, "issue", HTTPS_PROXY="http://127.0.0.1:%d" % through.port, NO_PROXY=".example, localhost"
    )
    assert done.returncode == 0 and through.tunnels() == [], done.stderr


def test_a_password_and_a_wrong_one(pebble, tmp_path, tinyproxy):
    through = tinyproxy(user="janet", password="p-ss")
    home = Home(tmp_path, pebble)
    pebble.reset()
    for wrong in ("", "janet:pass@"):
        done = run(home, "issue", HTTPS_PROXY="http://%s127.0.0.1:%d" % (wrong, through.port))
        assert done.returncode == 5 and "the proxy 127.0.0.1:%d" % through.port in done.stderr
        assert "user name or password" in done.stderr and "pass@" not in done.stderr
        (tmp_path / "state").rename(tmp_path / ("state" + wrong.split(":")[0] + "-"))
    assert pebble.requests() == []
    done = run(home, "issue", HTTPS_PROXY="http://janet:p%%2Dss@127.0.0.1:%d" % through.port)
    assert done.returncode == 0, done.stderr


def test_without_its_proxy_nothing_goes_out(pebble, tmp_path, tinyproxy):
    home = Home(tmp_path, pebble)
    pebble.reset()
    dead = loopback.free_ports(1)[0]
    done = run(home, "issue", HTTPS_PROXY="http://127.0.0.1:%d" % dead)
    assert done.returncode == 5 and "the proxy 127.0.0.1:%d cannot be reached" % dead in done.stderr
    through = tinyproxy()
    (tmp_path / "state").rename(tmp_path / "before")
    home.wish("ca", directory="https://127.0.0.1:%d/dir" % dead)
    done = run(home, "issue", HTTPS_PROXY="http://127.0.0.1:%d" % through.port)
    assert done.returncode == 5 and "does not connect to 127.0.0.1:%d (status 500)" % dead in done.stderr
    assert pebble.requests() == []


@pytest.mark.quick
@pytest.mark.parametrize(
    "value",
    ["socks5://h:1", "https://secret:word@h:1", "http://", "http://h:99999", "http://a b", "h:x", "::1"],
)
def test_what_it_cannot_use_is_refused_in_words(tmp_path, value):
    with pytest.raises(LocalError) as caught:
        proxy.chooser({"HTTPS_PROXY": value})
    assert (
        caught.value.code == "config"
        and "HTTPS_PROXY" in str(caught.value)
        and "word" not in str(caught.value)
    )


def test_a_refusal_comes_before_anything_is_made(pebble, tmp_path):
    home = Home(tmp_path, pebble)
    pebble.reset()
    done = run(home, "issue", all_proxy="socks5h://127.0.0.1:1080")
    assert done.returncode == 2 and "all_proxy names a proxy of the kind socks5h://" in done.stderr
    assert pebble.requests() == []


HOSTS = ("localhost", "nas.example.net", "example.net", "notexample.net", "127.0.0.1", "127.0.1.9", "::1")
LISTS = (
    "", "*", "*,x", "example.net", ".example.net", "EXAMPLE.NET", "example.net.", "x,example.net,y", "x example.net y",
    "ample.net", "*.example.net", "127.0.0.1", "127.0.0.0/16", "127.0.0.0/24", "::1", "[::1]", "localhost", "net",
)  # fmt: skip


@pytest.mark.quick
def test_networks_of_ipv6_are_read_as_curls_manual_has_it():
    """Debian 12's curl does not match them, though curl(1) says that it does."""
    choose = proxy.chooser({"HTTPS_PROXY": "h:1", "NO_PROXY": "2001:db8::/32, ::/64"})
    assert choose("::1", 443) is None and choose("2001:db8:ffff::1", 443) is None
    assert choose("2001:db9::1", 443) == ("h", 1, None)


def test_no_proxy_is_read_as_curl_reads_it():
    """Each list and host: both ports are closed, and curl says which one it tried."""
    needs.install("curl")
    closed, dead = loopback.free_ports(2)
    wrong = []
    for direct in LISTS:
        variables = {"HTTPS_PROXY": "http://127.0.0.1:%d" % dead, "NO_PROXY": direct}
        choose = proxy.chooser(variables)
        for host in HOSTS:
            shown = "[%s]" % host if ":" in host else host
            command = ["curl", "-sS", "-m", "5", "https://%s:%d/" % (shown, closed)]
            if host.endswith("net"):
                command += ["--resolve", "%s:%d:127.0.0.1" % (host, closed)]
            done = subprocess.run(
                command, env={**CLEAN, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            asked = b"port %d" % dead in done.stderr
            assert asked or b"port %d" % closed in done.stderr, done.stderr
            if asked != (choose(host, closed) is not None):
                wrong.append((direct, host, "curl asks the proxy" if asked else "curl asks the host"))
    assert wrong == []
