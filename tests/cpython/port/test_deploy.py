"""Deploying: whole or not at all, the key never with another key's chain, nothing touched where nothing changed."""

import os
import subprocess
import sys

import pytest

from ipcert import identifiers
from ipcert.errors import LocalError
from ipcert.journal import Record
from ipcert_port.deploy import folders as deploy
from ipcert_port.deploy import servers
from ipcert_port.deploy.copies import Copy
from ipcert_port.deploy.folders import Deployer, folder_name

CHAIN = b"-----BEGIN CERTIFICATE-----\nbGVhZg==\n-----END CERTIFICATE-----\n"
ISSUER = b"-----BEGIN CERTIFICATE-----\naXNzdWVy\n-----END CERTIFICATE-----\n"
NAMES = ("cert.pem", "chain.pem", "fullchain.pem", "privkey.pem")


def record(ids="nas.example.net,www.example.net"):
    r = Record()
    r.identifiers_text.set(ids.encode())
    r.not_after = 300000000
    return r


def snapshot(folder):
    """relative path -> (inode, mtime, bytes) or a link's target."""
    out = {}
    for where, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(where, name)
            seen = os.lstat(path)
            data = os.readlink(path) if os.path.islink(path) else None
            if os.path.isfile(path) and data is None:
                with open(path, "rb") as file:
                    data = file.read()
            out[os.path.relpath(path, folder)] = (seen.st_ino, seen.st_mtime_ns, data)
    return out


def test_the_layout_and_the_modes(tmp_path):
    os.umask(0o077)
    try:
        Deployer(str(tmp_path / "live")).deploy(record(), b"\1" * 138, CHAIN + ISSUER)
    finally:
        os.umask(0o022)
    folder = tmp_path / "live" / "nas.example.net"
    assert sorted(os.listdir(folder)) == list(NAMES)
    assert (folder / "fullchain.pem").read_bytes() == CHAIN + ISSUER
    assert (folder / "cert.pem").read_bytes() == CHAIN and (folder / "chain.pem").read_bytes() == ISSUER
    key = (folder / "privkey.pem").read_text()
    assert key.startswith("-----BEGIN PRIVATE KEY-----\n") and key.endswith("-----END PRIVATE KEY-----\n")
    assert max(map(len, key.splitlines())) == 64
    assert os.stat(folder / "privkey.pem").st_mode & 0o777 == 0o600
    assert os.stat(folder / "fullchain.pem").st_mode & 0o777 == 0o644
    assert os.path.islink(folder) and "/" not in os.readlink(folder)


def test_the_same_again_touches_nothing(tmp_path):
    deployer = Deployer(str(tmp_path / "live"))
    deployer.deploy(record(), b"k", CHAIN)
    before = snapshot(tmp_path)
    deployer.deploy(record(), b"k", CHAIN)
    assert snapshot(tmp_path) == before and deployer.changed == ["nas.example.net"]


def test_a_new_certificate_is_a_new_folder_and_the_old_key_is_gone(tmp_path):
    deployer = Deployer(str(tmp_path / "live"))
    deployer.deploy(record(), b"k", CHAIN)
    old = os.readlink(tmp_path / "live" / "nas.example.net")
    deployer.deploy(record(), b"K", CHAIN)
    assert os.readlink(tmp_path / "live" / "nas.example.net") != old
    assert not os.path.exists(tmp_path / "live" / old)
    assert len(os.listdir(tmp_path / "live")) == 2


def test_what_somebody_changed_is_mended(tmp_path):
    deployer = Deployer(str(tmp_path / "live"))
    deployer.deploy(record(), b"k", CHAIN)
    path = tmp_path / "live" / "nas.example.net" / "fullchain.pem"
    for _ in range(3):
        path.write_bytes(b"gone")
        deployer.deploy(record(), b"k", CHAIN)
        assert path.read_bytes() == CHAIN and len(os.listdir(tmp_path / "live")) == 2
    os.unlink(path)
    deployer.deploy(record(), b"k", CHAIN)
    assert path.read_bytes() == CHAIN


def test_a_retired_lineage_is_taken_away_and_others_stay(tmp_path):
    deployer = Deployer(str(tmp_path / "live"))
    deployer.deploy(record(), b"k", CHAIN)
    deployer.deploy(record("nas.example"), b"k", CHAIN)
    deployer.deploy(record(), b"", b"")
    assert sorted(n for n in os.listdir(tmp_path / "live") if n[0] != ".") == ["nas.example"]
    assert len(os.listdir(tmp_path / "live")) == 2
    deployer.deploy(record(), b"", b"")


