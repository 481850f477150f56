"""What a certificate can be for: DNS names (RFC 8555 7.1.3), IP addresses (RFC 8738), each in one spelling.

What holds:

- Two texts that mean the same identifier become equal Identifiers with the same `value`: lower-case A-labels without a
  final dot, dotted IPv4, IPv6 as RFC 5952 writes it. The CA compares bytes, and so does everything here: the order, the
  authorization, the subjectAltName, the journal.
- What could be read in two ways is refused, not guessed: a leading zero (octal to some software), an IPv4 address
  inside an IPv6 one, a number as last label. A certificate for another address than the owner meant would be worse
  than none, and it stays in the public log.
- An address that no public CA can validate is known as such before anything is asked of one (`check_public`), and the
  owner is told why and what to use instead. Public follows the CA/Browser Forum: nothing that stands in IANA's
  special-purpose registries, whatever they say about its reachability.

The owner's input is parsed here, so everything raises LocalError("identifier", ...) with the reason. What the CA says
about identifiers is only ever compared with these (`acme.challenge.identifier_of`).
"""

from . import features, limits
from .errors import LocalError

_SCOPES = (
    "public",
    "reserved",
    "unspecified",
    "private",
    "shared",
    "loopback",
    "link-local",
    "documentation",
    "6to4",
    "benchmarking",
    "multicast",
    "broadcast",
    "mapped",
    "nat64",
    "discard",
    "teredo",
    "ula",
)
# IANA IPv4 and IPv6 Special-Purpose Address Registries (2025-04) and multicast. Each row: the prefix's
# bits, its number in _SCOPES, as many prefix bytes as the bits need. The first match wins, so a narrower prefix stands
# before the wider one around it. Bytes and not tuples: frozen, they stay in flash, and looking up allocates nothing.
_IPV4 = (
    b"\x20\x02\x00\x00\x00\x00"  # 0.0.0.0/32 unspecified
    b"\x08\x01\x00"  # 0.0.0.0/8 reserved
    b"\x08\x03\x0a"  # 10.0.0.0/8 private
    b"\x0a\x04\x64\x40"  # 100.64.0.0/10 shared
    b"\x08\x05\x7f"  # 127.0.0.0/8 loopback
    b"\x10\x06\xa9\xfe"  # 169.254.0.0/16 link-local
    b"\x0c\x03\xac\x10"  # 172.16.0.0/12 private
    b"\x18\x01\xc0\x00\x00"  # 192.0.0.0/24 reserved, its anycast addresses included
    b"\x18\x07\xc0\x00\x02"  # 192.0.2.0/24 documentation
    b"\x18\x01\xc0\x1f\xc4"  # 192.31.196.0/24 reserved (AS112)
    b"\x18\x01\xc0\x34\xc1"  # 192.52.193.0/24 reserved (AMT)
    b"\x18\x08\xc0\x58\x63"  # 192.88.99.0/24 6to4 (relay anycast, deprecated)
    b"\x10\x03\xc0\xa8"  # 192.168.0.0/16 private
    b"\x18\x01\xc0\xaf\x30"  # 192.175.48.0/24 reserved (AS112)
    b"\x0f\x09\xc6\x12"  # 198.18.0.0/15 benchmarking
    b"\x18\x07\xc6\x33\x64"  # 198.51.100.0/24 documentation
    b"\x18\x07\xcb\x00\x71"  # 203.0.113.0/24 documentation
    b"\x04\x0a\xe0"  # 224.0.0.0/4 multicast
    b"\x20\x0b\xff\xff\xff\xff"  # 255.255.255.255/32 broadcast
    b"\x04\x01\xf0"  # 240.0.0.0/4 reserved
    b"\x00\x00"  # 0.0.0.0/0 public
)
_IPV6 = (
    b"\x80\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"  # ::/128 unspecified
    b"\x80\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"  # ::1/128 loopback
    b"\x60\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff"  # ::ffff:0:0/96 mapped
    b"\x60\x0d\x00\x64\xff\x9b\x00\x00\x00\x00\x00\x00\x00\x00"  # 64:ff9b::/96 nat64
    b"\x30\x0d\x00\x64\xff\x9b\x00\x01"  # 64:ff9b:1::/48 nat64
    b"\x40\x0e\x01\x00\x00\x00\x00\x00\x00\x00"  # 100::/64 discard
    b"\x20\x0f\x20\x01\x00\x00"  # 2001::/32 teredo
    b"\x30\x09\x20\x01\x00\x02\x00\x00"  # 2001:2::/48 benchmarking
    b"\x17\x01\x20\x01\x00"  # 2001::/23 reserved (anycast, AMT, AS112, ORCHID, drones)
    b"\x20\x07\x20\x01\x0d\xb8"  # 2001:db8::/32 documentation
    b"\x10\x08\x20\x02"  # 2002::/16 6to4
    b"\x30\x01\x26\x20\x00\x4f\x80\x00"  # 2620:4f:8000::/48 reserved (AS112)
    b"\x14\x07\x3f\xff\x00"  # 3fff::/20 documentation
    b"\x03\x00\x20"  # 2000::/3 public: the rest of global unicast
    b"\x07\x10\xfc"  # fc00::/7 ula
    b"\x0a\x06\xfe\x80"  # fe80::/10 link-local
    b"\x08\x0a\xff"  # ff00::/8 multicast
    b"\x00\x01"  # ::/0 reserved: unassigned, or registered (100:0:0:1::/64, 5f00::/16)
)
# Names that no public CA can certify (RFC 6761, 6762, 7686, 8375, 9476, ICANN's "internal", and home
# routers' habits).
_LOCAL = (
    "local", "localhost", "localdomain", "lan", "home", "home.arpa", "internal", "intranet", "private",
    "corp", "test", "example", "invalid", "onion", "alt",
)  # fmt: skip


