"""`ipcert doctor` against a real Pebble: all is well in a healthy home, and of each planted fault exactly that line says so."""

import glob
import http.server
import json
import os
import socket
import subprocess
import sys
import threading

import pytest
from home import Home

from tools.lib import loopback, needs
from tools.lib.ca import testcert

NAME = "nas.janet.example"
ADDRESS = "127.0.0.1"


@pytest.fixture
def home(pebble, tmp_path):
    one = Home(tmp_path, pebble, [NAME], [ADDRESS])
    one.wish("http01", listen=["127.0.0.1:%d" % pebble.http_port])
    one.wish("dns", resolvers=["127.0.0.1:%d" % pebble.dns_port])
    yield one
    pebble.dns("set-default-ipv4", ip="127.0.0.1")
    pebble.dns("clear-a", host=NAME + ".")
    pebble.dns("clear-caa", host="janet.example.")


def _tree(folder):
    """Every path below, with its mode, times and bytes."""
    out = {}
    for where, folders, files in os.walk(str(folder)):
        for name in folders + files:
            path = os.path.join(where, name)
            seen = os.lstat(path)
            data = None
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    data = file.read()
            out[path] = (seen.st_mode, seen.st_mtime_ns, seen.st_ctime_ns, data)
    return out


@pytest.mark.parametrize("issued", [False, True])
def test_a_healthy_home_is_all_ok_and_nothing_changes(home, pebble, tmp_path, issued):
    home.wish("deploy", hook=["true"])
    if issued:
        home.json("issue")
    before = _tree(tmp_path)
    pebble.reset()
    out = home.json("doctor")
    assert [c for c in out["checks"] if c["ok"] is not True] == [] and out["ok"] and out["exit"] == 0
    checks = [c["check"] for c in out["checks"]]
    for check in (
        "clock",
        "CA reachable",
        "CA trusted",
        "state",
        "keys",
        "deploy",
        "programs",
        "entropy",
        "address",
        "name",
        "CAA",
    ):
        assert check in checks
    assert "port %d" % pebble.http_port in checks
    # The CA is asked for its directory and nothing else, over one connection; nothing is left behind.
    assert [method for method, _ in pebble.requests()] == ["GET"] and pebble.traffic().connections == 1
    assert _tree(tmp_path) == before


def test_what_a_person_reads(home):
    home.wish("deploy", hook=["no-such-program"])
    done = home.run("doctor")
    assert done.returncode == 10 and done.stderr == ""
    lines = done.stdout.splitlines()
    bad = [i for i, line in enumerate(lines) if line.startswith("NOT OK ")]
    assert len(bad) == 1 and "programs" in lines[bad[0]] and "to fix:" in lines[bad[0] + 1]
    assert "Not ok: programs." in lines and "from outside" in lines[-1]


# Faults: each plants one and returns (options for running, the check that must say so, a word of its fix).


def _wrong_root(home, pebble, tmp_path):
    (tmp_path / "other.pem").write_bytes(testcert.make()[0])
    home.wish("ca", roots="other.pem")
    return {}, "CA trusted", "ca.roots"


def _no_such_root(home, pebble, tmp_path):
    home.wish("ca", roots="none.pem")
    return {}, "CA trusted", "ca.roots"


def _unreachable(home, pebble, tmp_path):
    home.wish("ca", directory="https://127.0.0.1:%d/dir" % loopback.free_ports(1)[0])
    return {}, "CA reachable", "network connection"


def _not_a_ca(home, pebble, tmp_path):
    home.wish("ca", directory=pebble.directory_url + "x")
    return {}, "CA reachable", "ca.directory"


def _terms(home, pebble, tmp_path):
    home.wish("ca", agree_terms=False)
    return {}, "account", "agree_terms"


def _profile(home, pebble, tmp_path):
    home.wish("policy", profile_ip="tlsserver")
    return {}, "profiles", "policy.profile_ip"


def _port_taken(home, pebble, tmp_path):
    listener = subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", ADDRESS, str(pebble.http_port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert loopback.wait_until(lambda: loopback.answers(pebble.http_port), 60)
    return {"end": listener}, "port %d" % pebble.http_port, "webroot"


def _foreign_answers(home, pebble, tmp_path):
    # The web server shows another folder than the one in the configuration.
    (tmp_path / "www").mkdir()
    (tmp_path / "elsewhere").mkdir()
    home.wish("http01", webroot="www")
    options, _, _ = _port_taken(home, pebble, tmp_path)
    return options, "webroot", "that server's folder"


def _nobody_answers(home, pebble, tmp_path):
    (tmp_path / "www").mkdir()
    home.wish("http01", webroot="www")
    return {}, "webroot", "Start the web server"