@pytest.mark.parametrize(
    "ids, name",
    [
        ("nas.example.net,a.example.net", "nas.example.net"),
        ("*.example.net", "_.example.net"),
        ("9.9.9.9", "9.9.9.9"),
        ("2001:db8::1", "ipv6-2001-db8--1"),
        ("::1", "ipv6---1"),
    ],
)
def test_folder_names(ids, name):
    assert folder_name(ids.split(",")) == name


def long_name(length, first=""):
    """A name of so many characters, of labels as long as they may be."""
    labels = first + ".".join(["x" * 63] * 4)
    return labels[: length - len(".example.net")].rstrip(".") + ".example.net" if length > 12 else labels


@pytest.mark.parametrize("length", [200, 236, 237, 238, 253])
@pytest.mark.parametrize("first", ["", "*."])
def test_a_name_of_any_length_is_deployed_renewed_mended_and_retired(tmp_path, length, first):
    name = long_name(length, first)
    assert len(name) in (length, length - 1) and len(identifiers.parse(name).value) == len(name)
    copy = [Copy("*/cert.pem:%s/{name}.crt" % (tmp_path / "copies"), deploy.FILES, str)]
    deployer = Deployer(str(tmp_path / "live"), ["true"], copy=copy)
    link = folder_name([name])
    for key in (b"k", b"K"):
        deployer.deploy(record(name), key, CHAIN)
    (tmp_path / "live" / link / "cert.pem").write_bytes(b"somebody's")
    deployer.deploy(record(name), b"K", CHAIN)
    assert (tmp_path / "live" / link / "cert.pem").read_bytes() == CHAIN
    assert (tmp_path / "copies" / (link + ".crt")).read_bytes() == CHAIN
    assert (link == name.replace("*", "_")) == (len(name) <= 236)
    from ipcert_router import deploy as router_deploy

    assert router_deploy.file_name(name + ",b.example.net") == link  # the router's port, the same
    other = name.replace("example.net", "example.org")
    assert folder_name([other]) != link
    deployer.deploy(record(other), b"k", CHAIN)
    deployer.deploy(record(name), b"", b"")
    assert [n for n in os.listdir(tmp_path / "live") if n[0] != "."] == [folder_name([other])]
    assert deploy.forget(str(tmp_path / "live"), copy) == [folder_name([other])]
    assert os.listdir(tmp_path / "live") == []


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "live" / "nas.example.net").mkdir(parents=True)
    (tmp_path / "live" / "nas.example.net" / "privkey.pem").write_bytes(b"somebody's")
    before = snapshot(tmp_path)
    with pytest.raises(LocalError, match="exists and is not ours") as caught:
        Deployer(str(tmp_path / "live")).deploy(record(), b"k", CHAIN)
    assert caught.value.code == "deploy" and snapshot(tmp_path) == before


def test_a_deploy_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "live").write_bytes(b"a file")
    with pytest.raises(LocalError, match="Cannot deploy to .*check the folder") as caught:
        Deployer(str(tmp_path / "live")).deploy(record(), b"k", CHAIN)
    assert caught.value.code == "deploy"


_FULL = """
import resource, signal, sys
sys.path[:0] = {path!r}
import test_deploy as t
from ipcert.errors import LocalError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    t.Deployer(sys.argv[1]).deploy(t.record(), b"K" * 138, t.CHAIN * 50 + t.ISSUER)
except LocalError as e:
    print(e.code, e)
"""