def scope(raw):
    """Where an address of 4 or 16 bytes is good for: "public", or why it is not. Allocates nothing."""
    rows = _IPV4 if len(raw) == 4 else _IPV6
    row = 0
    while True:
        bits = rows[row]
        position = row + 2  # of the prefix's next byte in the rows; index: of the address's
        index = 0
        while bits > 7 and raw[index] == rows[position]:
            bits -= 8
            position += 1
            index += 1
        # All whole bytes are equal; of the rest the upper bits count.
        if bits == 0 or bits < 8 and (raw[index] ^ rows[position]) >> 8 - bits == 0:
            return _SCOPES[rows[row + 1]]
        row += 2 + (rows[row] + 7) // 8  # the last row has no bits and matches everything


def format_ip(raw):
    """The text of 4 or 16 bytes: dotted IPv4, or IPv6 as RFC 5952 4 writes it."""
    if len(raw) == 4:
        return "%d.%d.%d.%d" % (raw[0], raw[1], raw[2], raw[3])
    groups = [raw[index] << 8 | raw[index + 1] for index in range(0, 16, 2)]
    # The longest run of zero groups becomes "::", the first one of equals (RFC 5952 4.2).
    best = run = first = 0
    for index in range(8):
        run = 0 if groups[index] else run + 1
        if run > best:
            best = run
            first = index + 1 - run
    texts = ["%x" % group for group in groups]
    if best < 2:  # one group alone is not shortened (4.2.2)
        return ":".join(texts)
    return ":".join(texts[:first]) + "::" + ":".join(texts[first + best :])


class Identifier:
    """One name or address. Made by `parse` and not changed afterwards; equal where kind and raw are.

    kind    "dns" | "ip", as RFC 8555 and RFC 8738 spell it
    value   canonical text: lower-case A-labels without trailing dot, dotted IPv4, RFC 5952 IPv6
    raw     bytes: the name in ASCII, or the packed address
    family  0 (a name), 4 or 6
    scope   "public", or why a public CA cannot validate it
    eui64   True for an IPv6 address made from a network card's hardware address (RFC 4291 appendix A)
    """

    def __init__(self, kind, value, raw, family, where, eui64):
        self.kind = kind
        self.value = value
        self.raw = raw
        self.family = family
        self.scope = where
        self.eui64 = eui64

    def __eq__(self, other):
        return isinstance(other, Identifier) and self.kind == other.kind and self.raw == other.raw

    def __hash__(self):
        return hash(self.raw)

    def __repr__(self):
        return "Identifier(%s)" % self.value


def _bad(text, why):
    raise LocalError("identifier", "%r cannot be certified: %s." % (text[:80], why))


def _number(text):
    """True for what old software reads as one number of an IPv4 address: decimal, octal or hex."""
    if text[:2] == "0x":
        text = text[2:]
        return all(character in "0123456789abcdef" for character in text)
    return text.isdigit()


def _ipv4(text):
    parts = text.split(".")
    if len(parts) != 4:
        _bad(text, "what ends in a number must be an IPv4 address, four numbers like 192.0.2.7")
    for part in parts:
        if not part.isdigit():
            _bad(text, "write the numbers in decimal")
        if len(part) > 1 and part[0] == "0":
            _bad(text, "a leading zero means octal to some software; drop it")
        if len(part) > 3 or int(part) > 255:
            _bad(text, "its numbers go up to 255")
    return bytes([int(part) for part in parts])


