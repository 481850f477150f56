"""The router's program where it needs no machine: UCI files, settings, and the choice of the WAN's address."""

import unittest

from ipcert.errors import LocalError
from ipcert_router import config, deploy, helpers, uci, wan


def fails(code, function, *words):
    try:
        function(*words)
    except LocalError as e:
        if e.code == code:
            return e.text
        raise
    raise AssertionError("no error")


class Uci(unittest.TestCase):
    def test_as_uci_writes_it(self):
        text = "package ipcert\n\nconfig ipcert 'main'\n\toption a 'x y'\n\tlist b '1'\n\tlist b \"2\"\nconfig other\n option c z # no\n"
        found = uci.parse(text)
        self.assertEqual([(s.kind, s.name) for s in found], [("ipcert", "main"), ("other", "")])
        self.assertEqual(found[0].values, {"a": "x y", "b": ["1", "2"]})
        self.assertEqual(found[1].values, {"c": "z"})

    def test_quotes(self):
        values = uci.parse(
            "config a\noption b 'it'\\''s'\noption c \"a\\\"b\"\noption d ''\noption e 'a#b'\noption f a\\ b"
        )[0].values
        self.assertEqual(values, {"b": "it's", "c": 'a"b', "d": "", "e": "a#b", "f": "a b"})

    def test_wrong_lines_are_numbered(self):
        for text, line in (
            ("config a\noption b 'c", 2),
            ("option a b", 1),
            ("config a\n\nopt b c", 3),
            ("config a\noption b", 2),
            ("config a\noption b c d", 2),
            ("config a\noption b c\nlist b d", 3),
            ("config", 1),
        ):
            self.assertTrue(("line %d" % line) in fails("config", uci.parse, text))


class Settings(unittest.TestCase):
    def test_defaults(self):
        c = config.Config({"interface": "wan"})
        self.assertEqual((c.families, c.names, c.port, c.policy.urgent), ((4,), [], 80, "ip"))
        self.assertEqual(c.directory, "https://acme-v02.api.letsencrypt.org/directory")
        self.assertFalse(c.policy.agree_terms)

    def test_all(self):
        c = config.Config(
            {
                "names": ["home.example.net"], "addresses": ["8.8.8.8"], "first_delay": "2d", "agree_terms": "on",
                "contacts": ["me@example.net"], "eab_kid": "k", "eab_key": "aGFsbG8", "recovery": "fast",
            }
        )  # fmt: skip
        self.assertEqual([i.value for i in c.names + c.addresses], ["home.example.net", "8.8.8.8"])
        self.assertEqual(
            (c.policy.first_delay, c.policy.recovery, c.policy.eab_key), (172800, 3600, b"hallo")
        )
        self.assertEqual(c.policy.contacts, ("mailto:me@example.net",))

    def test_refused(self):
        for values, part in (
            ({}, "nothing to certify"),
            ({"interfce": "wan"}, "no option interfce"),
            ({"interface": ["wan"]}, "no list"),
            ({"interface": "wan;reboot"}, "name of an interface"),
            ({"interface": "$(reboot)"}, "name of an interface"),
            ({"interface": "-all"}, "name of an interface"),
            ({"interface": "wan' || '1"}, "name of an interface"),
            ({"names": "home.example.net"}, "list names"),
            ({"names": ["8.8.8.8"]}, "belongs in addresses"),
            ({"addresses": ["home.example.net"]}, "belongs in names"),
            ({"interface": "wan", "addresses": ["8.8.8.8"]}, "either"),
            ({"interface": "wan", "family": "v4"}, "ipv4, ipv6 or both"),
            ({"interface": "wan", "port": "80x"}, "whole number"),
            ({"interface": "wan", "port": "0"}, "65535"),
            ({"interface": "wan", "agree_terms": "maybe"}, "1 or 0"),
            ({"interface": "wan", "first_delay": "2 days"}, "14d"),
            ({"interface": "wan", "recovery": "slow"}, "balanced"),
            ({"interface": "wan", "challenge_name": "tls-alpn-01"}, "http-01"),
            ({"interface": "wan", "challenge_name": "dns-01"}, "dns_webhook"),
            ({"interface": "wan", "challenge_name": "dns-account-01"}, "dns_webhook"),
            ({"interface": "wan", "profile_name": "shortlived"}, "six-day"),
            ({"interface": "wan", "state_dir": "state"}, "begins with /"),
            ({"interface": "wan", "urgent": "soon"}, "urgent"),
            ({"interface": "wan", "eab_kid": "k"}, "binding"),
        ):
            self.assertTrue(part in fails("config", config.Config, values), part)

    def test_reserved_addresses_are_refused_with_the_reason(self):
        text = fails("not-public", config.Config, {"addresses": ["100.64.0.1"]})
        self.assertTrue("carrier-grade NAT" in text)
        self.assertEqual(len(config.Config({"addresses": ["100.64.0.1"], "test": "1"}).addresses), 1)


