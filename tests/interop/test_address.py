"""The home's own address: found on real interfaces and of a real router, in network namespaces, and followed by the daemon."""

import ipaddress
import os
import select
import signal
import subprocess
import time
import types

import pytest
from home import Daemons, Home, children, sentence, stat, until

from ipcert import identifiers, limits, plan
from ipcert_port.address import discovery, interfaces, router
from tools.lib import loopback, needs, netns
from tools.lib.redteam import router as hostile

pytestmark = pytest.mark.skipif(not netns.possible(), reason="no network namespaces here: that takes root")


@pytest.fixture
def namespace():
    needs.install("pebble")  # from within there is no network to fetch it from
    one = netns.Namespace()
    with one.enter():
        yield one
    one.close()


def options(families=(4,), source="auto", names=(), command=(), test=False):
    return discovery.Options(list(families), source, list(names), list(command), test)


def packed(text):
    return ipaddress.ip_address(text).packed


def troubles():
    return {identifiers.format_ip(o.raw): (o.name, o.trouble) for o in interfaces.read()}


def lan():
    """A link of this namespace, up, with nothing on it."""
    netns.ip("link add lan0 type veth peer name lan1")
    netns.ip("link set lan0 up")
    netns.ip("link set lan1 up")


def test_the_kernel_says_which_addresses_are_there_to_stay(namespace):
    lan()
    netns.ip("addr add 10.1.2.3/24 dev lan0")
    netns.ip("addr add 10.1.2.4/24 dev lan0")  # "secondary", which has the bit of "temporary"
    netns.ip("-6 addr add 2620:fe::1/64 dev lan0 nodad")
    netns.ip("-6 addr add 2620:fe::2/64 dev lan0 nodad preferred_lft 0")
    found = troubles()
    assert found["127.0.0.1"] == ("lo", "local") and found["10.1.2.4"] == ("lan0", "")
    assert found["2620:fe::1"] == ("lan0", "") and found["2620:fe::2"] == ("lan0", "deprecated")
    assert [trouble for name, trouble in found.values() if name == "lan0"].count("local") <= 1  # its fe80 one
    with open("/proc/sys/net/ipv6/conf/lan0/use_tempaddr", "w") as file:
        file.write("2")
    netns.ip("-6 addr add 2620:fe:0:1::1/64 dev lan0 mngtmpaddr")
    assert loopback.wait_until(lambda: ("lan0", "temporary") in troubles().values(), 60), troubles()
    temporary = [text for text, seen in troubles().items() if seen[1] == "temporary"][0]
    assert temporary.startswith("2620:fe:0:1:") and options((6,)).find(6)[0] != temporary


def test_of_several_the_known_one_stays_and_no_card_number_is_shown(namespace):
    lan()
    for text in ("10.0.0.9/8", "9.9.9.10/24", "9.9.9.9/24"):
        netns.ip("addr add %s dev lan0" % text)
    for text in ("2620:fe::211:22ff:fe33:4455", "2620:fe::99"):
        netns.ip("-6 addr add %s/64 dev lan0 nodad" % text)
    one = options((4, 6))
    assert one.find(4, ["9.9.9.9"]) == ("9.9.9.9", "") and one.find(4, ["1.1.1.1"])[0] == "9.9.9.10"
    assert one.find(6) == ("2620:fe::99", "")
    assert options(names=["lo"], source="interface").find(4)[0] is None
    assert options(names=["lan0"]).find(4)[0] == "9.9.9.10"
    assert not one.polls(4) and not one.polls(6)


def test_what_is_not_public_is_refused_with_a_reason(namespace):
    lan()
    netns.ip("addr add 100.64.0.9/10 dev lan0")
    text, why = options().find(4)
    assert text is None and "only 100.64.0.9" in why and "NAT-PMP" in why and why.endswith(".")
    assert options(test=True).find(4)[0] == "100.64.0.9"
    assert "provider" in options((6,)).find(6)[1]
    assert options().polls(4)


