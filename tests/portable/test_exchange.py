"""One request and its answer: nonces, what an answer amounts to, Retry-After; and JSON from outside."""

import json
import unittest

from portable_support import FixedSigner, code_of

from ipcert import limits
from ipcert.acme import dates, exchange, message, problem
from ipcert.action import Action
from ipcert.errors import RemoteError

NOW = limits.BUILT
URL = "https://ca.example/order/1"
NONCE = "abcDEF-_0123456789abcdef"


class Directory:
    new_nonce = "https://ca.example/nonce"


def made():
    signer = FixedSigner(b"\x04" + bytes(64))
    it = Action()
    ex = exchange.Exchange(signer, "https://ca.example/directory")
    ex.directory = Directory
    ex.make_room(100, 0)
    ex.jws.set_kid(b"https://ca.example/acct/1")
    return ex, it, signer


class Nonces(unittest.TestCase):
    def test_a_head_goes_first(self):
        ex, it, signer = made()
        ex.payload[:2] = b"{}"
        ex.post(it, URL, 2)
        self.assertEqual((it.method, it.url, it.size), ("HEAD", Directory.new_nonce, 0))
        self.assertEqual(ex.read(NOW, 200, {"replay-nonce": NONCE}, b""), exchange.AGAIN)
        ex.post(it, URL, 2, "application/x")
        self.assertEqual((it.method, it.url, it.accept), ("POST", URL, "application/x"))
        header = json.loads(bytes(signer.signed[: signer.size]))
        self.assertEqual(
            header, {"alg": "ES256", "kid": "https://ca.example/acct/1", "nonce": NONCE, "url": URL}
        )

    def test_each_is_used_once(self):
        ex, it, _ = made()
        ex.post(it, URL)
        ex.read(NOW, 200, {"replay-nonce": NONCE}, b"")
        ex.post(it, URL)
        self.assertEqual(it.method, "POST")
        self.assertEqual(ex.read(NOW, 200, {}, b""), exchange.OK)  # none came back
        ex.post(it, URL)
        self.assertEqual(it.method, "HEAD")

    def test_every_answer_is_harvested(self):
        for status in (200, 201, 400, 429, 500):
            ex, it, _ = made()
            ex.read(NOW, status, {"replay-nonce": NONCE}, b"")
            ex.post(it, URL)
            self.assertEqual(it.method, "POST")
        ex.forget_nonce()
        ex.post(it, URL)
        self.assertEqual(it.method, "HEAD")

    def test_what_is_no_nonce(self):
        for bad in ("", 'a"b', "a b", "a=", "\u00e9", "x" * (limits.NONCE + 1), None):
            ex, it, _ = made()
            ex.post(it, URL)
            headers = {} if bad is None else {"replay-nonce": bad}
            self.assertEqual(code_of(RemoteError, lambda e=ex, h=headers: e.read(NOW, 204, h, b"")), "nonce")

    def test_a_body_that_needs_more_room(self):
        ex, it, _ = made()
        ex.read(NOW, 200, {"replay-nonce": NONCE}, b"")
        ex.post_payload(it, URL, bytes(3000), 3000)
        self.assertGreater(it.size, 4000)


