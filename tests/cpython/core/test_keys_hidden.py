"""No byte of a key where it does not belong: logs, errors, files, and every buffer that is reachable from a device."""

import gc
import sys
import types

import pytest
from key_bytes import holds

import ipcert
from ipcert import limits
from ipcert.errors import Error, LocalError, RemoteError
from ipcert.operation_commands import Revocation
from tools.lib.faults import ca, disk, power
from tools.lib.faults.home import Home, Port

SECRET = bytes(range(32))


class Watched(Port):
    """A port that remembers every scalar that its signer makes."""

    def __init__(self, store, **options):
        super().__init__(store, **options)
        self.made = []
        generate = self.signer.generate

        def watched(slot):
            generate(slot)
            d = bytearray(32)
            self.signer.export(slot, d, 0)
            self.made.append(bytes(d))

        self.signer.generate = watched


def sealed(store):
    """A port with a device secret: keys are sealed at rest."""
    from ucryptolib_shim import aes

    return Watched(store, secret=SECRET, aes=aes)


def reachable(device):
    """Every bytes-like and str that can be reached from a device, and from the core's modules, without its signer."""
    seen = {id(device.port)}
    todo = [value for name, value in vars(device).items() if name != "port"]
    for name in list(sys.modules):
        if name == ipcert.__name__ or name.startswith(ipcert.__name__ + "."):
            todo += [v for v in vars(sys.modules[name]).values() if not isinstance(v, types.ModuleType)]
    skip = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType, Port)
    signer = device.port.signer
    while todo:
        one = todo.pop()
        if id(one) in seen or one is signer or one is device.port or isinstance(one, skip):
            continue
        seen.add(id(one))
        if isinstance(one, (bytes, bytearray, memoryview, str)):
            yield one
        else:
            todo += gc.get_referents(one)


def scenarios(home):
    """A life, with a stop after each scene."""
    home.run()
    home.run(home.now + limits.HOUR)
    yield "issued"
    home.device.event("renew", power.ADDRESS)
    home.run()
    yield "renewed"
    home.before = lambda it: RemoteError("network", "gone") if "keyChange" in it.url else None
    home.device.event("account", "rollover")
    home.run()
    yield "rollover failed"
    home.before = None
    home.device.event("account", "rollover")
    home.run()
    home.device.event("renew", power.NAME)
    home.run()
    yield "rolled over"
    home.after = lambda it, answer: (
        400,
        {"content-type": "application/problem+json"},
        bytes(it.body[: it.size]),
    )
    home.device.event("renew", power.NAME)
    home.run()
    yield "refused, with our own words"
    home.after = None
    home.device.event("revoke", Revocation(power.ADDRESS, 1, True))
    home.run()
    yield "revoked by its key"
    for name in [n for n in home.disk.names if n.startswith("key-")]:
        home.disk.names[name].live[50] ^= 1
    home.device.event("renew", power.NAME)
    home.run()
    yield "a key file is damaged"


@pytest.mark.parametrize("make", [Watched, sealed])
def test_no_key_byte_outside_its_file(make):
    home = Home(disk.Disk(), ca.CA({}), [power.NAME, power.ADDRESS], port=make)
    told = []
    for scene in scenarios(home):
        scalars = home.port.made
        assert len(scalars) >= 3
        told += [str(n) for n in home.notices] + [str(home.device.last_error)]
        for piece in reachable(home.device):
            assert not holds(piece, scalars), (scene, type(piece), len(piece))
        for name, data in home.disk.files().items():
            if make is Watched and name.startswith(("key-", "account-")):
                continue
            assert not holds(data, scalars), (scene, name)
    assert not holds("".join(told), home.port.made)
    # The test can see a key: in a buffer of the core, and in the files that are not sealed.
    home.device.exchange.scratch[3:35] = home.port.made[0]
    assert any(holds(piece, home.port.made) for piece in reachable(home.device))
    if make is Watched:
        assert any(holds(d, home.port.made) for n, d in home.disk.files().items() if n.startswith("account-"))
    # Retired keys are gone from the medium: two live lineages at most, and the account.
    assert len([n for n in home.disk.files() if n.startswith("key-")]) <= 2
    assert len([n for n in home.disk.files() if n.startswith("account-")]) == 1


def test_a_sealed_store_refuses_another_secret():
    home = Home(disk.Disk(), ca.CA({}), [power.ADDRESS], port=sealed)
    home.run()

    def other(store):
        port = sealed(store)
        port.secret = bytes(32)
        return port

    files = {name: data for name, data in home.disk.files().items() if not name.startswith("journal")}
    with pytest.raises(LocalError) as e:
        again = Home(home.disk, home.ca, [power.ADDRESS], home.now + 60, port=other)
        again.run()
        raise again.device.last_error
    assert e.value.code == "key-file"
    after = home.disk.files()
    assert all(after.get(name) == data for name, data in files.items() if name.startswith(("key", "account")))


def test_errors_never_carry_what_was_signed():
    home = Home(disk.Disk(), ca.CA({}), [power.ADDRESS], port=Watched)
    home.run()
    signer = home.port.signer
    for call in (
        lambda: signer.load(0, bytes(32)),
        lambda: signer.load(0, home.port.made[0] + b"x"),
        lambda: signer.sign(2, b"", 0, 0, bytearray(64), 0),
        lambda: signer.jws(0, [b"{}"], b"", 0, bytearray(10), 0),
    ):
        with pytest.raises(Error) as e:
            call()
        assert not holds(repr(e.value) + str(e.value.args), home.port.made)
