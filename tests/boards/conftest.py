"""Boots the hub board once for each file: an idle one takes a part of a core. What is missing (toolchain, sources, image) is made first."""

import pytest
from certificates import Authority

from tools.lib.board import firmware, qemu

HUB = "QEMU_MPS2_AN385"


@pytest.fixture(scope="session")
def image():
    return firmware.build(HUB) / "firmware.elf"


@pytest.fixture(scope="module")
def hub(image, tmp_path_factory):
    """A hub at its prompt, with its network up and ports 80 and 443 forwarded."""
    flash = tmp_path_factory.mktemp("hub") / "flash"
    with qemu.Hub(image, flash, ports=(80, 443), boot={"main": "off"}) as one:
        one.execute(NETWORK_UP)
        yield one


@pytest.fixture
def new_hub(image, tmp_path):
    """Makes hubs with a flash of their own: new_hub(boot arguments)."""
    made = []

    def make(**boot):
        one = qemu.Hub(image, tmp_path / "flash", ports=(80,), boot={"main": "off", **boot})
        made.append(one)
        one.start()
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def authority():
    return Authority()


NETWORK_UP = """
import network, time
lan = network.LAN()
lan.active(True)
for _ in range(100):
    if lan.isconnected():
        break
    time.sleep_ms(50)
assert lan.isconnected(), lan.status()
"""