class Answers(unittest.TestCase):
    def take(self, status, obj=None, kind="application/problem+json", **headers):
        ex = made()[0]
        body = obj if isinstance(obj, bytes) else json.dumps(obj).encode()
        return ex.read(NOW, status, dict(headers, **{"content-type": kind}), body), ex

    def test_what_each_amounts_to(self):
        urn = "urn:ietf:params:acme:error:"
        for status, obj, want in (
            (200, {}, exchange.OK), (204, b"", exchange.OK), (299, b"", exchange.OK),
            (400, {"type": urn + "badNonce"}, exchange.AGAIN), (400, {"type": urn + "malformed"}, exchange.REFUSED),
            (403, b"", exchange.REFUSED), (404, [], exchange.REFUSED), (429, {}, exchange.LIMITED),
            (403, {"type": urn + "rateLimited"}, exchange.LIMITED), (503, {"type": urn + "rateLimited"}, exchange.LIMITED),
            (500, {"type": urn + "serverInternal"}, exchange.BUSY), (502, b"<html>", exchange.BUSY),
            (599, b"\xff\xfe", exchange.BUSY), (400, b'{"type":', exchange.REFUSED), (150, b"", exchange.REFUSED),
        ):  # fmt: skip
            found, ex = self.take(status, obj)
            self.assertEqual(found, want)
            self.assertEqual(ex.problem is None, want == exchange.OK)
        for status in (300, 301, 304, 308, 399):
            self.assertEqual(code_of(RemoteError, lambda s=status: self.take(s)), "redirect")

    def test_bad_nonces_in_a_row(self):
        ex = made()[0]
        bad = b'{"type":"urn:ietf:params:acme:error:badNonce"}'
        headers = {"content-type": "application/problem+json", "replay-nonce": NONCE}
        for _ in range(limits.NONCE_RETRIES):
            self.assertEqual(ex.read(NOW, 400, headers, bad), exchange.AGAIN)
        self.assertEqual(code_of(RemoteError, lambda: ex.read(NOW, 400, headers, bad)), "nonce")
        self.assertEqual(ex.read(NOW, 400, headers, bad), exchange.AGAIN)  # counted anew
        self.assertEqual(ex.read(NOW, 200, {}, b""), exchange.OK)
        for _ in range(limits.NONCE_RETRIES):
            self.assertEqual(ex.read(NOW, 400, headers, bad), exchange.AGAIN)

    def test_retry_after(self):
        date = "Sun, 01 Nov 2026 00:02:00 GMT"
        for value, want in (
            ("5", 5), (" 5 ", 5), ("0", 0), ("86400", 86400), ("86401", 86400), ("9" * 30, 86400), ("9" * 41, 0),
            ("", 0), ("-1", 0), ("1.5", 0), ("5 seconds", 0), ("soon", 0), ("1\u00b2", 0), ("\u0665", 0),
            (date, 120), ("Sun, 01 Nov 2026 00:00:00 GMT", 0), ("Sat, 31 Oct 2026 00:00:00 GMT", 0),
            ("Tue, 01 Dec 2026 00:00:00 GMT", 86400), ("Sun, 01 Nov 2026 00:02 GMT", 0), ("Sun, 1 Foo 2026 0:0:0 GMT", 0),
        ):  # fmt: skip
            self.assertEqual(exchange.retry_after({"retry-after": value}, NOW), want)
        self.assertEqual(exchange.retry_after({}, NOW), 0)


class Dates(unittest.TestCase):
    def test_http(self):
        for text, want in (
            ("Wed, 01 Jan 2020 00:00:00 GMT", 0),
            ("Sat, 29 Feb 2020 23:59:59 GMT", 59 * 86400 + 86399),
            ("Sun, 01 Mar 2020 00:00:00 GMT", 60 * 86400),
            ("Fri, 01 Jan 2021 00:00:00 GMT", 366 * 86400),
            ("Sun, 01 Nov 2026 00:00:00 GMT", limits.BUILT),
            ("Wed, 31 Dec 2053 23:59:60 GMT", 34 * 365 * 86400 + 9 * 86400),
            ("Thu, 31 Dec 2019 00:00:00 GMT", 0), ("Thu, 01 Jan 2054 00:00:00 GMT", 0), ("x", 0), ("", 0),
            ("Sun, 32 Nov 2026 00:00:00 GMT", 0), ("Sun, 01 Nov 2026 24:00:00 GMT", 0),
        ):  # fmt: skip
            self.assertEqual(dates.http_date(text), want)

    def test_rfc3339(self):
        for text, want in (
            ("2026-11-01T00:00:00Z", limits.BUILT), ("2026-11-01t00:00:00z", limits.BUILT),
            ("2026-11-01 00:00:00.123456Z", limits.BUILT), ("2026-11-01T01:00:00+01:00", limits.BUILT),
            ("2026-10-31T19:00:00.5-05:00", limits.BUILT), ("2026-11-01T00:00:00", 0), ("2026-11-01T00:00:00.Z1", 0),
            ("2020-01-01T00:00:00+01:00", 0), ("2026-11-01T00:00:00+0100", 0), ("2026-11-01T00:00:00*01:00", 0),
            ("2026-11-01X00:00:00Z", 0), ("2026-13-01T00:00:00Z", 0), (None, 0), (5, 0), ("2" * 41, 0),
            ("2026-11-01T00:00:00.", 0), ("2026-11-01T00:00:00.12345", 0), ("2026-11-01T00:00:00+1:000", 0),
        ):  # fmt: skip
            self.assertEqual(dates.rfc3339(text), want)


