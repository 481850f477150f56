"""Identifiers: one spelling each, the reason for every refusal, and what a public CA can reach."""

import unittest

from portable_support import code_of, locked

from ipcert import identifiers, limits
from ipcert.errors import LocalError
from ipcert.identifiers import parse

GOOD = (
    # text, kind, value, family, scope
    ("Home.Example.ORG.", "dns", "home.example.org", 0, "public"),
    ("*.example.org", "dns", "*.example.org", 0, "public"),
    ("xn--bcher-kva.example.org", "dns", "xn--bcher-kva.example.org", 0, "public"),
    ("1.2.3.4.example.org", "dns", "1.2.3.4.example.org", 0, "public"),
    ("3com.com", "dns", "3com.com", 0, "public"),
    ("0x7f.a1", "dns", "0x7f.a1", 0, "public"),
    ("a." * 126 + "b", "dns", "a." * 126 + "b", 0, "public"),
    ("l" * 63 + ".org", "dns", "l" * 63 + ".org", 0, "public"),
    ("nas", "dns", "nas", 0, "single-label"),
    ("*.org", "dns", "*.org", 0, "single-label"),
    ("localhost", "dns", "localhost", 0, "local"),
    ("NAS.local", "dns", "nas.local", 0, "local"),
    ("nas.home.arpa.", "dns", "nas.home.arpa", 0, "local"),
    ("fritz.box.lan", "dns", "fritz.box.lan", 0, "local"),
    ("a.internal", "dns", "a.internal", 0, "local"),
    ("a.test", "dns", "a.test", 0, "local"),
    ("abcdefgh.onion", "dns", "abcdefgh.onion", 0, "local"),
    ("nolocal.org", "dns", "nolocal.org", 0, "public"),
    ("notlocal", "dns", "notlocal", 0, "single-label"),
    ("8.8.8.8", "ip", "8.8.8.8", 4, "public"),
    ("255.255.255.255", "ip", "255.255.255.255", 4, "broadcast"),
    ("0.0.0.0", "ip", "0.0.0.0", 4, "unspecified"),
    ("127.0.0.1", "ip", "127.0.0.1", 4, "loopback"),
    ("::1", "ip", "::1", 6, "loopback"),
    ("::", "ip", "::", 6, "unspecified"),
    # RFC 5952 4: leading zeros, '::' for the longest run, the first of equals, not for one group, lower case.
    ("2A02:0DB8:0:0:0:0:2:1", "ip", "2a02:db8::2:1", 6, "public"),
    ("2a02:db8:0:1:1:1:1:1", "ip", "2a02:db8:0:1:1:1:1:1", 6, "public"),
    ("2a02:0:0:1:0:0:0:1", "ip", "2a02:0:0:1::1", 6, "public"),
    ("2a02:db8:0:0:1:0:0:1", "ip", "2a02:db8::1:0:0:1", 6, "public"),
    ("2a02:1:2:3:4:5:6::", "ip", "2a02:1:2:3:4:5:6:0", 6, "public"),
    ("2a02::3:4:5:6:7:8", "ip", "2a02:0:3:4:5:6:7:8", 6, "public"),
    ("2a02:1:2:3:4:5:0:0", "ip", "2a02:1:2:3:4:5::", 6, "public"),
)

