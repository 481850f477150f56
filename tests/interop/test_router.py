"""The vendored tree before a real CA: as a router runs it, on ARM and big-endian MIPS, and what a router meets."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import micropython_binary
import pytest

from tools.lib import loopback
from tools.lib.vendor import demo

NAME, ADDRESS = demo.NAME, demo.ADDRESS


@pytest.fixture
def router(tmp_path, pebble):
    """A function that makes a router on this machine's own MicroPython; options are UCI's."""

    def make(**options):
        return demo.Router(micropython_binary.path(), tmp_path, pebble, **options)

    return make


def addresses(router, *texts):
    """Have the WAN's addresses be these, as a maker without netifd would tell them."""
    (router.folder / "addresses").write_text("".join(text + "\n" for text in texts))
    program = router.root / "usr/lib/ipcert/addresses"
    program.write_text("#!/bin/sh\ncat %s\n" % (router.folder / "addresses"))


def log(router):
    return router.log.read_text()


@pytest.mark.slow(80)
def test_two_certificates_a_renewal_and_a_power_cut_on_both_processors(make_pebble, tmp_path):
    processors = {name: make_pebble(nonce_reject=20) for name in ("armhf", "mips")}
    for name in processors:
        (tmp_path / name).mkdir()
    with ThreadPoolExecutor(len(processors)) as pool:  # most of it is waiting
        jobs = {n: pool.submit(demo.job, n, tmp_path / n, processors[n]) for n in processors}
    for name in processors:
        found = jobs[name].result()
        assert found["problems"] == [] and 0 < found["resident"] < 16 << 20
        assert demo.size(tmp_path / name, name)["tree"] < 160 << 10


def test_nothing_is_ordered_before_the_clock_is_set_and_another_service_is_refused(router, pebble):
    one = router()
    with one:
        one.wait(lambda: "waiting for the clock" in log(one), "It does not start")
        assert pebble.requests() == []
        status, out = one.run("run")
        assert status == 9 and out.startswith("ipcert: Another ipcert works on") and out.count("\n") == 1
        one.set_clock()
        one.wait(lambda: one.chain(ADDRESS), "Nothing was ordered")
        one.wait(lambda: one.told(), "Nobody was told")
        one.wait(lambda: not loopback.answers(pebble.http_port), "Port 80 stays open")
    folders = [path for path in one.live.iterdir() if path.is_dir() and not path.is_symlink()]
    assert len(folders) == 1 and stat.S_IMODE((one.root / "etc/ipcert").stat().st_mode) == 0o700
    # Whatever serves them, as whatever user, passes through the folder that we made; the key is root's.
    for path in (one.live, *folders):
        assert stat.S_IMODE(path.stat().st_mode) == 0o755
    shown = {name: stat.S_IMODE((folders[0] / name).stat().st_mode) for name in ("fullchain.crt", "key")}
    assert shown == {"fullchain.crt": 0o644, "key": 0o600}
    assert "20" not in [line for line in log(one).split("\n") if "plan" in line]


def test_it_orders_though_nobody_can_read_its_log(router):
    one = router()
    one.set_clock()
    one.log = Path("/dev/full")
    with one:
        assert loopback.wait_until(lambda: one.chain(ADDRESS) and one.told(), 120)


def test_an_address_that_changes_is_noticed_within_a_minute(router):
    one = router(first_delay="60d")
    one.set_clock()
    addresses(one, "127.0.0.1")
    with one:
        one.wait(lambda: one.chain(ADDRESS), "Nothing was ordered")
        one.wait(lambda: "issued " + ADDRESS in one.told(), "Nobody was told")
        addresses(one)  # the line is down: no change
        (one.root / "var/run/ipcert/ask").write_text("look")
        one.wait(lambda: "no IPv4 address now" in log(one), "It was not noticed")
        assert one.chain(ADDRESS)
        addresses(one, "127.0.0.2")
        assert loopback.wait_until(lambda: "127.0.0.2" in one.plans(), 60, 0.5)
        # P6: the old one stays until it is believed gone (hours are seconds here), the new one waits until it has lasted.
        assert one.chain(ADDRESS) and one.chain("127.0.0.2") is None
        one.wait(lambda: "retired " + ADDRESS in one.told(), "Nobody was told")
        assert one.chain(ADDRESS) is None and ADDRESS not in one.plans()
        assert "The address 127.0.0.2 is new" in log(one)
    gone = (".127.0.0.1", "127.0.0.1")
    assert not [path for path in one.live.iterdir() if path.name.startswith(gone)]
    before = one.plans()
    with one:
        one.wait(lambda: log(one).count("ipcert: ready") == 2, "It does not come up again")
        assert one.plans() == before