class Messages(unittest.TestCase):
    def test_json(self):
        self.assertEqual(message.parse(b'{"a":1}'), {"a": 1})
        for body, code in (
            (b"", "json"), (b"[]", "json"), (b"1", "json"), (b"null", "json"), (b"{[]:1}", "json"), (b"\xff{}", "json"),
            (b"[" * 9000, "json"), (b'{"a":"' + b"x" * limits.BODY + b'"}', "too-large"), (b"<html>", "json"),
        ):  # fmt: skip
            self.assertEqual(code_of(RemoteError, lambda b=body: message.parse(b)), code)

    def test_urls(self):
        self.assertEqual(message.url(URL, "x"), URL)
        for bad in (
            None, 5, "", "https://", "http://ca.example/", "ftp://x", "https://ca.example/" + "x" * limits.URL,
            'https://ca.example/"', "https://ca.example/\\", "https://ca.example/ x", "https://ca.example/\u00e9",
        ):  # fmt: skip
            self.assertEqual(code_of(RemoteError, lambda u=bad: message.url(u, "x")), "url")
            want = "url" if bad else None  # null or empty is missing, and missed where it is needed
            self.assertEqual(code_of(RemoteError, lambda u=bad: message.url_member({"x": u}, "x")), want)
        self.assertEqual(
            code_of(RemoteError, lambda: message.needed(message.url_member({}, "x"), "x")), "not-offered"
        )

    def test_lists(self):
        self.assertEqual(message.url_list({"l": [URL]}, "l", 1), [URL])
        for bad, code in ((None, None), ([], None), ([URL, URL], "json"), (URL, "json"), ([5], "url")):
            self.assertEqual(code_of(RemoteError, lambda b=bad: message.url_list({"l": b}, "l", 1)), code)

    def test_status(self):
        for obj, want in (
            ({"status": "b"}, 1),
            ({"status": "B"}, 1),
            ({"status": None}, 7),
            ({"status": ""}, 7),
            ({}, 7),
        ):
            self.assertEqual(message.status(obj, ("a", "b"), 7), want)
        for bad in (1, "c", ["a"], {"a": 1}):
            self.assertEqual(
                code_of(RemoteError, lambda b=bad: message.status({"status": b}, ("a", "b"), 0)), "status"
            )


class Problems(unittest.TestCase):
    def test_subproblems(self):
        p = problem.Problem(
            403,
            {
                "type": "urn:ietf:params:acme:error:compound",
                "detail": "bad\x1b[31m news \u00e9",
                "subproblems": [
                    {"type": "urn:ietf:params:acme:error:dns", "detail": "no A", "identifier": {"type": "dns", "value": "a.b"}},
                    {"type": "x"},
                    {"identifier": "text"},
                    "text",
                ],
            },
        )  # fmt: skip
        self.assertEqual((p.type, p.status, p.detail), ("compound", 403, "bad?[31m news ?"))
        self.assertEqual(p.subproblems, [("a.b", "dns", "no A"), ("", "x", ""), ("", "", "")])
        self.assertEqual(str(p), "bad?[31m news ?; a.b: no A; ?: x; ?:  (compound, HTTP 403)")

    def test_anything(self):
        for obj in (None, [], 5, {"type": 5, "detail": [], "subproblems": {}}, {"subproblems": [None] * 100}):
            p = problem.Problem(500, obj)
            self.assertEqual((p.type, p.detail, p.subproblems), ("", "", []))
            self.assertEqual(str(p), "no reason given (no type, HTTP 500)")

    def test_bounds(self):
        p = problem.Problem(400, {"detail": "x" * 10000, "subproblems": [{"detail": "y" * 10000}] * 100})
        self.assertEqual(len(p.detail), limits.DETAIL)
        self.assertEqual(len(p.subproblems), limits.SUBPROBLEMS)
        self.assertLess(len(str(p)), (limits.DETAIL + 10) * (limits.SUBPROBLEMS + 2))


if __name__ == "__main__":
    unittest.main()
