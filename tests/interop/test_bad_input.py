"""Everything that goes wrong ends in one clear sentence and its exit code, and leaves what is served as it was."""

import os
import resource
import shutil
import socket
import ssl
import subprocess
import time

import pytest
from home import Home, sentence

from ipcert import limits
from ipcert_port.cli.progress import Quiet
from ipcert_port.config import reader as _config
from ipcert_port.deploy.tls_server import Chooser, Server, lineages
from ipcert_port.session import Session

NAME = "nas.janet.example"


class Served(Home):
    """A home whose address has its certificate, and where somebody serves it all the time."""

    def __init__(self, folder, pebble):
        super().__init__(folder, pebble)
        self.json("issue")
        self.server = Server(Chooser(lineages(_config.load(self.config))), [("127.0.0.1", 0)])
        self.server.start()
        self.before = self.shown(), self.deployed()
        assert self.before[1]

    def shown(self):
        """The leaf that a TLS client is shown now, in DER."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.server.ports[0]), timeout=10) as plain:
            with context.wrap_socket(plain) as tls:
                return tls.getpeercert(True)

    def refused(self, code, *words, **options):
        """`ipcert WORDS` ends with this code and one sentence, which is returned; everything else is as before."""
        done = self.run(*words, **options)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        lines = [
            line for line in done.stderr.splitlines() if not line.startswith("ipcert: You override the plan")
        ]
        done.stderr = "\n".join(lines)
        said = sentence(done)
        assert (self.shown(), self.deployed()) == self.before
        return said


@pytest.fixture
def served(pebble, tmp_path):
    home = Served(tmp_path, pebble)
    yield home
    home.server.close()


@pytest.fixture
def own(make_pebble, tmp_path):
    """Like `served`, with a Pebble of its own in `own.pebble`."""
    pebble = make_pebble()
    home = Served(tmp_path, pebble)
    home.pebble = pebble
    yield home
    home.server.close()


NOW = ("issue", "--now", "127.0.0.1")


def test_an_unreachable_ca(own):
    own.pebble.stop()
    said = own.refused(5, *NOW)
    assert own.pebble.directory_url.rsplit("/", 1)[0] in said and "check the network connection" in said
    # And it is planned again, not given up.
    plan = own.json("plan")["plans"][0]
    assert time.time() < plan["at_unix"] < time.time() + 3 * 3600
    own.pebble.start()
    own.use(own.pebble)
    own.configure()
    assert own.json("issue", "--now", "127.0.0.1")["issued"] == 1


def test_the_wrong_ca_root(served, pebble):
    served.wish("ca", roots=pebble.root())
    assert "root certificates" in served.refused(5, *NOW)


def test_no_root_file_or_not_one(served, tmp_path):
    served.wish("ca", roots="none.pem")
    assert "none.pem" in served.refused(2, *NOW)
    (tmp_path / "empty.pem").write_text("nothing\n")
    served.wish("ca", roots="empty.pem")
    assert "PEM" in served.refused(2, *NOW)


def test_the_wrong_port_of_the_ca(served, pebble):
    served.wish("ca", directory=pebble.management_url + "/dir")
    said = served.refused(3, "issue", "--now", "127.0.0.1")
    assert "404" in said
    served.wish("ca", directory="https://127.0.0.1:%d/dir" % int(pebble.dns_url.split(":")[2]))
    assert "check the CA's directory URL" in served.refused(5, *NOW)


def test_the_wrong_port_for_the_validation(served):
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
    served.wish("http01", listen=["127.0.0.1:%d" % free])
    said = served.refused(3, *NOW)
    assert "could not validate 127.0.0.1" in said and "connection refused" in said.lower()


def test_a_port_that_another_program_has(served):
    with socket.create_server(("127.0.0.1", 0)) as other:
        served.wish("http01", listen=["127.0.0.1:%d" % other.getsockname()[1]])
        assert "another program has it" in served.refused(2, *NOW)


def test_a_name_that_does_not_validate(served, pebble):
    pebble.dns("add-a", host="elsewhere.example.", addresses=["127.0.0.2"])
    try:
        served.wish("identifiers", names=["elsewhere.example"])
        assert "could not validate elsewhere.example" in served.refused(
            3, "issue", "--now", "elsewhere.example"
        )
    finally:
        pebble.dns("clear-a", host="elsewhere.example.")


def test_a_name_that_the_ca_refuses(served):
    served.wish("identifiers", names=["blocked-domain.example"])
    said = served.refused(3, "issue", "--now", "blocked-domain.example")
    assert "refused" in said and "blocked-domain.example" in said


def test_a_private_address(served):
    served.wish("ca", test=False)
    served.wish("identifiers", addresses=["192.168.1.20"])
    assert "192.168.1.20 is private (RFC 1918)" in served.refused(2, "issue")


def test_terms_that_nobody_agreed_to(make_pebble, tmp_path):
    home = Home(tmp_path, make_pebble())
    home.wish("ca", agree_terms=False)
    done = home.run("issue")
    assert done.returncode == 2 and "agree_terms = true" in sentence(done)


def test_a_profile_that_the_ca_does_not_have(served):
    served.wish("policy", profile_ip="fancy")
    assert "shortlived" in served.refused(2, *NOW)


def without_override(command):
    """`command` without root's right to ignore file modes, so that the test means the same for root."""
    if os.geteuid():
        return command
    drop = "-dac_override,-dac_read_search,-fowner"
    return ["setpriv", "--bounding-set", drop, "--inh-caps", drop, *command]


