"""The resources of RFC 8555 as the CA writes them, read; and what we write, read back."""

import json
import unittest

from portable_support import code_of
from virtual_home import Home

from ipcert import action, identifiers, limits
from ipcert.acme import (
    account,
    alternates,
    authorization,
    challenge,
    directory,
    order,
    renewal_information,
)
from ipcert.errors import LocalError, RemoteError

URL = "https://ca.example/x/1"
DIRECTORY = {
    "newNonce": URL, "newAccount": URL + "a", "newOrder": URL + "o", "revokeCert": URL + "r", "keyChange": URL + "k",
}  # fmt: skip
TOKEN = "t" * 43


def theirs(call):
    return code_of(RemoteError, call)


class Directories(unittest.TestCase):
    def test_least_and_most(self):
        d = directory.Directory(DIRECTORY)
        self.assertEqual((d.new_nonce, d.new_order, d.key_change), (URL, URL + "o", URL + "k"))
        self.assertEqual(
            (d.renewal_info, d.terms, d.external_account, d.profiles),
            (None, None, False, []),
        )
        meta = {
            "termsOfService": "https://ca.example/terms", "externalAccountRequired": True,
            "profiles": {"classic": "x", "shortlived": "y", 'a"b': "", "": "", "x" * 65: "", "\u00e9": ""},
        }  # fmt: skip
        d = directory.Directory(
            dict(DIRECTORY, newAuthz=URL + "z", renewalInfo=URL + "i", meta=meta, strange=5)
        )
        self.assertEqual(d.renewal_info, URL + "i")
        self.assertEqual((d.terms, d.external_account), ("https://ca.example/terms", True))
        self.assertEqual(d.profiles, ["classic", "shortlived"])

    def test_garbage(self):
        for name in DIRECTORY:
            for bad in (None, 5, "http://ca.example/", ""):
                needed = name.startswith("new")
                found = theirs(lambda n=name, b=bad: directory.Directory(dict(DIRECTORY, **{n: b})))
                self.assertEqual((name, bad, found), (name, bad, "url" if needed else None))
        bare = directory.Directory(dict(DIRECTORY, revokeCert="http://a/", keyChange=None, renewalInfo=5))
        self.assertEqual((bare.revoke, bare.key_change, bare.renewal_info), (None, None, None))
        for meta in (
            None,
            5,
            [],
            "x",
            {"profiles": []},
            {"termsOfService": 5, "externalAccountRequired": "true"},
        ):
            d = directory.Directory(dict(DIRECTORY, meta=meta))
            self.assertEqual((d.terms, d.external_account, d.profiles), (None, False, []))
        # MicroPython's JSON has keys that are no text.
        self.assertEqual(
            directory.Directory(dict(DIRECTORY, meta={"profiles": {1: "", "a": "", None: ""}})).profiles,
            ["a"],
        )
        many = {"p%03d" % k: "" for k in range(500)}
        self.assertLessEqual(len(directory.Directory(dict(DIRECTORY, meta={"profiles": many})).profiles), 16)

    def test_profiles(self):
        every = ["classic", "shortlived", "tlsserver"]
        for profiles, ip, wanted, before, want in (
            (every, False, "", "", "classic"), (every, True, "", "", "shortlived"), ([], True, "", "", ""),
            ([], False, "", "older", ""), (every, False, "tlsserver", "", "tlsserver"),
            (every, False, "", "tlsserver", "tlsserver"), (every, False, "", "gone", "classic"),
            (every, True, "", "gone", "shortlived"), (["default", "shortlived"], False, "", "", "default"),
            (["one"], True, "", "", "one"), (["one", "shortlived"], False, "", "", "one"),
            (every, False, "", "shortlived", "classic"), (every, True, "shortlived", "", "shortlived"),
        ):  # fmt: skip
            self.assertEqual(directory.choose_profile(profiles, ip, wanted, before), want)
        for profiles, ip, wanted in (
            (every, False, "other"), ([], False, "classic"), (["a", "b"], True, ""), (["a", "b"], False, ""),
            (["shortlived"], False, ""), (every, False, "shortlived"),
        ):  # fmt: skip
            with self.assertRaises(LocalError) as c:
                directory.choose_profile(profiles, ip, wanted, "")
            self.assertEqual(c.exception.code, "profile")
            for name in profiles:
                self.assertIn(name, str(c.exception))