BAD = (
    # text, a word of the reason
    ("", "empty"),
    (".", "empty"),
    ("..", "empty"),
    ("a..b", "empty"),
    (".a.b", "empty"),
    ("a.b..", "empty"),
    ("*.", "wildcard"),
    ("*", "wildcard"),
    ("*.*.a.b", "wildcard"),
    ("a.*.b", "wildcard"),
    ("a*.b.c", "wildcard"),
    ("a_b.example.org", "letters"),
    ("me@example.org", "letters"),
    ("-a.example.org", "hyphen"),
    ("a-.example.org", "hyphen"),
    ("ab--c.example.org", "reserved"),
    ("l" * 64 + ".org", "longer than 63"),
    ("a." * 126 + "bc", "longer than 253"),
    ("a b.org", "space"),
    (" a.org", "space"),
    ("a.org\n", "control"),
    ("a\x00.org", "control"),
    ("a\x7f.org", "control"),
    ("https://example.org/x", "URL"),
    ("http://[::1]:80/", "URL"),
    ("example.org/", "path"),
    ("example.org/a", "path"),
    ("example.org:443", "port"),
    ("8.8.8.8:443", "port"),
    ("[2a02::1]", "brackets"),
    ("[2a02::1]:443", "brackets"),
    ("fe80::1%eth0", "zone"),
    ("2a02::/64", "network"),
    ("10.0.0.0/8", "network"),
    ("::ffff:8.8.8.8", "IPv4 address alone"),
    ("64:ff9b::8.8.8.8", "hex groups"),
    ("::ffff:808:808", "give 8.8.8.8 itself"),
    ("::FFFF:0808:0808", "give 8.8.8.8 itself"),
    ("8.8.8", "four numbers"),
    ("134744072", "four numbers"),
    ("8.8.8.8.8", "four numbers"),
    ("8.8.8.8.", "four numbers"),
    ("0x08080808", "four numbers"),
    ("example.0x1", "four numbers"),
    ("example.123", "four numbers"),
    ("8.8.8.010", "octal"),
    ("08.8.8.8", "octal"),
    ("8.8.8.00", "octal"),
    ("0x8.8.8.8", "decimal"),
    ("8.8.8.0X8", "decimal"),
    ("8..8.8", "decimal"),
    ("-8.8.8.8", "decimal"),
    ("8.8.8.256", "255"),
    ("8.8.8.4294967304", "255"),
    ("1:2:3:4:5:6:7", "eight groups"),
    ("1:2:3:4:5:6:7:8:9", "eight groups"),
    ("1:2:3:4:5:6:7:8::", "eight groups"),
    ("::1:2:3:4:5:6:7:8", "eight groups"),
    ("1::2::3", "eight groups"),
    (":::", "hex digits"),
    (":1:2:3:4:5:6:7", "hex digits"),
    ("1:2:3:4:5:6:7:", "hex digits"),
    ("12345::", "hex digits"),
    ("g::1", "hex digits"),
    ("+1::", "hex digits"),
    ("1::-1", "hex digits"),
    ("a::0x1", "hex digits"),
    ("b\xfccher.example.org", "xn--"),
    ("\uff11.2.3.4", "xn--"),
)


class Parsing(unittest.TestCase):
    def test_good(self):
        for text, kind, value, family, scope in GOOD:
            i = parse(text)
            self.assertEqual((i.kind, i.value, i.family, i.scope), (kind, value, family, scope))
            self.assertEqual(len(i.raw), {0: len(value), 4: 4, 6: 16}[family])
            self.assertEqual(parse(i.value), i)
            self.assertEqual(parse(i.value).value, value)

    def test_bad(self):
        for text, why in BAD:
            try:
                parse(text)
                self.assertEqual(text, "refused")
            except LocalError as e:
                self.assertEqual((text, e.code, why in str(e)), (text, "identifier", True))

    def test_not_text(self):
        for thing in (None, 7, b"example.org", ["example.org"]):
            self.assertEqual(code_of(LocalError, lambda t=thing: parse(t)), "identifier")

    def test_long_input_is_cut_in_the_message(self):
        try:
            parse("x" * 10000)
        except LocalError as e:
            self.assertTrue(len(str(e)) < 200)

    def test_equality(self):
        a = parse("8.8.8.8")
        self.assertTrue(a == parse("8.8.8.8"))
        self.assertFalse(a == parse("8.8.4.4"))
        self.assertFalse(a == "8.8.8.8")
        # Four characters of a name can be the four bytes of an address.
        self.assertFalse(parse("a.bc") == parse("97.46.98.99"))
        self.assertEqual(parse("a.bc").raw, parse("97.46.98.99").raw)
        self.assertEqual(len({a, parse("8.8.8.8"), parse("8.8.4.4")}), 2)
        self.assertTrue("8.8.8.8" in repr(a))

    def test_eui64(self):
        for text, want in (
            ("2a02:8388:1:2:021a:2bff:fe3c:4d5e", True),
            ("2a02:8388:1:2:001a:2bff:fe3c:4d5e", False),  # not a universal hardware address
            ("2a02:8388:1:2:031a:2bff:fe3c:4d5e", False),  # a group address is no card's
            ("2a02:8388:1:2:021a:2bfe:ff3c:4d5e", False),
            ("2a02::1", False),
            ("8.8.8.8", False),
            ("example.org", False),
        ):
            self.assertEqual((text, parse(text).eui64), (text, want))


class International(unittest.TestCase):
    def convert(self, text):
        self.given = text
        if "!" in text:
            raise ValueError("no such name")
        return text.replace("b\xfccher", "xn--bcher-kva").replace("\u3002", ".").replace("\uff18", "8")

    def test_converted(self):
        self.assertEqual(parse("b\xfccher.Example.org.", self.convert).value, "xn--bcher-kva.example.org")
        self.assertEqual(parse("b\xfccher\u3002org", self.convert).value, "xn--bcher-kva.org")

    def test_the_port_never_sees_the_wildcard(self):
        self.assertEqual(parse("*.b\xfccher.org", self.convert).value, "*.xn--bcher-kva.org")
        self.assertEqual(self.given, "b\xfccher.org")

    def test_ascii_is_not_sent_through_it(self):
        self.assertEqual(parse("Example.org", None).value, "example.org")

    def test_refused(self):
        for text in ("b\xfccher!.org", "\uff18.8.8.8", "b\xfc\xe4.org", "a\uff0fb.org"):
            self.assertEqual(
                (text, code_of(LocalError, lambda t=text: parse(t, self.convert))), (text, "identifier")
            )


