"""The bounds and checks that stand between the outside and a device, each by itself. `test_mutations` takes them away."""

import pytest

from ipcert import limits
from ipcert.acme import http01, message
from ipcert.errors import LocalError, RemoteError
from ipcert.operation_commands import Revocation
from tools.lib.faults import ca, disk, power
from tools.lib.faults.home import START, Home, Port

pytestmark = pytest.mark.quick

TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
TEXT = TOKEN + ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"


def test_a_body_above_the_limit_is_refused():
    assert message.parse(b'{"a":"%s"}' % (b"x" * 16000))
    with pytest.raises(RemoteError) as e:
        message.parse(b'{"a":"%s"}' % (b"x" * 16384))
    assert e.value.code == "too-large"


def asked(data):
    answers = http01.Answers()
    answers.publish(TOKEN, TEXT)
    return http01.Request(answers).feed(data, len(data))


def test_a_line_above_the_limit_is_refused():
    assert asked(b"GET /" + b"a" * 300) == asked(b"GET /" + b"a" * 3000)
    assert asked(b"GET /" + b"a" * 300).startswith(b"HTTP/1.1 414 ")


def test_only_a_known_and_wellformed_token_is_answered():
    assert asked(b"GET %s%s HTTP/1.1\r\n\r\n" % (http01.PATH, TOKEN.encode())).endswith(TEXT.encode())
    for other in (b"x", TOKEN.encode()[:-1], TOKEN.encode() + b"?", b"../etc/passwd", b"%2e%2e"):
        assert asked(b"GET %s%s HTTP/1.1\r\n\r\n" % (http01.PATH, other)).startswith(b"HTTP/1.1 404 ")
    for bad in ("", "../x", "a/b", "a b", "a" * (limits.TOKEN + 1)):
        with pytest.raises(RemoteError):
            http01.Answers().publish(bad, bad + ".x")


class Repeating(Port):
    """A port whose signer makes one key again and again, as on a machine whose random numbers repeat."""

    def __init__(self, store):
        super().__init__(store)
        generate = self.signer.generate
        export, load = self.signer.export, self.signer.load
        made = []

        def again(slot):
            if slot == limits.SUBJECT and made:
                return load(slot, made[0])
            generate(slot)
            if slot == limits.SUBJECT:
                d = bytearray(32)
                export(slot, d, 0)
                made.append(bytes(d))

        self.signer.generate = again


def test_a_random_source_that_repeats_itself_is_noticed():
    home = Home(disk.Disk(), ca.CA({}), [power.ADDRESS], port=Repeating)
    home.run()
    first = home.record(power.ADDRESS).file_id
    # The live key is compared by itself: the ring is for keys of certificates that are retired.
    home.device.event("revoke", Revocation(power.ADDRESS, 4))
    home.run()
    home.device.event("renew", power.ADDRESS)
    home.run()
    assert first and home.device.last_error is not None and home.device.last_error.code == "key-reuse"
    assert home.ca.broken == [] and not home.record(power.ADDRESS).file_id


def test_a_certificate_for_another_key_is_refused():
    home = Home(disk.Disk(), ca.CA({}), [power.ADDRESS])
    home.run()
    chains = [o["chain"] for o in home.ca.orders.values()]
    home.after = lambda it, answer: (200, answer[1], chains[0]) if "/cert/" in it.url else answer
    before = home.record(power.ADDRESS).file_id
    home.device.event("renew", power.ADDRESS)
    home.run()
    assert home.device.last_error.code == "wrong-certificate" and home.record(power.ADDRESS).file_id == before


class Poor(Port):
    """A port that says that its entropy is not good enough."""

    def __init__(self, store):
        super().__init__(store)
        self.entropy.quality = "poor"


def test_poor_entropy_makes_no_key_and_says_so():
    home = Home(disk.Disk(), ca.CA({}), [power.ADDRESS], port=Poor)
    home.run()
    assert isinstance(home.device.last_error, LocalError) and home.device.last_error.code == "entropy"
    assert not home.ca.accounts and not [n for n in home.disk.files() if n.startswith(("key", "account"))]
    assert home.record(power.ADDRESS).planned_at > START