def _private(home, pebble, tmp_path):
    home.wish("ca", test=False)
    home.wish("identifiers", addresses=["192.168.1.20"], names=[])
    return {}, "address", "router's public address"


def _cgnat(home, pebble, tmp_path):
    home.wish("ca", test=False)
    home.wish("identifiers", addresses=["100.64.0.9"], names=[])
    return {}, "address", "Ask the provider"


def _not_ours(home, pebble, tmp_path):
    home.wish("identifiers", addresses=["2620:fe::fe"], names=[])
    return {}, "address", "identifiers.addresses"


def _does_not_resolve(home, pebble, tmp_path):
    pebble.dns("set-default-ipv4", ip="")
    return {}, "name", "A or AAAA record"


def _resolves_elsewhere(home, pebble, tmp_path):
    pebble.dns("add-a", host=NAME + ".", addresses=["9.9.9.9"])
    return {}, "name", "Change its A record"


def _another_cas_name(home, pebble, tmp_path):
    pebble.dns("add-caa", host="janet.example.", policies=[{"tag": "issue", "value": "other.example"}])
    return {}, "CAA", '0 issue "pebble.letsencrypt.org"'


def _dns_without_provider(home, pebble, tmp_path):
    home.wish("challenge", name="dns-01")
    return {}, "dns", "dns.provider"


def _dns_program(home, pebble, tmp_path):
    home.wish("challenge", name="dns-account-01")
    where = ["127.0.0.1:%d" % pebble.dns_port]
    home.wish("dns", provider="exec", command=["/no/such/program"], authoritative=where)
    return {}, "dns", "dns.command"


def _without_dac(home):
    """Words before a command that take away root's right to write everywhere."""
    return (
        ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"]
        if os.geteuid() == 0
        else []
    )


def _unwritable(home, pebble, tmp_path):
    (tmp_path / "state").mkdir(mode=0o500)
    return {"before": _without_dac(home)}, "state", "chown"


def _open_to_all(home, pebble, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o777)
    return {}, "state", "chmod 700"


def _full(home, pebble, tmp_path):
    (tmp_path / "state").mkdir(mode=0o700)
    script = 'mount -t tmpfs -o size=64k,mode=700 none "$1" && head -c 64k /dev/zero >"$1/filler"; shift; exec "$@"'
    words = ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path / "state")]
    if subprocess.run([*words, "true"], capture_output=True).returncode:
        pytest.skip("only root may mount a small disk here")
    return {"before": words}, "state", "Free some space"


def _unwritable_deploy(home, pebble, tmp_path):
    (tmp_path / "live").mkdir(mode=0o500)
    return {"before": _without_dac(home)}, "deploy", "chown"


def _not_ours_to_deploy(home, pebble, tmp_path):
    (tmp_path / "live" / ADDRESS).mkdir(parents=True)
    return {}, "deploy", "Move it away"


def _loose_key(home, pebble, tmp_path):
    home.json("issue")
    os.chmod(glob.glob(str(tmp_path / "state" / "key-*"))[0], 0o644)
    return {}, "keys", "chmod 600"


def _loose_deployed_key(home, pebble, tmp_path):
    home.json("issue")
    os.chmod(tmp_path / "live" / ADDRESS / "privkey.pem", 0o640)
    return {}, "keys", "chmod 600"


def _copied_device(home, pebble, tmp_path):
    from ipcert_port.port.port import device_id

    if device_id() is None:
        pytest.skip("this machine has no number")
    home.json("issue")
    home.rewrite(lambda journal: journal.device_id.__setitem__(slice(None), b"another!"))
    return {}, "state", "ipcert reset"


def _no_hook(home, pebble, tmp_path):
    home.wish("deploy", hook=["/usr/local/bin/reload-what"])
    return {}, "programs", "deploy.hook"


def _hook_not_executable(home, pebble, tmp_path):
    (tmp_path / "hook").write_text("#!/bin/sh\n")
    home.wish("deploy", hook=[str(tmp_path / "hook")])
    return {}, "programs", "chmod +x"


def _no_group(home, pebble, tmp_path):
    home.wish("deploy", group="no-such-group")
    return {}, "deploy", "deploy.group"