class Accounts(unittest.TestCase):
    def written(self, call):
        buf = bytearray(600)
        n = call(buf, 3)
        return json.loads(bytes(buf[3:n]))

    def test_payloads(self):
        both = ("mailto:a@example.net", "mailto:b@example.net")
        self.assertEqual(
            self.written(lambda b, o: account.write_new(b, o, both, True)),
            {"termsOfServiceAgreed": True, "contact": list(both)},
        )
        self.assertEqual(
            self.written(lambda b, o: account.write_new(b, o, (), False)), {"termsOfServiceAgreed": False}
        )
        self.assertEqual(
            self.written(lambda b, o: account.write_contacts(b, o, both[:1])), {"contact": list(both[:1])}
        )
        self.assertEqual(self.written(lambda b, o: account.write_contacts(b, o, ())), {"contact": []})
        self.assertEqual(self.written(account.write_existing), {"onlyReturnExisting": True})

        def bind(buf, off):
            buf[off : off + 2] = b"{}"
            return off + 2

        found = self.written(lambda b, o: account.write_new(b, o, both, True, bind))
        self.assertEqual(found["externalAccountBinding"], {})

    def test_no_room(self):
        for size in (0, 20, 60):
            self.assertEqual(
                code_of(
                    LocalError,
                    lambda s=size: account.write_new(bytearray(s), 0, ("mailto:a@example.net",), True),
                ),
                "overflow",
            )

    def test_answers(self):
        for body in (b'{"status":"valid"}', b'{"status":null}', b"{}", b""):
            self.assertEqual(account.read(body, URL), URL)
            self.assertEqual(theirs(lambda b=body: account.read(b, None)), "url")
        for body in (b'{"status":"deactivated"}', b'{"status":"revoked"}'):
            self.assertEqual(theirs(lambda b=body: account.read(b, URL)), "account")
        self.assertEqual(theirs(lambda: account.read(b'{"status":"odd"}', URL)), "status")
        self.assertEqual(theirs(lambda: account.read(b"<html>", URL)), "json")


class Orders(unittest.TestCase):
    GOOD = {"status": "pending", "authorizations": [URL], "finalize": URL + "f"}

    def test_read(self):
        o = order.Order(self.GOOD)
        self.assertEqual((o.status, o.authorizations, o.finalize), (order.PENDING, [URL], URL + "f"))
        self.assertEqual((o.certificate, o.problem), (None, None))
        o = order.Order(dict(self.GOOD, status="valid", certificate=URL + "c"))
        self.assertEqual(o.certificate, URL + "c")
        o = order.Order(dict(self.GOOD, status="invalid", error={"detail": "x", "status": 404}))
        self.assertEqual((o.problem.detail, o.problem.status), ("x", 404))

    def test_garbage(self):
        for change, code in (
            ({"status": "odd"}, "status"), ({"status": 5}, "status"), ({"authorizations": 5}, "json"),
            ({"authorizations": [URL] * (limits.AUTHORIZATIONS + 1)}, "json"), ({"authorizations": [7]}, "url"),
            ({"finalize": 7}, "url"), ({"status": "valid", "certificate": "x"}, "url"),
        ):  # fmt: skip
            self.assertEqual(theirs(lambda c=change: order.Order(dict(self.GOOD, **c))), code)
        for error in (5, "x", [], {"status": "x"}):
            order.Order(dict(self.GOOD, error=error))

    def test_what_is_left_out(self):
        for gone in (None, "", []):
            o = order.Order({"status": gone or None, "authorizations": gone, "finalize": gone})
            self.assertEqual((o.status, list(o.authorizations), o.finalize), (order.PROCESSING, [], None))
            o = order.Order(
                {"status": "valid", "finalize": gone, "certificate": gone}, "", order.Order(self.GOOD)
            )
            self.assertEqual((o.status, o.authorizations, o.finalize), (order.PROCESSING, [URL], URL + "f"))

    def test_new(self):
        ids = [identifiers.parse(t) for t in ("a.example.net", "198.51.100.7", "2001:db8::7")]
        buf = bytearray(600)
        n = order.write_new(buf, 2, ids, b"shortlived", b"aki.serial")
        self.assertEqual(
            json.loads(bytes(buf[2:n])),
            {
                "identifiers": [
                    {"type": "dns", "value": "a.example.net"},
                    {"type": "ip", "value": "198.51.100.7"},
                    {"type": "ip", "value": "2001:db8::7"},
                ],
                "profile": "shortlived",
                "replaces": "aki.serial",
            },
        )
        n = order.write_new(buf, 0, ids[:1], b"", b"")
        self.assertEqual(
            json.loads(bytes(buf[:n])), {"identifiers": [{"type": "dns", "value": "a.example.net"}]}
        )

    def test_finalize(self):
        buf = bytearray(100)
        n = order.write_finalize(buf, 0, b"\xfb\xff\xfe", 3)
        self.assertEqual(bytes(buf[:n]), b'{"csr":"-__-"}')