class Scopes(unittest.TestCase):
    # The first and last address of each block, and public neighbours of it.
    BLOCKS = (
        ("0.0.0.1", "0.255.255.255", "reserved"),
        ("10.0.0.0", "10.255.255.255", "private"),
        ("100.64.0.0", "100.127.255.255", "shared"),
        ("127.0.0.0", "127.255.255.255", "loopback"),
        ("169.254.0.0", "169.254.255.255", "link-local"),
        ("172.16.0.0", "172.31.255.255", "private"),
        ("192.0.0.0", "192.0.0.255", "reserved"),
        ("192.0.2.0", "192.0.2.255", "documentation"),
        ("192.31.196.0", "192.31.196.255", "reserved"),
        ("192.52.193.0", "192.52.193.255", "reserved"),
        ("192.88.99.0", "192.88.99.255", "6to4"),
        ("192.168.0.0", "192.168.255.255", "private"),
        ("192.175.48.0", "192.175.48.255", "reserved"),
        ("198.18.0.0", "198.19.255.255", "benchmarking"),
        ("198.51.100.0", "198.51.100.255", "documentation"),
        ("203.0.113.0", "203.0.113.255", "documentation"),
        ("224.0.0.0", "239.255.255.255", "multicast"),
        ("240.0.0.0", "255.255.255.254", "reserved"),
        ("64:ff9b::", "64:ff9b::ffff:ffff", "nat64"),
        ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "nat64"),
        ("100::", "100::ffff:ffff:ffff:ffff", "discard"),
        ("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", "reserved"),
        ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "teredo"),
        ("2001:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
        ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", "benchmarking"),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"),
        ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "6to4"),
        ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "reserved"),
        ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"),
        ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
        ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ula"),
        ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local"),
        ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"),
        ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
        ("4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
        ("::2", "::fffe:ffff:ffff", "reserved"),
    )
    PUBLIC = (
        "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0",
        "192.0.3.0", "192.31.195.255", "192.31.197.0", "192.88.98.255", "192.88.100.0", "192.167.255.255",
        "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "203.0.114.0", "223.255.255.255",
        "2000::", "2001:200::", "2001:db7:ffff::", "2001:db9::", "2003::", "2620:4f:7fff::", "2620:4f:8001::",
        "3ffe:ffff::", "3fff:1000::", "3fff:ffff::1",
    )  # fmt: skip

    def test_blocks(self):
        for first, last, scope in self.BLOCKS:
            self.assertEqual((first, parse(first).scope), (first, scope))
            self.assertEqual((last, parse(last).scope), (last, scope))

    def test_public(self):
        for text in self.PUBLIC:
            self.assertEqual((text, parse(text).scope), (text, "public"))

    def test_mapped(self):
        self.assertEqual(identifiers.scope(bytes(10) + b"\xff\xff\x08\x08\x08\x08"), "mapped")

    def test_allocates_nothing(self):
        for text in self.PUBLIC + ("203.0.113.1", "ff02::1"):
            raw = parse(text).raw
            self.assertEqual(locked(lambda r=raw: identifiers.scope(r)), parse(text).scope)

    def test_check(self):
        for text in self.PUBLIC + ("example.org", "*.example.org"):
            identifiers.check_public(parse(text))

    def test_refused_each_with_its_reason(self):
        said = set()
        for text, word in (
            ("192.168.1.2", "1918"),
            ("100.64.0.1", "carrier"),
            ("fd00::1", "4193"),
            ("fe80::1", "link-local"),
            ("192.0.2.1", "documents"),
            ("64:ff9b::1", "IPv4"),
            ("nas", "dot"),
            ("nas.local", "inside networks"),
            ("127.0.0.1", "(loopback)"),
            ("ff02::1", "(multicast)"),
        ):
            i = parse(text)
            try:
                identifiers.check_public(i)
                self.assertEqual(text, "refused")
            except LocalError as e:
                self.assertEqual((e.code, word in str(e), i.value in str(e)), ("not-public", True, True))
                said.add(str(e).replace(i.value, ""))
            identifiers.check_public(i, True)
        self.assertEqual(len(said), 10)


class Bounds(unittest.TestCase):
    def test_limits_are_the_ones_tested(self):
        self.assertEqual((limits.NAME, limits.LABEL), (253, 63))