def test_the_owners_program(namespace, tmp_path, monkeypatch):
    def printing(text, more=""):
        script = tmp_path / "script"
        script.write_text("#!/bin/sh\nprintf '%s'\n%s\n" % (text, more))
        script.chmod(0o755)
        return options((4, 6), "command", command=[str(script)])

    both = printing("2620:fe::1\\n9.9.9.9\\n")
    assert both.find(4) == ("9.9.9.9", "") and both.find(6) == ("2620:fe::1", "")
    assert both.polls(6)
    assert (
        "private" in printing("10.0.0.1").find(4)[1] and "carrier-grade" in printing("100.64.0.1").find(4)[1]
    )
    assert "printed none" in printing("<html>").find(4)[1]
    assert "failed" in printing("9.9.9.9", "exit 3").find(4)[1]
    assert "no such file" in options((4,), "command", command=["/no/such"]).find(4)[1]
    monkeypatch.setattr(discovery, "_SECONDS", 0.3)
    for more in ("sleep 60", "exec >&-; sleep 60", "yes"):
        assert "too much" in printing("9.9.9.9", more).find(4)[1]


# The router.


@pytest.fixture(scope="module")
def miniupnpd():
    """Debian's, unpacked before a namespace cuts the network off."""
    return needs.unpacked("miniupnpd")


@pytest.fixture
def behind_router(miniupnpd, namespace):
    """Debian's miniupnpd in a namespace of its own, as the router; this thread's namespace is the home behind it."""
    files = miniupnpd
    outside = netns.Namespace()
    lan()
    outside.take("lan1")
    netns.ip("addr add 192.168.50.2/24 dev lan0")
    netns.ip("route add default via 192.168.50.1")
    running = []

    def start(folder, external, *more):
        with outside.enter():
            if not running:
                netns.ip("addr add 192.168.50.1/24 dev lan1")
                netns.ip("link set lan1 up")
                netns.ip("link add wan0 type bridge")
                netns.ip("link set wan0 up")
            while running:
                running[-1].kill()
                running.pop().wait()
            netns.ip("addr flush dev wan0")
            netns.ip("addr add %s/24 dev wan0" % external)
            lines = [
                "ext_ifname=wan0",
                "listening_ip=lan1",
                "uuid=00000000-0000-0000-0000-000000000000",
                *more,
            ]
            (folder / "miniupnpd.conf").write_text("\n".join(lines) + "\n")
            library = [where for where, _, names in os.walk(files) if "libnftnl.so.11" in names][0]
            command = [
                files + "/usr/sbin/miniupnpd",
                "-d",
                "-f",
                str(folder / "miniupnpd.conf"),
                "-P",
                str(folder / "pid"),
            ]
            with open(folder / "miniupnpd.log", "w") as log:
                running.append(
                    subprocess.Popen(
                        command, stdout=log, stderr=log, env=dict(os.environ, LD_LIBRARY_PATH=library)
                    )
                )

    yield start
    while running:
        running[-1].kill()
        running.pop().wait()
    outside.close()


_BOTH = ("enable_natpmp=yes", "enable_upnp=yes")
# What miniupnpd says by UPnP of an address that is not public: nothing, or from 2.3 on (Debian 13) the address.
_NOT_PUBLIC = (b"", packed("100.64.3.2"))


def test_a_real_router_says_its_address(behind_router, tmp_path):
    assert router.gateway() == "192.168.50.1"
    behind_router(tmp_path, "9.9.9.7", *_BOTH)
    assert until(lambda: router.nat_pmp("192.168.50.1") == packed("9.9.9.7"), 60), (
        tmp_path / "miniupnpd.log"
    ).read_text()
    assert router.upnp("192.168.50.1") == packed("9.9.9.7") and options().find(4) == ("9.9.9.7", "")
    assert options(source="router").find(4) == ("9.9.9.7", "") and options().polls(4)
    # Without NAT-PMP it is found all the same, and an address that is not public is refused.
    behind_router(tmp_path, "9.9.9.8", "enable_natpmp=no", "enable_upnp=yes")
    assert until(lambda: options().find(4) == ("9.9.9.8", ""), 60)
    # By NAT-PMP it hides an address that is not public; others say it.
    behind_router(tmp_path, "100.64.3.2", *_BOTH)
    assert until(lambda: router.nat_pmp("192.168.50.1") == b"", 60)
    assert until(lambda: router.upnp("192.168.50.1") in _NOT_PUBLIC, 60)
    assert router.address() in _NOT_PUBLIC
    assert "carrier-grade NAT" in options().find(4)[1] and "Ask the provider" in options().find(4)[1]