@pytest.mark.parametrize("room", [0, 50, 100, 2000, 3000])
def test_a_full_disk_leaves_the_old_files(tmp_path, room):
    Deployer(str(tmp_path / "live")).deploy(record(), b"k", CHAIN)
    before = snapshot(tmp_path / "live")
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run(
        [sys.executable, "-c", _FULL.format(path=[here]), str(tmp_path / "live"), str(room)],
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("disk-full The disk that holds "), done.stdout + done.stderr
    after = snapshot(tmp_path / "live")
    assert {p: after[p] for p in before} == before and len(after) == len(before)


_RACE = """
import os, sys
link, seen = sys.argv[1], set()
print("go", flush=True)
for turn in range(10000000):
    if turn >= 20000 and len(seen) > 2:  # on a busy machine the writer may have had no turn yet
        break
    try:
        folder = os.path.realpath(link)
        with open(folder + "/privkey.pem") as a, open(folder + "/cert.pem") as b:
            pair = (a.read(), b.read())
    except FileNotFoundError:
        continue
    if pair[0].strip(chr(0)):  # blank: just being erased, which a reader sees as no key at all
        seen.add(pair)
keys = [k for k, c in seen]
certs = [c for k, c in seen]
assert len(set(keys)) == len(set(certs)) == len(seen), "a key was seen with another key's chain"
assert all(keys) and all(certs), "a half-written file was seen"
print(len(seen))
"""


def test_a_reader_never_sees_a_key_with_another_chain(tmp_path):
    deployer = Deployer(str(tmp_path / "live"))
    deployer.deploy(record(), b"key 0", CHAIN)
    reader = subprocess.Popen(
        [sys.executable, "-c", _RACE, str(tmp_path / "live" / "nas.example.net")],
        stdout=subprocess.PIPE,
        text=True,
    )
    with reader:
        assert reader.stdout.readline() == "go\n"
        k = 0
        while reader.poll() is None:
            k += 1
            leaf = CHAIN.replace(b"bGVhZg==", b"%08d" % k)
            deployer.deploy(record(), b"key %d" % k, leaf + ISSUER)
        assert int(reader.stdout.read()) > 2 and k > 10
    assert reader.returncode == 0


HOOK = [
    sys.executable, "-c",
    "import os, sys; print({k: v for k, v in os.environ.items() if k.startswith('IPCERT_') and k != 'IPCERT_CACHE'});"
    "sys.exit(os.path.exists(sys.argv[1]))",
]  # fmt: skip


def test_the_hook_runs_once_and_knows_the_lineage(tmp_path, capfd):
    deployer = Deployer(str(tmp_path / "live"), [*HOOK, str(tmp_path / "fail")])
    for _ in range(2):
        deployer.deploy(record(), b"k", CHAIN)
    out, err = capfd.readouterr()
    assert out == "" and len(err.splitlines()) == 1
    folder = str(tmp_path / "live" / "nas.example.net")
    assert eval(err) == {
        "IPCERT_EVENT": "deployed",
        "IPCERT_LINEAGE": "nas.example.net",
        "IPCERT_IDENTIFIERS": "nas.example.net,www.example.net",
        "IPCERT_DIR": folder,
        "IPCERT_FULLCHAIN": folder + "/fullchain.pem",
        "IPCERT_PRIVKEY": folder + "/privkey.pem",
        "IPCERT_CHAIN": folder + "/chain.pem",
        "IPCERT_CERT": folder + "/cert.pem",
        "IPCERT_NOT_AFTER": "2029-07-04T05:20:00Z",
    }
    deployer.deploy(record(), b"", b"")
    assert "'IPCERT_EVENT': 'retired'" in capfd.readouterr().err


def test_a_hook_that_fails_is_reported_and_runs_again(tmp_path, capfd):
    (tmp_path / "fail").touch()
    deployer = Deployer(str(tmp_path / "live"), [*HOOK, str(tmp_path / "fail")])
    for _ in range(2):
        with pytest.raises(
            LocalError, match=r"failed \(exit status 1\); the certificate is in place"
        ) as caught:
            deployer.deploy(record(), b"k", CHAIN)
        assert caught.value.code == "hook"
    (tmp_path / "fail").unlink()
    deployer.deploy(record(), b"k", CHAIN)
    deployer.deploy(record(), b"k", CHAIN)
    assert len(capfd.readouterr().err.splitlines()) == 3
    assert (tmp_path / "live" / "nas.example.net" / "fullchain.pem").read_bytes() == CHAIN


def test_no_shell_and_no_such_program(tmp_path):
    mark = tmp_path / "mark"
    deployer = Deployer(str(tmp_path / "live"), ["true; touch %s" % mark])
    with pytest.raises(LocalError, match="Cannot run the deploy hook true; touch .*no such file"):
        deployer.deploy(record(), b"k", CHAIN)
    assert not mark.exists()


def test_a_hook_that_hangs_is_ended_with_its_children(tmp_path):
    script = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', %r]); time.sleep(60)"
    late = "import time; time.sleep(3); open(%r, 'w')" % str(tmp_path / "late")
    deployer = Deployer(str(tmp_path / "live"), [sys.executable, "-c", script % late], timeout=1)
    with pytest.raises(LocalError, match="took longer than 1 seconds and was ended"):
        deployer.deploy(record(), b"k", CHAIN)
    import time

    time.sleep(2.5)
    assert not (tmp_path / "late").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to any group")
def test_a_group_may_read_the_keys(tmp_path):
    live = str(tmp_path / "live")
    Deployer(live).deploy(record(), b"k", CHAIN)
    deployer = Deployer(live, group="adm")
    deployer.deploy(record(), b"k", CHAIN)
    assert deployer.changed == ["nas.example.net"]  # it was 0600 before
    seen = os.stat(live + "/nas.example.net/privkey.pem")
    import grp

    assert seen.st_mode & 0o777 == 0o640 and seen.st_gid == grp.getgrnam("adm").gr_gid
    deployer.deploy(record(), b"k", CHAIN)
    assert deployer.changed == ["nas.example.net"]
    with pytest.raises(LocalError, match="There is no group nobody-has-this"):
        Deployer(live, group="nobody-has-this").deploy(record(), b"K", CHAIN)
    assert os.stat(live + "/nas.example.net/privkey.pem").st_ino == seen.st_ino


def test_a_key_that_somebody_opened_is_closed_again(tmp_path):
    deployer = Deployer(str(tmp_path / "live"))
    deployer.deploy(record(), b"k", CHAIN)
    os.chmod(tmp_path / "live" / "nas.example.net" / "privkey.pem", 0o644)
    deployer.deploy(record(), b"k", CHAIN)
    assert os.stat(tmp_path / "live" / "nas.example.net" / "privkey.pem").st_mode & 0o777 == 0o600


@pytest.mark.parametrize("server", servers.NAMES)
def test_the_snippet_names_files_that_never_change(tmp_path, server, monkeypatch):
    told = []
    monkeypatch.setattr(Deployer, "_run", lambda self, what, command, environment: told.append(command))
    live = tmp_path / "live"
    deployer = Deployer(str(live), server=server, server_config="/etc/x.conf")
    for key in (b"k", b"K"):
        deployer.deploy(record(), key, CHAIN)
        text = (live / "nas.example.net" / (server + ".conf")).read_text()
        version = os.readlink(live / "nas.example.net")
        assert text.count('"%s/%s/' % (live, version)) == 2 and "privkey.pem" in text
        deployer.deploy(record(), key, CHAIN)  # nothing changed: nobody is told
    assert len(deployer.changed) == 2 and [c[0] for c in told[-1:]] == [server] and "/etc/x.conf" in told[0]
    assert len(told) == 2 * len(servers.commands(server, "/etc/x.conf"))


def test_a_hook_comes_after_the_server(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(Deployer, "_run", lambda self, what, command, environment: told.append(command[0]))
    Deployer(str(tmp_path / "live"), ["mine"], server="caddy").deploy(record(), b"k", CHAIN)
    assert told == ["caddy", "mine"]


def test_copies_are_made_kept_and_taken_away(tmp_path):
    lines = [
        "nas.example.net/combined.pem:app/tls.pem",
        "*/cert.pem:all/{name}.crt",
        "other.example.net/cert.pem:no",
    ]
    copy = [Copy(line, deploy.FILES, lambda name: str(tmp_path / name)) for line in lines]
    log = str(tmp_path / "log")
    hook = [sys.executable, "-c", "open(%r, 'a').write('x')" % log]
    deployer = Deployer(str(tmp_path / "live"), hook, copy=copy)
    for _ in range(2):
        deployer.deploy(record(), b"k", CHAIN + ISSUER)
    assert (tmp_path / "all" / "nas.example.net.crt").read_bytes() == CHAIN
    both = (tmp_path / "app" / "tls.pem").read_bytes()
    assert both.startswith(b"-----BEGIN PRIVATE KEY") and both.endswith(CHAIN + ISSUER)
    assert os.stat(tmp_path / "app" / "tls.pem").st_mode & 0o777 == 0o600
    assert open(log).read() == "x" and not (tmp_path / "no").exists()
    os.unlink(tmp_path / "app" / "tls.pem")
    deployer.deploy(record(), b"k", CHAIN + ISSUER)
    assert (tmp_path / "app" / "tls.pem").read_bytes() == both and open(log).read() == "xx"
    deployer.deploy(record(), b"", b"")
    assert os.listdir(tmp_path / "app") == os.listdir(tmp_path / "all") == [] and open(log).read() == "xxx"
    deployer.deploy(record(), b"k", CHAIN)
    assert deploy.forget(str(tmp_path / "live"), copy) == ["nas.example.net"]
    assert os.listdir(tmp_path / "app") == os.listdir(tmp_path / "all") == []


def test_a_copy_that_cannot_be_written(tmp_path):
    (tmp_path / "app").write_bytes(b"a file")
    copy = [Copy("*/cert.pem:app/{name}", deploy.FILES, lambda name: str(tmp_path / name))]
    with pytest.raises(LocalError, match="Cannot deploy to .*app") as caught:
        Deployer(str(tmp_path / "live"), copy=copy).deploy(record(), b"k", CHAIN)
    assert caught.value.code == "deploy"