def test_a_state_folder_that_cannot_be_written(served, tmp_path):
    folder = tmp_path / "state"
    os.chmod(folder, 0o500)
    try:
        real = served.command
        served.command = lambda *words: without_override(real(*words))
        said = served.refused(6, *NOW)
    finally:
        os.chmod(folder, 0o700)
    assert str(folder) in said and "permission denied" in said
    served.command = real
    served.wish("state", dir="ipcert.toml")
    assert "not a folder" in served.refused(6, "issue")


def test_a_corrupt_configuration(served):
    with open(served.config, "a") as file:
        file.write("[policy\n")
    assert "is not valid TOML" in served.refused(2, "issue") and "line" in served.refused(2, "issue")
    with open(served.config, "wb") as file:
        file.write(os.urandom(1) + b"\xff" * 50)
    served.refused(2, "plan")
    os.unlink(served.config)
    assert "There is no" in served.refused(2, "status")


def test_an_unknown_key(served):
    served.wish("policy", urgency="ip")
    assert "there is no policy.urgency; did you mean policy.urgent" in served.refused(2, "issue")


@pytest.mark.parametrize("mended", [True, False])
def test_an_order_that_became_invalid_meanwhile(own, mended):
    """The power goes after the challenge was said to be ready; the CA finds nobody, and the order is over.

    Another order is tried, and when that one is no better there is one sentence and nothing has changed.
    """
    with Session(_config.load(own.config), Quiet()) as work:
        work.drive.run()
        work.device.event("renew", "127.0.0.1")
        work.drive.run(lambda it: work.device.state == "answer")
        device = work.device
        it = device.next(work.clock.now())
        work.answers.close()  # the power goes: nobody answers on the port any more
        answer = work.drive._send(it)
        assert answer.status == 200
    time.sleep(2)
    dead = own.record("127.0.0.1").order_url.text()
    assert dead
    if not mended:
        with socket.create_server(("127.0.0.1", 0)) as other:
            own.wish("http01", listen=["127.0.0.1:%d" % other.getsockname()[1]])
        assert "could not validate 127.0.0.1" in own.refused(3, "issue")
    else:
        assert own.json("issue")["issued"] == 1
    assert own.record("127.0.0.1").order_url.text() != dead


def _small_disk(path):
    """Mount 64 KB of memory at `path`; False where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(path)]
    return shutil.which("mount") is not None and subprocess.run(command, capture_output=True).returncode == 0


def test_a_full_disk(served, tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    options = {}
    mounted = _small_disk(folder)
    try:
        for name in os.listdir(tmp_path / "state"):
            shutil.copy2(tmp_path / "state" / name, folder / name)
        served.wish("state", dir="small")
        if mounted:
            with open(folder / "filler", "wb", buffering=0) as file:
                while _fill(file):
                    continue
        else:
            options["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
            options["env"] = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
        journal = {n: (folder / n).read_bytes() for n in os.listdir(folder) if n.startswith("journal")}
        said = served.refused(6, *NOW, **options)
        assert "The disk that holds %s is full; free some space. Nothing was changed." % folder in said
        assert {n: (folder / n).read_bytes() for n in journal} == journal
        if mounted:
            os.unlink(folder / "filler")
        assert served.json(*NOW)["issued"] == 1
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def _fill(file):
    try:
        return file.write(b"\0" * 1024)
    except OSError:
        return 0


def test_a_clock_that_is_behind(served):
    def ahead(journal):
        journal.clock_floor += 2 * limits.DAY

    served.rewrite(ahead)
    assert "The clock cannot be trusted yet; set it" in served.refused(7, *NOW)


def test_damaged_state(served, tmp_path):
    for name in ("journal-a", "journal-b"):
        path = tmp_path / "state" / name
        if path.exists():
            path.write_bytes(path.read_bytes()[:-3])
    if not (tmp_path / "state" / "journal-b").exists():
        shutil.copy(tmp_path / "state" / "journal-a", tmp_path / "state" / "journal-b")
    assert "slots of the journal are damaged" in served.refused(6, "issue")
    served.refused(6, "plan")
    served.refused(6, "status")


def test_state_of_another_device(served):
    def move(journal):
        journal.device_id[:] = b"elsewher"

    from ipcert_port.port.port import Port

    if Port(str(served.folder / "other")).device_id() is None:
        pytest.skip("this machine has no machine-id, so a copy cannot be noticed")
    served.rewrite(move)
    assert "belongs to another device" in served.refused(6, "issue")


def test_a_lost_chain_is_fetched_again(served, tmp_path):
    gen = served.record("127.0.0.1").file_id
    (tmp_path / "state" / ("chain-%d" % gen)).unlink()
    out = served.json("issue")
    assert out["issued"] == 1 and out["certificates"][0]["identifiers"] == ["127.0.0.1"]


def test_words_on_the_command_line(served):
    done = served.run("issue", "--now", "other.example")
    assert done.returncode == 2 and "other.example is not in the configuration" in sentence(done)
    assert served.run("nonsense").returncode == 2
    assert served.run("issue", "--now", "10.0.0.300").returncode == 2