def test_a_router_with_an_address_that_is_not_public(namespace, monkeypatch):
    for text, words in (("10.8.0.2", "another router stands before it"), ("100.64.3.2", "carrier-grade NAT")):
        monkeypatch.setattr(router, "address", lambda text=text: packed(text))
        assert options().find(4)[0] is None and words in options().find(4)[1]
    monkeypatch.setattr(router, "address", lambda: None)
    assert "does not say its own" in options().find(4)[1]


def settle(watch):
    """Until the kernel has told all it has to tell, such as that an address was found to be nobody else's."""
    while select.select(watch.fds(), [], [], 3)[0]:
        interfaces.drain(watch._socket)


def test_the_routers_new_address_is_seen_at_the_next_look(behind_router, tmp_path):
    behind_router(tmp_path, "9.9.9.7", *_BOTH)
    assert until(lambda: router.address() == packed("9.9.9.7"), 60)
    record = types.SimpleNamespace(
        created_at=1, doubted_at=0, identifiers_text=types.SimpleNamespace(text=lambda: "9.9.9.7")
    )
    state = types.SimpleNamespace(records=lambda: [record])
    said = []
    watch = discovery.Watch(options().fields())
    try:
        assert not watch.changed(1000, lambda: state, said.append) and watch.at == 1000 + 60
        behind_router(tmp_path, "9.9.9.8", *_BOTH)
        assert until(lambda: router.address() == packed("9.9.9.8"), 60)
        settle(watch)
        assert not watch.changed(1059, lambda: state, said.append)
        assert watch.changed(1060, lambda: state, said.append) and said == []
        behind_router(tmp_path, "100.64.3.2", *_BOTH)
        assert until(lambda: router.address() in _NOT_PUBLIC, 60)
        # Said once, and not a change: the old address stays until there is another one.
        assert not watch.changed(1120, lambda: state, said.append)
        assert not watch.changed(1180, lambda: state, said.append)
        assert len(said) == 1 and "carrier-grade" in said[0]
    finally:
        watch.close()


# The commands.


def test_without_an_address_nothing_is_ordered_at_first_and_later_the_known_one_stays(
    namespace, make_pebble, tmp_path
):
    pebble = make_pebble()
    home = Home(tmp_path, pebble, ["nas.janet.example"], ["ipv4"])
    home.wish("http01", listen=["*:%d" % pebble.http_port])
    home.wish("dns", resolvers=["127.0.0.1:%d" % pebble.dns_port])
    done = home.run("issue")
    assert done.returncode == 5 and "No public IPv4 address was found" in sentence(done)
    assert home.json("status")["plans"] == []
    wrong = [c for c in home.json("doctor", code=10)["checks"] if c["ok"] is False]
    assert [c["check"] for c in wrong] == ["address"] and "NAT-PMP" in wrong[0]["fix"]
    lan()
    netns.ip("addr add 10.77.0.5/24 dev lan0")
    assert home.json("issue")["certificates"][0]["identifiers"] == ["10.77.0.5"]
    assert home.json("doctor")["ok"]
    netns.ip("addr del 10.77.0.5/24 dev lan0")
    done = home.run("issue")
    assert done.returncode == 0 and sentence(done).endswith("10.77.0.5 stays meanwhile.")
    for command in ("plan", "status"):
        assert {"10.77.0.5"} <= {i for p in home.json(command)["plans"] for i in p["identifiers"]}