def _fake_time(offset):
    def plant(home, pebble, tmp_path):
        found = glob.glob(needs.unpacked("faketime") + "/usr/lib/*/faketime/libfaketime.so.1")
        fake = {
            "LD_PRELOAD": found[0],
            "FAKETIME": offset,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        return {"env": dict(os.environ, **fake)}, "clock", "NTP"

    plant.__name__ = "_clock" + offset
    return plant


_UNSEEDED = """
import ctypes, os, platform, struct, sys
# seccomp(2): getrandom with GRND_NONBLOCK answers EAGAIN, which is what it does before it was seeded.
number = {"x86_64": 318, "aarch64": 278}[platform.machine()]
rows = [(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 32), (0x45, 0, 1, 1), (0x06, 0, 0, 0x0005000B), (0x06, 0, 0, 0x7FFF0000)]
code = b"".join([struct.pack("=HBBI", *row) for row in rows])
buffer = ctypes.create_string_buffer(code, len(code))
program = ctypes.create_string_buffer(struct.pack("@HP", len(rows), ctypes.addressof(buffer)))
c = ctypes.CDLL(None, use_errno=True)
if c.prctl(38, 1, 0, 0, 0) or c.prctl(22, 2, program):
    sys.exit(99)
os.execv(sys.argv[1], sys.argv[1:])
"""


def _unseeded(home, pebble, tmp_path):
    words = [sys.executable, "-c", _UNSEEDED]
    if subprocess.run([*words, sys.executable, "-c", ""]).returncode:
        pytest.skip("no system calls can be filtered here")
    return {"before": words}, "entropy", "hardware generator"


FAULTS = [
    _wrong_root, _no_such_root, _unreachable, _not_a_ca, _terms, _profile, _port_taken, _foreign_answers, _nobody_answers,
    _private, _cgnat, _not_ours, _does_not_resolve, _resolves_elsewhere, _another_cas_name, _dns_without_provider, _dns_program, _unwritable, _open_to_all,
    _full, _unwritable_deploy, _not_ours_to_deploy, _loose_key, _loose_deployed_key, _copied_device, _no_hook,
    _hook_not_executable, _no_group, _fake_time("+400d"), _fake_time("-400d"), _fake_time("+3h"), _unseeded,
]  # fmt: skip


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__[1:])
def test_exactly_the_planted_fault_is_not_ok_and_its_fix_is_named(home, pebble, tmp_path, plant):
    options, check, fix = plant(home, pebble, tmp_path)
    try:
        done = subprocess.run(
            [*options.get("before", []), *home.command("doctor", "--json")],
            capture_output=True,
            text=True,
            cwd=str(tmp_path / "elsewhere") if (tmp_path / "elsewhere").is_dir() else None,
            env=options.get("env"),
            timeout=120,
        )
    finally:
        if "end" in options:
            options["end"].kill()
            options["end"].wait()
    assert done.returncode == 10, done.stdout + done.stderr
    out = json.loads(done.stdout)
    wrong = [c for c in out["checks"] if c["ok"] is False]
    assert [c["check"] for c in wrong] == [check], wrong
    assert fix in wrong[0]["fix"] and len(wrong[0]["text"]) > 20
    assert wrong[0]["text"][-1] in ".)" and done.stderr == "" and not out["ok"] and out["exit"] == 10


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has other users' folders")
def test_root_is_told_to_look_as_the_service_does(home, tmp_path):
    (tmp_path / "state").mkdir(mode=0o700)
    os.chown(tmp_path / "state", 65534, 65534)
    out = home.json("doctor")
    told = [c for c in out["checks"] if c["ok"] is None]
    assert [c["check"] for c in told] == ["user"] and "--reuid=nobody" in told[0]["text"]


def test_a_configuration_that_is_not_understood(home, tmp_path):
    home.wish("policy", urgent="never")
    out = home.json("doctor", code=10)
    assert [c["check"] for c in out["checks"] if not c["ok"]] == ["configuration"] and len(out["checks"]) == 1


def test_through_another_servers_webroot(home, pebble, tmp_path):
    import functools

    (tmp_path / "www").mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "www"))
    server = http.server.ThreadingHTTPServer((ADDRESS, pebble.http_port), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        home.wish("http01", webroot="www")
        assert home.json("doctor")["ok"]
        assert os.listdir(tmp_path / "www") == []
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_tls_alpn_01_is_looked_at_where_it_is_chosen(home, pebble):
    home.wish("challenge", name="tls-alpn-01", address="tls-alpn-01")
    home.wish("tlsalpn", listen=["127.0.0.1:%d" % pebble.tls_port])
    check = "port %d" % pebble.tls_port
    assert check in [c["check"] for c in home.json("doctor")["checks"]]
    with socket.create_server((ADDRESS, pebble.tls_port)):
        wrong = [c for c in home.json("doctor", code=10)["checks"] if not c["ok"]]
    assert [c["check"] for c in wrong] == [check] and "(process %d)" % os.getpid() in wrong[0]["text"]