class Authorizations(unittest.TestCase):
    def read(self, kind="http-01", **change):
        c = {"type": "http-01", "url": URL, "token": TOKEN}
        obj = {
            "status": "pending",
            "identifier": {"type": "dns", "value": "a.example.net"},
            "challenges": [c],
        }
        obj.update(change)
        return authorization.Authorization(obj, kind)

    def test_read(self):
        a = self.read()
        self.assertEqual(
            (a.status, a.value, a.wildcard, a.url, a.token), (0, "a.example.net", False, URL, TOKEN)
        )
        self.assertIsNone(a.problem)
        self.assertTrue(self.read(wildcard=True).wildcard)

    def test_unknown_challenges_are_passed_over(self):
        odd = [
            None, 5, {}, {"type": "dns-persist-01", "url": URL + "p"}, {"type": "http-01", "url": URL + "w"},
            {"type": "http-01", "url": URL + "s", "token": "short"}, {"type": "http-01", "url": URL, "token": TOKEN},
            {"type": "http-01", "url": URL + "2", "token": TOKEN},
        ]  # fmt: skip
        a = self.read(challenges=odd)
        self.assertEqual((a.url, a.token), (URL, TOKEN))
        self.assertIsNone(self.read(challenges=odd[:6]).url)

    def test_tokens(self):
        for token, good in (
            (TOKEN, True), ("a" * 22, True), ("a" * 21, False), ("a" * limits.TOKEN, True), ("a" * (limits.TOKEN + 1), False),
            ("../../../../etc/passwd-", False), ("a" * 30 + "=", False), ("\ud800" * 30, False), (5, False), (None, False),
        ):  # fmt: skip
            self.assertEqual(authorization.is_token(token), good)

    def test_persistent_records(self):
        c = {"type": "dns-persist-01", "url": URL, "issuer-domain-names": ["ca.example", "other.example"]}
        a = self.read("dns-persist-01", challenges=[c])
        self.assertEqual((a.url, a.token, a.issuer), (URL, None, "ca.example"))
        for names in (None, [], [5], [""], ["x\n"], "ca.example", ["x" * 300]):
            self.assertIsNone(
                self.read("dns-persist-01", challenges=[dict(c, **{"issuer-domain-names": names})]).url
            )

    def test_problems(self):
        c = {
            "type": "http-01",
            "url": URL,
            "token": TOKEN,
            "error": {"type": "x", "detail": "refused", "status": 400},
        }
        self.assertEqual(self.read(status="invalid", challenges=[c]).problem.detail, "refused")

    def test_garbage(self):
        for change, code in (
            ({"status": "odd"}, "status"), ({"challenges": [{"type": "http-01", "url": "x", "token": TOKEN}]}, "url"),
        ):  # fmt: skip
            self.assertEqual(theirs(lambda c=change: self.read(**c)), code)
        for ident in (None, 5, {}, {"value": 5}):
            self.read(identifier=ident)
        for challenges in (None, 5, {}):
            a = self.read(challenges=challenges)
            self.assertEqual((a.listed, a.url), (False, None))