def test_one_false_answer_of_a_router_takes_nothing_down(make_pebble, tmp_path):
    with hostile.Lan() as lan:

        def says(text):
            lan.behave(hostile.Behaviour(natpmp=lambda data: [hostile.natpmp_answer(text)]))

        pebble = make_pebble()
        home = Home(tmp_path, pebble, [], ["ipv4"])
        home.wish("address", source="router")
        home.wish("http01", listen=["*:%d" % pebble.http_port])
        says(hostile.HOME)
        home.json("issue")
        key = tmp_path / "live" / hostile.HOME / "privkey.pem"
        before = key.read_bytes()
        says("192.168.50.77")
        home.json("issue")
        assert key.exists() and key.read_bytes() == before
        assert home.record(hostile.HOME).file_id and home.record("192.168.50.77").reason == plan.HELD
        says(hostile.HOME)
        home.json("issue")
        assert key.read_bytes() == before and home.json("status")["doubted"] == {}
        assert [r.identifiers_text.text() for r in home.state().records()] == [hostile.HOME]


# The daemon.


def test_the_daemon_follows_the_address(namespace, make_pebble, tmp_path):
    lan()
    pebble = make_pebble()
    home = Home(tmp_path, pebble, [], ["ipv4"])
    home.wish("http01", listen=["*:%d" % pebble.http_port])
    with Daemons() as daemons:
        daemon = daemons.run(home)
        # As at a boot that was faster than the network.
        assert "No public IPv4 address was found" in daemon.stderr.readline()
        netns.ip("addr add 10.77.0.5/24 dev lan0")
        assert until(lambda: home.leaf("10.77.0.5"), 60) and until(lambda: not children(daemon.pid), 60)
        time.sleep(0.5)
        ticks, rss, maps = stat(daemon.pid)
        print("daemon: %d KB" % rss)
        assert rss <= 14 * 1024 and "cryptography" not in maps and "libcrypto" not in maps
        # What does not concern us wakes it, and starts nothing.
        netns.ip("-6 addr add fd00::5/64 dev lan0 nodad")
        netns.ip("addr add 10.77.0.55/24 dev lan0")
        time.sleep(1)
        assert not children(daemon.pid) and stat(daemon.pid)[0] <= ticks + 20
        netns.ip("addr del 10.77.0.55/24 dev lan0")

        changed = time.monotonic()
        netns.ip("addr flush dev lan0")
        netns.ip("addr add 10.77.0.6/24 dev lan0")
        assert until(lambda: home.record("10.77.0.6"), 60)
        print("noticed after %.1f s" % (time.monotonic() - changed))
        record = home.record("10.77.0.6")
        # P6: another lineage, held off for a day as the last address did not last. The old one stays in service.
        assert record.reason == plan.HELD and not record.file_id
        assert 23 * limits.HOUR < record.planned_at + limits.EPOCH_UNIX - time.time() < 25 * limits.HOUR
        old = home.record("10.77.0.5")
        assert old.doubted_at and old.file_id and (tmp_path / "live" / "10.77.0.5" / "privkey.pem").exists()
        assert home.json("status")["doubted"] == {"10.77.0.5": 1}

        # Where hours are seconds: it is let go, since it is on no interface any more, and its key is erased.
        home.wish("policy", min_ip_age="0s", compress=3600)
        daemon.send_signal(signal.SIGHUP)
        assert until(lambda: not (tmp_path / "live" / "10.77.0.5").exists(), 300)
        only = ["10.77.0.6"]
        assert until(lambda: [r.identifiers_text.text() for r in home.state().records()] == only, 60)
        assert until(lambda: not [n for n in os.listdir(tmp_path / "state") if n.startswith("key-")], 60)
        # The next one has a key of its own, and replaces nothing.
        assert until(lambda: not children(daemon.pid), 60)
        netns.ip("addr flush dev lan0")
        netns.ip("addr add 10.77.0.7/24 dev lan0")
        assert until(lambda: home.leaf("10.77.0.7"), 90)
        with open(pebble.log) as file:
            assert "has been marked as replaced" not in file.read()
        daemon.send_signal(signal.SIGTERM)
        out, err = daemon.communicate(timeout=60)
        assert daemon.returncode == 0, err