_WAN = """4: wan    inet 8.8.4.4/24 brd 8.8.4.255 scope global wan\\       valid_lft forever preferred_lft forever
4: wan    inet6 2a00:1::9/64 scope global temporary dynamic \\       valid_lft 1 preferred_lft 1
4: wan    inet6 2a00:1::8/64 scope global secondary dynamic \\       valid_lft 1 preferred_lft 1
4: wan    inet6 2a00:1::211:22ff:fe33:4455/64 scope global dynamic \\       valid_lft 1 preferred_lft 1
4: wan    inet6 2a00:1::7/64 scope global dynamic \\       valid_lft 1 preferred_lft 1
4: wan    inet6 fe80::1/64 scope link
"""
_GOOGLE, _OTHER, _SHARED = "8.8.8.8\n", "9.9.9.9\n", "100.64.3.4\n"


class Wan(unittest.TestCase):
    def test_lines(self):
        found = [one.value for one in wan.addresses(_WAN + "1.1.1.1\nnonsense\n inet \n")]
        self.assertEqual(found, ["8.8.4.4", "2a00:1::211:22ff:fe33:4455", "2a00:1::7", "fe80::1", "1.1.1.1"])

    def test_stable_addresses_that_name_no_hardware_first(self):
        w = wan.Wan((4, 6))
        self.assertEqual(w.look(_WAN), (True, True, ""))
        self.assertEqual(w.remember(), "8.8.4.4 2a00:1::7")

    def test_what_is_known_stays_while_it_is_there(self):
        w = wan.Wan((4,))
        w.look(_GOOGLE)
        self.assertEqual(w.look(_OTHER + _GOOGLE), (False, True, ""))
        self.assertEqual(w.look(_OTHER), (True, True, ""))
        self.assertEqual(w.remember(), "9.9.9.9")

    def test_no_address_is_no_change_and_told_once(self):
        w = wan.Wan((4,), remembered="8.8.8.8 2a00:1::7")
        changed, present, why = w.look("")
        self.assertEqual((changed, present, w.remember()), (False, False, "8.8.8.8"))
        self.assertTrue("no IPv4" in why)
        self.assertEqual(w.look("")[2], "")
        changed, present, why = w.look(_SHARED)
        self.assertTrue("carrier-grade" in why and not present)
        self.assertEqual(w.look(_GOOGLE), (False, True, ""))
        self.assertTrue("carrier-grade" in w.look(_SHARED)[2])

    def test_a_test_ca_takes_any(self):
        self.assertEqual(wan.Wan((4,), True).look("127.0.0.1\n"), (True, True, ""))

    def test_one_family_is_enough(self):
        w = wan.Wan((4, 6))
        self.assertEqual(w.look(_GOOGLE), (True, True, ""))
        self.assertEqual(w.look(_GOOGLE + "2a00:1::7\n"), (True, True, ""))
        self.assertEqual(w.look("2a00:1::7\n"), (False, True, ""))
        self.assertEqual(w.remember(), "8.8.8.8 2a00:1::7")


class Proxies(unittest.TestCase):
    def test_are_refused_in_words(self):
        config.refuse_proxy({}.get)
        config.refuse_proxy({"HTTPS_PROXY": "", "http_proxy": "x"}.get)
        for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            try:
                config.refuse_proxy({name: "http://user:word@h:1"}.get)
            except LocalError as e:
                self.assertEqual(e.code, "config")
                self.assertTrue(name in e.text and "word" not in e.text)
                continue
            self.fail(name)


class Names(unittest.TestCase):
    def test_of_files(self):
        self.assertEqual(deploy.file_name("example.net,www.example.net"), "example.net")
        self.assertEqual(deploy.file_name("*.example.net"), "_.example.net")
        self.assertEqual(deploy.file_name("2a00:1::7"), "ipv6-2a00-1--7")
        # Of a name that no file can be called after: the digits are sha256sum's.
        name = ".".join(["x" * 63] * 3) + "." + "x" * 49 + ".example.net"
        self.assertEqual(len(name), 253)
        self.assertEqual(deploy.file_name(name + ",b.example"), name[:180] + "_d838c9ef386527e7")
        self.assertEqual(deploy.file_name(name[-236:]), name[-236:])

    def test_quoted_for_a_shell(self):
        self.assertEqual(helpers.quote("it's $HOME"), "'it'\\''s $HOME'")


if __name__ == "__main__":
    unittest.main()