class Challenges(unittest.TestCase):
    def auth(self, value, wildcard=False):
        a = authorization.Authorization({"status": "valid", "challenges": []}, "http-01")
        a.value = value
        a.wildcard = wildcard
        return a

    def test_whose(self):
        ids = [identifiers.parse(t) for t in ("a.example.net", "*.a.example.net", "198.51.100.7")]
        for value, wildcard, k in (
            ("a.example.net", False, 0),
            ("a.example.net", True, 1),
            ("198.51.100.7", False, 2),
        ):
            self.assertIs(challenge.identifier_of(ids, self.auth(value, wildcard)), ids[k])
        for value, wildcard in (("b.example.net", False), ("198.51.100.7", True), (None, False), (5, False)):
            self.assertEqual(
                theirs(lambda v=value, w=wildcard: challenge.identifier_of(ids, self.auth(v, w))),
                "authorization",
            )

    def test_the_record_of_each_account_has_a_name_of_its_own(self):
        # The example of draft-ietf-acme-dns-account-label 3.2; the label was checked with hashlib and base64.
        class Account:
            thumbprint = b"p" * 43

            def url(self):
                return "https://example.com/acme/acct/ExampleAccount"

        filled = action.Action()
        asked = self.auth("example.org")
        asked.token = TOKEN
        publisher = challenge.Publisher(Home(("example.org",)).port, Account())
        challenge.publish(publisher, filled, "dns-account-01", identifiers.parse("example.org"), asked)
        self.assertEqual(filled.name, "_ujmmovf2vn55tgye._acme-challenge.example.org")
        account_text = filled.text
        # What it says is what dns-01 says.
        challenge.publish(publisher, filled, "dns-01", identifiers.parse("example.org"), asked)
        self.assertEqual((filled.name, filled.text), ("_acme-challenge.example.org", account_text))

    def test_what_each_can_prove(self):
        name, star, address = [
            identifiers.parse(t) for t in ("a.example.net", "*.a.example.net", "198.51.100.7")
        ]
        for kind in challenge.FOR_NAMES:
            self.assertIsNone(challenge.check(kind, [name]))
            dns = kind[:3] == "dns"
            self.assertEqual(
                code_of(LocalError, lambda k=kind: challenge.check(k, [star])), None if dns else "challenge"
            )
            self.assertEqual(
                code_of(LocalError, lambda k=kind: challenge.check(k, [address])),
                "challenge" if dns else None,
            )

    def test_the_table_names_each_type_once_and_knows_no_other(self):
        names = [row.name for row in challenge.TABLE]
        self.assertEqual(sorted(names), sorted({name: 0 for name in names}))
        self.assertEqual([challenge.find(name).name for name in names], names)
        self.assertEqual(code_of(LocalError, lambda: challenge.find("http-02")), "challenge")
        self.assertEqual(
            code_of(LocalError, lambda: challenge.check("http-02", [identifiers.parse("a.example.net")])),
            "challenge",
        )

    def test_a_record_stands_for_names_only_and_nothing_connects_to_it(self):
        for row in challenge.TABLE:
            self.assertEqual((row.name, bool(row.record)), (row.name, not row.resolves))
            self.assertEqual((row.name, row.addresses), (row.name, row.resolves))
            self.assertTrue(row.names_account or not row.lasting)


class Certificates(unittest.TestCase):
    def test_alternates(self):
        for link, want in (
            ("", []), ('<https://a/1>;rel="alternate"', ["https://a/1"]), ("<https://a/1>; rel=alternate", ["https://a/1"]),
            ('<https://a/d>;rel="index", <https://a/1>;rel="alternate", <https://a/2>;title=x;rel="alternate"',
             ["https://a/1", "https://a/2"]),
            ('https://a/1;rel="alternate"', []), ("<https://a/1>", []), (";;,,", []),
            (", ".join(['<https://a/%d>;rel="alternate"' % k for k in range(20)]),
             ["https://a/%d" % k for k in range(limits.ALTERNATES)]),
            ('<http://a/1>;rel="alternate"', []), ("<https://a/\u00e9>;rel=alternate", []),
        ):  # fmt: skip
            self.assertEqual(alternates.alternates({"link": link}), want)
        self.assertEqual(alternates.alternates({}), [])

    def test_better(self):
        self.assertTrue(alternates.better("smallest", b"", 1, b"", 2))
        self.assertFalse(alternates.better("smallest", b"", 2, b"", 2))
        self.assertTrue(alternates.better("X1", b"Root X1", 1, b"Root X2", 1))
        self.assertFalse(alternates.better("X1", b"Root X1", 1, b"Old X1", 1))
        self.assertFalse(alternates.better("X1", b"Root", 1, b"Old", 1))


class Renewals(unittest.TestCase):
    def test_urls(self):
        self.assertEqual(
            renewal_information.url("https://ca.example/ari", "a.b"), "https://ca.example/ari/a.b"
        )
        self.assertEqual(
            renewal_information.url("https://ca.example/ari/", "a.b"), "https://ca.example/ari/a.b"
        )
        self.assertEqual(
            theirs(lambda: renewal_information.url("https://ca.example/" + "x" * 240, "a.b")), "url"
        )

    def test_windows(self):
        good = {"start": "2026-11-01T00:00:00Z", "end": "2026-11-01T00:00:10Z"}
        info = renewal_information.RenewalInfo({"suggestedWindow": good, "explanationURL": "https://x/\x07"})
        self.assertEqual(
            (info.start, info.end, info.explanation), (limits.BUILT, limits.BUILT + 10, "https://x/?")
        )
        for window in (
            None, 5, {}, {"start": good["start"]}, {"start": good["end"], "end": good["start"]},
            {"start": good["start"], "end": good["start"]}, {"start": 5, "end": []},
        ):  # fmt: skip
            self.assertEqual(
                theirs(lambda w=window: renewal_information.RenewalInfo({"suggestedWindow": w})), "ari"
            )


if __name__ == "__main__":
    unittest.main()