def _ipv6(text):
    if "." in text:
        _bad(text, "give the IPv4 address alone, or IPv6 in hex groups only")
    halves = text.lower().split("::")
    groups = halves[0].split(":") if halves[0] else []
    if len(halves) == 2:
        tail = halves[1].split(":") if halves[1] else []
        groups += ["0"] * max(1, 8 - len(groups) - len(tail)) + tail
    if len(halves) > 2 or len(groups) != 8:
        _bad(text, "IPv6 is eight groups, with '::' once at most")
    raw = bytearray(16)
    for index in range(8):
        group = groups[index]
        if not 0 < len(group) < 5 or not all(character in "0123456789abcdef" for character in group):
            _bad(text, "IPv6 groups are one to four hex digits")
        raw[2 * index] = int(group, 16) >> 8
        raw[2 * index + 1] = int(group, 16) & 255
    return bytes(raw)


def _ip(text, raw):
    where = scope(raw)
    # The same address would have two spellings, and a certificate for one does not fit the other.
    if where == "mapped":
        _bad(text, "it is an IPv4 address inside an IPv6 one; give %s itself" % format_ip(raw[12:]))
    is_ipv6 = len(raw) == 16
    # ff:fe in the middle and the universal bit set, no group address: made from a network card's address.
    eui64 = is_ipv6 and raw[11] == 255 and raw[12] == 254 and raw[8] & 3 == 2
    return Identifier("ip", format_ip(raw), raw, 6 if is_ipv6 else 4, where, eui64)


def _labels(text, base):
    for label in base.split("."):
        if not label:
            _bad(text, "a part of it is empty")
        if len(label) > limits.LABEL:
            _bad(text, "a part of it is longer than %d" % limits.LABEL)
        if "*" in label:
            _bad(text, "a wildcard is the whole first part, like *.example.net")
        for character in label:
            if character not in "abcdefghijklmnopqrstuvwxyz0123456789-":
                _bad(text, "names have only letters, digits, hyphens and dots")
        if label[0] == "-" or label[-1] == "-":
            _bad(text, "no part begins or ends with a hyphen")
        if label[2:4] == "--" and label[:4] != "xn--":
            _bad(text, "'--' in third place is reserved (RFC 5891)")


def _name_scope(base):
    for suffix in _LOCAL:
        if base == suffix or base.endswith("." + suffix):
            return "local"
    return "public" if "." in base else "single-label"


def _dns(text, name):
    base = name[2:] if name[:2] == "*." else name
    _labels(text, base)
    if len(name) > limits.NAME:
        _bad(text, "it is longer than %d" % limits.NAME)
    # The WHATWG URL standard, and so every browser, reads such a name as an IPv4 address.
    if _number(base.split(".")[-1]):
        _bad(text, "it ends in a number")
    return Identifier("dns", name, name.encode(), 0, _name_scope(base), False)


def _form(text):
    """Raise where the text is something that people write around an identifier."""
    for character in text:
        if ord(character) <= 32 or ord(character) == 127:
            _bad(text, "there is a space or a control character in it")
    if "://" in text:
        _bad(text, "it is a URL; give the name or address in it")
    if "[" in text or "]" in text:
        _bad(text, "leave out the brackets and the port")
    if "%" in text:
        _bad(text, "a zone (%) means nothing elsewhere; give a global address")
    if "/" in text:
        if _number(text.split("/")[1]):
            _bad(text, "it is a network; give one address")
        _bad(text, "leave out the path")
    if text.count(":") == 1:
        _bad(text, "leave out the port")


def parse(text, to_ascii=None):
    """An Identifier from what the owner wrote (str). At the edge: it allocates. Raises LocalError("identifier").

    `to_ascii` is the port's IDNA function: a name with U-labels in, A-labels out, ValueError where there is
    no such name. Without one a name must be written in its xn-- form.
    """
    if not isinstance(text, str) or not text:
        raise LocalError("identifier", "An identifier is empty; give a name or an address.")
    _form(text)
    if ":" in text:
        return _ip(text, _ipv6(text))
    name = text
    if any(ord(character) > 126 for character in text):
        if to_ascii is None:
            _bad(text, "write it as xn--..., this device cannot convert it")
        star = 2 if text[:2] == "*." else 0
        try:
            name = text[:star] + to_ascii(text[star:])
        except ValueError as e:
            _bad(text, "it is no valid international name (%s)" % e)
    elif _number(text.lower().rstrip(".").split(".")[-1]):
        return _ip(text, _ipv4(text))
    name = name.lower()
    return _dns(text, name[:-1] if name[-1:] == "." else name)


def check_public(identifier, test_ca=False):
    """Raise LocalError("not-public") with the reason where no public CA can validate it and it is no test CA."""
    if identifier.scope == "public" or test_ca:
        return
    why = features.part("texts").scope(identifier.scope) if features.has("texts") else ""
    if not why:
        why = "is a special one (%s), which no public CA certifies. Use a public one." % identifier.scope
    raise LocalError("not-public", "%s %s" % (identifier.value, why))
