"""The flash model, the file system on it, entropy over boots, and power cuts."""

import ast

import pytest

from tools.lib.board import flash, qemu


def test_programming_needs_an_erase(hub):
    hub.execute("import mps2\nflash = mps2.Flash()\nlast = flash.ioctl(4, 0) - 1\nflash.ioctl(6, last)")
    hub.execute("assert flash.writeblocks(last, b'\\x0f' * 16, 0) == 0")
    hub.execute("assert flash.writeblocks(last, b'\\x0e' * 16, 0) == 0")  # bits may be cleared
    hub.execute("assert flash.writeblocks(last, b'\\x10' * 16, 0) < 0")  # but not set
    assert (
        hub.evaluate("(lambda b: (flash.readblocks(last, b, 0), bytes(b))[1])(bytearray(2))")
        == r"b'\x0e\x0e'"
    )
    before = ast.literal_eval(hub.evaluate("flash.stats()"))
    hub.execute("flash.ioctl(6, last)")
    after = ast.literal_eval(hub.evaluate("flash.stats()"))
    assert after["erases"] == before["erases"] + 1 and after["refused"] == 1


def test_addresses_are_checked(hub):
    for call in (
        "readblocks(256, bytearray(1), 0)",
        "readblocks(0, bytearray(1), -1)",
        "readblocks(-1, bytearray(1), 0)",
    ):
        with pytest.raises(qemu.HubError, match="OSError"):
            hub.execute(f"import mps2\nmps2.Flash().{call}")
    assert int(hub.evaluate("mps2.Flash().readblocks(255, bytearray(2), 4095)")) < 0


def test_files_outlive_a_kill(new_hub):
    one = new_hub()
    one.put("/kept.bin", bytes(range(256)) * 10)
    one.kill()
    one.start()
    assert one.evaluate("open('/kept.bin', 'rb').read() == bytes(range(256)) * 10") == "True"
    assert flash.counters(one.flash)["boots"] == 2
    assert flash.counters(one.flash)["refused"] == 0


def test_entropy_is_fresh_at_every_boot_and_call(new_hub):
    seen = set()
    one = new_hub()
    for _ in range(3):
        seen.update(ast.literal_eval(one.evaluate("[__import__('os').urandom(16) for _ in range(3)]")))
        one.kill()
        one.start()
    assert len(seen) == 9


def test_no_entropy_no_secrets(new_hub):
    one = new_hub(entropy="none")
    assert one.evaluate("__import__('mps2').entropy()") == "False"
    with pytest.raises(qemu.HubError, match="no entropy source"):
        one.execute("import os\nos.urandom(1)")
    with pytest.raises(qemu.HubError, match="MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED|OSError"):
        one.execute("import tls\ntls.SSLContext(tls.PROTOCOL_TLS_CLIENT)")


REPLACE = """
import os
def replace(content):
    with open("/state.new", "wb") as f:
        f.write(content)
    os.rename("/state.new", "/state")
"""


def test_a_power_cut_leaves_the_old_or_the_new(new_hub):
    one = new_hub()
    one.execute(REPLACE)
    one.execute("replace(b'old' * 1000)")
    start = flash.counters(one.flash)["writes"]
    one.execute("replace(b'new' * 1000)")
    length = flash.counters(one.flash)["writes"] - start
    assert length >= 4
    found = []
    for nth in range(1, length + 1):
        one.execute("replace(b'old' * 1000)\nimport mps2\nmps2.Flash().cut(%d)" % nth)
        with pytest.raises(qemu.HubError, match="went off"):
            one.execute("replace(b'new' * 1000)\nreplace(b'new' * 1000)")
        assert one.wait() == 0
        one.start()
        found.append(one.evaluate("(lambda b: (len(b), b[:3]))(open('/state', 'rb').read())"))
        one.execute(REPLACE)
    assert set(found) <= {"(3000, b'old')", "(3000, b'new')"} and found[0] == "(3000, b'old')"
    assert flash.counters(one.flash)["cuts"] == length


def test_a_cut_first_format_is_finished_at_the_next_boot(new_hub):
    one = new_hub(cut=2)
    assert one.wait() == 0
    one.start(cut=0)
    one.put("/x", b"1")
    assert one.evaluate("open('/x').read()") == "'1'"


def test_the_write_log_carries_marks(new_hub):
    one = new_hub()
    one.execute("import mps2\nf = mps2.Flash()\nf.mark(7)\nopen('/a', 'w').write('x')\nf.mark(0)")
    assert 7 in {mark for mark, _, _ in flash.writes(one.flash)}