def test_behind_carrier_grade_nat_nothing_is_ordered_and_it_is_said_why(router, pebble):
    one = router()
    config = one.config.read_text().replace(NAME, "home.janet-example.net")
    one.config.write_text(
        config.replace("option test '1'", "option test '0'").replace("option compress", "#")
    )
    addresses(one, "100.64.7.7")
    one.set_clock()
    with one:
        one.wait(lambda: "carrier-grade NAT" in log(one), "It was not said")
        assert "for the name alone remove 'option interface'" in log(one)
        assert pebble.requests() == [] and one.run("status") == (0, "Nothing has been planned yet.\n")
    status, out = one.run("check")
    assert status == 2 and "100.64.7.7 is behind carrier-grade NAT" in out


def test_a_web_server_answers_from_its_document_root(router, pebble, tmp_path):
    import http.server
    import threading

    root = tmp_path / "www"
    root.mkdir()
    asked = []

    class Server(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *words):
            super().__init__(*words, directory=str(root))

        def log_message(self, *words):
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", pebble.http_port), Server)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        one = router(webroot=root)
        one.set_clock()
        with one:
            one.wait(lambda: one.chain(ADDRESS) and one.chain(NAME), "No two certificates")
    finally:
        server.shutdown()
        server.server_close()
    assert asked and list((root / ".well-known/acme-challenge").iterdir()) == []


def test_files_of_another_client_are_left_alone_and_the_hook_is_run_again(router):
    one = router()
    one.set_clock()
    one.live.mkdir(exist_ok=True)
    (one.live / (ADDRESS + ".key")).write_text("another client's")
    (one.folder / "bin/hotplug-call").write_text("#!/bin/sh\nexit 1\n")
    notify = one.root / "usr/lib/ipcert/notify"
    notify.write_text("#!/bin/sh\nexit 7\n")
    with one:
        one.wait(lambda: one.log.exists() and "is not ours" in log(one), "It was not noticed")
        assert (one.live / (ADDRESS + ".key")).read_text() == "another client's"
        one.wait(lambda: "notify failed (exit status 7)" in log(one), "The name's hook was not run")
    (one.live / (ADDRESS + ".key")).unlink()
    notify.write_text("#!/bin/sh\necho $1 $2 >>%s\n" % one.events)
    with one:
        one.wait(lambda: len(one.told()) == 2, "Nobody was told")
    assert sorted(one.told()) == ["issued " + ADDRESS, "issued " + NAME]


def test_bad_input_is_one_sentence(router):
    one = router()
    for words, status, part in (
        ([], 2, "say what to do"),
        (["fly"], 2, "say what to do"),
        (["renew"], 2, "which certificate"),
    ):
        code, out = one.run(*words)
        assert code == status and part in out and out.count("\n") == 1
    good = one.config.read_text()
    for text, status, part in (
        (good.replace("option port", "option prot"), 2, "no option prot"),
        (good + "config ipcert\n", 2, "one section"),
        (good.replace("/etc/ipcert'", "/etc/config/ipcert'"), 6, "not a folder"),
        (good.replace("option roots '", "option roots '/nothing"), 2, "no CA certificate"),
        ("config ipcert 'x", 2, "quote"),
    ):
        one.config.write_text(text)
        code, out = one.run("run")
        assert code == status and part in out and out.count("\n") == 1, out
    one.config.unlink()
    assert one.run("check")[0] == 2
