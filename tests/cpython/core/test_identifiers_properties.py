"""Identifiers against Python's `ipaddress` and IANA's registries, and garbage."""

import ipaddress

import idna
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipcert import identifiers
from ipcert.errors import LocalError

pytestmark = pytest.mark.quick

# IANA IPv4 and IPv6 Special-Purpose Address Registries of 2025-04, every row, and multicast.
SPECIAL = {
    "0.0.0.0/8": "reserved",
    "0.0.0.0/32": "unspecified",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",
    "192.0.0.0/29": "reserved",
    "192.0.0.8/32": "reserved",
    "192.0.0.9/32": "reserved",
    "192.0.0.10/32": "reserved",
    "192.0.0.170/32": "reserved",
    "192.0.0.171/32": "reserved",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "reserved",
    "192.52.193.0/24": "reserved",
    "192.88.99.0/24": "6to4",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "reserved",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
    "255.255.255.255/32": "broadcast",
    "::1/128": "loopback",
    "::/128": "unspecified",
    "::ffff:0:0/96": "mapped",
    "64:ff9b::/96": "nat64",
    "64:ff9b:1::/48": "nat64",
    "100::/64": "discard",
    "100:0:0:1::/64": "reserved",
    "2001::/23": "reserved",
    "2001::/32": "teredo",
    "2001:1::1/128": "reserved",
    "2001:1::2/128": "reserved",
    "2001:1::3/128": "reserved",
    "2001:2::/48": "benchmarking",
    "2001:3::/32": "reserved",
    "2001:4:112::/48": "reserved",
    "2001:10::/28": "reserved",
    "2001:20::/28": "reserved",
    "2001:30::/28": "reserved",
    "2001:db8::/32": "documentation",
    "2002::/16": "6to4",
    "2620:4f:8000::/48": "reserved",
    "3fff::/20": "documentation",
    "5f00::/16": "reserved",
    "fc00::/7": "ula",
    "fe80::/10": "link-local",
    "ff00::/8": "multicast",
    # Not in the registry: everything outside global unicast (RFC 4291 2.4) is unassigned.
    "2000::/3": "public",
    "::/0": "reserved",
    "0.0.0.0/0": "public",
}
NETWORKS = sorted(
    ((ipaddress.ip_network(block), scope) for block, scope in SPECIAL.items()),
    key=lambda row: -row[0].prefixlen,
)
# Blocks that `ipaddress.is_global` of some supported Python calls global and we refuse, with the reason.
STRICTER = [
    ipaddress.ip_network(block)
    for block in (
        "192.0.0.0/24",  # older Pythons know only parts of it, newer ones allow its anycast addresses
        "192.31.196.0/24",  # registered as globally reachable anycast (AS112): nobody's own address
        "192.52.193.0/24",  # the same (AMT)
        "192.175.48.0/24",  # the same (AS112)
        "192.88.99.0/24",  # deprecated 6to4 relay: no value in the registry's column
        "224.0.0.0/4",  # multicast is global to Python, and no host
        "64:ff9b::/96",  # reachable, but an IPv4 address in disguise
        "64:ff9b:1::/48",  # newer than some Pythons
        "100:0:0:1::/64",  # the same
        "2001::/23",  # Python allows the anycast, AMT, AS112, ORCHID and DET parts, older ones more
        "2002::/16",  # 6to4: no value in the registry's column
        "2620:4f:8000::/48",  # AS112 again
        "3fff::/20",  # newer than some Pythons
        "5f00::/16",  # the same
        "ff00::/8",  # multicast again
    )
]
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")

addresses = st.one_of(
    st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address),
    st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address),
    st.integers(0, 2**125 - 1).map(lambda n: ipaddress.IPv6Address((1 << 125) + n)),
    # Few non-zero groups, for the '::' rules.
    st.lists(st.sampled_from([0, 0, 0, 1, 0x10, 0xABCD]), min_size=8, max_size=8).map(
        lambda groups: ipaddress.IPv6Address(b"".join(g.to_bytes(2, "big") for g in groups))
    ),
    # On and around the edge of each block.
    st.builds(
        lambda row, last, step: type(row[0][0])(
            max(0, min(int(row[0][-1] if last else row[0][0]) + step, 2 ** row[0].max_prefixlen - 1))
        ),
        st.sampled_from(NETWORKS),
        st.booleans(),
        st.integers(-2, 2),
    ),
)


def inside(address, network):
    return address.version == network.version and address in network


@given(addresses)
def test_scope_is_the_longest_registered_prefix(address):
    want = next(scope for network, scope in NETWORKS if inside(address, network))
    assert identifiers.scope(address.packed) == want


@given(addresses)
def test_public_means_global_to_python_too(address):
    ours = identifiers.scope(address.packed) == "public"
    excused = any(inside(address, network) for network in STRICTER)
    if address.version == 6 and address not in GLOBAL_UNICAST:
        excused = True  # Python calls unassigned space global
    assert ours == address.is_global or (excused and not ours)


def mixed(address):
    """How some versions of Python write IPv4-mapped addresses; ours writes hex groups everywhere."""
    return address.version == 6 and address.ipv4_mapped is not None


@given(addresses)
def test_text_is_that_of_ipaddress(address):
    if not mixed(address):
        assert identifiers.format_ip(address.packed) == str(address)


@given(addresses, st.sampled_from([str, str.upper, lambda t: ipaddress.ip_address(t).exploded]))
def test_every_spelling_gives_one_identifier(address, spell):
    if mixed(address):
        return
    made = identifiers.parse(spell(str(address)))
    assert (made.raw, made.value, made.family) == (address.packed, str(address), address.version)
    assert made == identifiers.parse(made.value)


@given(st.text(alphabet="0123456789abcdefABCDEF:.x", max_size=45))
@example("1:2:3:4:5:6:7:8")
@example("1::2:3:4:5:6:7:8")
def test_accepts_no_address_that_ipaddress_refuses(text):
    try:
        made = identifiers.parse(text)
    except LocalError:
        return
    if made.kind == "ip":
        assert ipaddress.ip_address(text).packed == made.raw


@given(st.text(alphabet="0123456789abcdef:", min_size=2, max_size=39))
def test_refuses_no_address_that_ipaddress_takes(text):
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return
    if not mixed(address):
        assert identifiers.parse(text).raw == address.packed


@given(st.text(max_size=300) | st.text(alphabet="aA0-.*_:/[]%xn\u00e9", max_size=80))
def test_garbage_raises_only_ours(text):
    try:
        made = identifiers.parse(text)
    except LocalError as e:
        assert e.code == "identifier"
        assert str(e).isprintable()
        return
    assert identifiers.parse(made.value) == made
    assert all(c in "abcdefghijklmnopqrstuvwxyz0123456789-.:*" for c in made.value)


def test_with_a_real_idna_converter():
    def to_ascii(text):
        return idna.encode(text, uts46=True).decode()

    assert identifiers.parse("*.B\u00fccher.example.org.", to_ascii).value == "*.xn--bcher-kva.example.org"
    for text in ("b\u00fccher..org", "\u200d.org", "\uff11.2.3.4", "a\uff0fb.org", "\ud800.org"):
        with pytest.raises(LocalError):
            identifiers.parse(text, to_ascii)
