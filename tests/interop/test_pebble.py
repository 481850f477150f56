"""The harness itself: what the other interop tests take for granted about Pebble and the counts."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tools.lib import cache, loopback


def get(url, cafile):
    context = ssl.create_default_context(cafile=cafile)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    with opener.open(url, timeout=10) as response:
        return response.read().decode()


def test_directory_lists_both_profiles(pebble):
    text = get(pebble.directory_url, pebble.tls_root)
    assert '"classic"' in text and '"shortlived"' in text and '"renewalInfo"' in text


def test_every_request_and_connection_is_counted(pebble):
    for _ in range(3):
        get(pebble.directory_url, pebble.tls_root)
    assert pebble.requests() == [("GET", "/dir")] * 3
    seen = pebble.traffic()
    assert (seen.connections, seen.tls) == (3, 3)
    assert seen.up > 3 * 300 and seen.down > 3 * 500


def test_a_connection_that_is_not_tls_is_told_apart(pebble):
    port = int(pebble.directory_url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        plain.sendall(b"GET /dir HTTP/1.0\r\n\r\n")
        while plain.recv(4096):
            pass
    seen = pebble.traffic()
    assert (seen.connections, seen.tls) == (1, 0)


def test_pauses_of_the_client_are_seen(pebble):
    get(pebble.directory_url, pebble.tls_root)
    time.sleep(0.3)
    get(pebble.directory_url, pebble.tls_root)
    assert 0.3 <= pebble.traffic().slept() < 2


def test_the_issuing_root_does_not_verify_the_cas_own_https(pebble):
    with pytest.raises(urllib.error.URLError) as caught:
        get(pebble.directory_url, pebble.root())
    assert isinstance(caught.value.reason, ssl.SSLCertVerificationError)


def test_alternate_roots_differ(make_pebble):
    running = make_pebble(alternates=2)
    roots = {open(running.root(number)).read() for number in range(3)}
    assert len(roots) == 3 and all(text.startswith("-----BEGIN CERTIFICATE-----") for text in roots)


def test_dns_answers_what_it_was_told(pebble):
    def ask(name):
        question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
        packet = b"\x12\x34\x01\x00\x00\x01\0\0\0\0\0\0" + question + b"\0\x01\0\x01"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(10)
            sock.sendto(packet, ("127.0.0.1", pebble.dns_port))
            return sock.recv(512)

    assert bytes([127, 0, 0, 1]) in ask("other.example")
    pebble.dns("add-a", host="nas.example.", addresses=["192.0.2.7"])
    assert bytes([192, 0, 2, 7]) in ask("nas.example")
    pebble.dns("clear-a", host="nas.example.")
    assert bytes([127, 0, 0, 1]) in ask("nas.example")


def test_stopped_it_is_out_of_reach_and_started_it_is_back(make_pebble):
    running = make_pebble()
    running.stop()
    with pytest.raises(urllib.error.URLError):
        get(running.directory_url, running.tls_root)
    running.start()
    assert "newOrder" in get(running.directory_url, running.tls_root)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_however_the_owner_dies(how):
    program = (
        "import signal, sys, time; from tools.lib.ca.pebble import Pebble\n"
        # Whoever runs the tests in the background of a script has had SIGINT ignored, and children inherit that.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with Pebble() as running:\n"
        "    print(*[child.pid for child in running._children], flush=True)\n"
        "    time.sleep(60)\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=cache.ROOT,
    )
    with owner:
        pids = [int(word) for word in owner.stdout.readline().split()]
        assert len(pids) == 2
        owner.send_signal(how)
        owner.wait(timeout=30)
    assert loopback.wait_until(
        lambda: not any(os.path.exists(f"/proc/{pid}/cmdline") and _alive(pid) for pid in pids), 30
    )


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
