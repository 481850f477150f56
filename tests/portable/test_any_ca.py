"""What CAs answer in ways that the RFCs allow, or that do no harm: each small input from a report about some client.

Each class is one kind. The bench of bent answers (`tools/test bent`) makes the rest of each kind from what the code reads.
"""

import json
import unittest

from portable_support import code_of
from virtual_ca import _SPKI, DAY, HOST, Refusal, pem, tlv
from virtual_ca import _extension as extension
from virtual_ca import _name as name
from virtual_ca import certificate as der_certificate
from virtual_home import NAME, START, V4, V6, Home

from ipcert import action, identifiers, limits, notices
from ipcert.acme import (
    alternates,
    authorization,
    challenge,
    dates,
    directory,
    exchange,
    message,
)
from ipcert.encoding import x509
from ipcert.errors import RemoteError
from ipcert.operation_commands import Revocation

HOUR = limits.HOUR
URL = HOST + "x/1"
TOKEN = "t" * 43


def bend(home, kind, change, times=1000):
    """Have the CA's answers to requests of a kind changed: change(object) -> object or None, so many times."""
    left = [times]
    real = home.ca._answer

    def answer(which, method, url, body):
        status, headers, data = real(which, method, url, body)
        if which == kind and left[0]:
            left[0] -= 1
            obj = change(json.loads(data))
            data = b"" if obj is None else json.dumps(obj).encode()
        return status, headers, data

    home.ca._answer = answer
    return home


def without(*names):
    """A change that takes members away."""
    return lambda obj: {name: obj[name] for name in obj if name not in names}


def nulled(*names):
    """A change that makes members null."""
    return lambda obj: {name: None if name in names else obj[name] for name in obj}


def longest_pause(home, until):
    """Run up to a second; the longest WAIT with something in flight."""
    longest = 0
    while True:
        it = home.step()
        if it is None:
            continue
        if not it.busy and it.until > until:
            home.clock.now = until
            return longest
        if it.busy:
            longest = max(longest, it.until - home.clock.now)
        home.clock.now = max(home.clock.now, it.until)
        home.device.done(it.number)


class Waiting(unittest.TestCase):
    """Nothing in flight blocks the rest."""

    def test_a_processing_order_that_is_to_be_asked_about_tomorrow_blocks_no_other(self):
        home = Home((V4, V6), first_delay=HOUR)
        home.ca.issue = 3 * HOUR
        home.ca.retry_after = 86400
        self.assertLessEqual(longest_pause(home, START + 3 * HOUR), limits.PAUSE)
        self.assertEqual(home.ca.count("new-order"), 2)  # the other one was ordered meanwhile
        home.run(START + DAY)
        self.assertEqual(sorted(home.deployed), sorted((V4, V6)))
        # Each order was kept and taken up again, with the key that was made for it.
        self.assertEqual((home.ca.count("new-order"), len(home.ca.issued)), (2, 2))
        self.assertEqual(home.told(notices.FAILED), [])
        self.assertIn(V4, home.told(notices.LIMITED))

    def test_a_slow_certificate_comes_within_minutes_whatever_the_ca_asks_for(self):
        home = Home((V4,))
        home.ca.issue = 30
        home.ca.retry_after = 86400
        home.run(START + 10 * limits.MINUTE)
        self.assertEqual((len(home.ca.issued), home.device.failures), (1, 0))

    def test_a_busy_ca_is_asked_again_within_the_attempt(self):
        for kind in (
            "directory",
            "new-nonce",
            "new-account",
            "new-order",
            "authorization",
            "challenge",
            "finalize",
            "certificate",
        ):
            for status in (429, 503):
                home = Home((V4,))
                left = [2]

                def hook(which, url, left=left, kind=kind, status=status):
                    if which == kind and left[0]:
                        left[0] -= 1
                        return status, {"retry-after": "7"}, b"busy"

                home.ca.hook = hook
                home.run(START + 60)
                self.assertEqual((kind, len(home.ca.issued), home.device.failures), (kind, 1, 0))
                self.assertGreaterEqual(home.clock.now, START + 14)

    def test_a_ca_that_is_always_busy_is_given_up_and_the_order_kept(self):
        home = Home((V4,))

        def hook(which, url):
            if which == "finalize" and home.clock.now < START + 2 * HOUR:
                return 503, {"retry-after": "5"}, b""

        home.ca.hook = hook
        home.run(START + limits.MINUTE)
        self.assertEqual(home.record(V4).failures, 1)
        self.assertLessEqual(home.ca.count("finalize"), limits.PATIENCE + 1)
        home.run(START + DAY)
        self.assertEqual((len(home.ca.issued), home.ca.count("new-order")), (1, 1))

    def test_how_the_last_attempt_of_each_lineage_ended_is_known(self):
        home = Home((V4, NAME), urgent="both", first_delay=60)

        def hook(which, url):
            if which == "new-order" and home.device.subject == NAME:
                raise Refusal("rejectedIdentifier", 403)

        home.ca.hook = hook
        home.run(START + HOUR)
        self.assertIsNone(home.device.errors[V4])
        self.assertEqual(home.device.errors[NAME].code, "rejectedIdentifier")


class Accounts(unittest.TestCase):
    def test_a_revocation_by_key_that_is_refused_leaves_the_account_alone(self):
        home = Home((V4,))
        home.run()
        before = home.device.journal.account_url.text()
        home.ca.hook = lambda kind, url: _raise(Refusal("accountDoesNotExist")) if kind == "revoke" else None
        home.device.event("revoke", Revocation(V4, 0, True))
        home.run(home.clock.now + 20)
        self.assertEqual(home.device.last_error.code, "accountDoesNotExist")
        self.assertEqual(home.device.journal.account_url.text(), before)
        self.assertEqual(home.told(notices.ACCOUNT_LOST), [])
        self.assertEqual(home.ca.count("new-account"), 1)
        self.assertIn("CA refused", str(home.device.last_error))

    def test_an_account_whose_url_came_wrong_is_asked_for_again(self):
        home = Home((V4,))
        real = home.ca.request
        left = [1]

        def request(method, url, body):
            status, headers, data = real(method, url, body)
            if url.endswith("acct-new") and left and left.pop():
                headers["location"] = HOST + "acct/elsewhere"
            if (
                status == 400 and b"accountDoesNotExist" in data
            ):  # as Boulder and Pebble say it of a URL that they never gave
                data = data.replace(b"accountDoesNotExist", b"malformed")
            return status, headers, data

        home.ca.request = request
        home.run(START + HOUR)
        self.assertEqual((len(home.ca.issued), len(home.ca.accounts)), (1, 1))
        self.assertIn(home.device.journal.account_url.text(), home.ca.accounts)

    def test_an_account_without_a_status_or_a_body_is_valid(self):
        for change in (
            without("status"),
            nulled("status"),
            lambda obj: None,
            lambda obj: dict(obj, status="Valid"),
        ):
            home = bend(Home((V4,)), "new-account", change)
            home.run()
            self.assertEqual((len(home.ca.issued), home.device.failures), (1, 0))


def _raise(error):
    raise error


class Missing(unittest.TestCase):
    """What is not needed now is not missed; what was known stays known."""

    def issues(self, home, failures=0):
        home.run(START + 20 * limits.MINUTE)
        self.assertEqual((len(home.ca.issued), home.device.failures), (1, failures))
        self.assertEqual(home.ca.count("new-order"), 1)

    def test_a_directory_without_revocation_and_key_change_is_good_for_an_order(self):
        for change in (without("revokeCert", "keyChange"), nulled("revokeCert", "keyChange", "renewalInfo")):
            home = bend(Home((V4,)), "directory", change)
            self.issues(home)
            home.device.event("account", "rollover")
            home.run(home.clock.now + 20)
            self.assertIn("keyChange", str(home.device.last_error))
            self.assertEqual(home.device.journal.pending_account_file_id, 0)
            home.device.event("revoke", Revocation(V4, 0, True))
            home.run(home.clock.now + 20)
            self.assertIn("revokeCert", str(home.device.last_error))
            self.assertGreater(home.record(V4).file_id, 0)

    def test_later_answers_about_an_order_may_leave_out_what_is_known(self):
        for change in (
            without("authorizations", "finalize"),
            nulled("authorizations", "finalize"),
            lambda obj: dict(obj, authorizations=[], finalize=""),
        ):
            home = Home((V4,))
            home.ca.issue = 5
            self.issues(bend(bend(home, "order", change), "finalize", change))

    def test_a_valid_authorization_needs_no_challenges(self):
        for change in (
            without("challenges", "identifier"),
            nulled("challenges", "identifier", "wildcard", "expires"),
        ):
            home = Home((V4,))
            self.issues(
                bend(home, "authorization", lambda obj, c=change: c(obj) if obj["status"] == "valid" else obj)
            )

    def test_challenges_are_not_needed_while_the_answered_one_is_awaited(self):
        home = Home((V4,))
        home.ca.decide = 5
        first = []

        def change(obj):
            first.append(1)
            return obj if len(first) == 1 else without("challenges")(obj)

        self.issues(bend(home, "authorization", change))

    def test_empty_bodies_are_asked_about_again(self):
        for kind in ("challenge", "finalize"):
            for status in (200, 202, 204):
                home = bend(Home((V4,)), kind, lambda obj: None)
                real = home.ca._answer

                def answer(which, method, url, body, real=real, kind=kind, status=status):
                    found = real(which, method, url, body)
                    return (status, found[1], found[2]) if which == kind else found

                home.ca._answer = answer
                home.ca.issue = 2
                self.issues(home)

    def test_an_empty_answer_to_a_poll_is_asked_for_again(self):
        for kind in ("order", "authorization"):
            home = Home((V4,))
            home.ca.issue = home.ca.decide = 5
            count = []

            def change(obj, count=count):
                count.append(1)
                return None if len(count) == 2 else obj

            self.issues(bend(home, kind, change))

    def test_an_order_without_a_status_is_asked_about_again(self):
        for kind in ("new-order", "finalize", "order"):
            home = Home((V4,))
            home.ca.issue = 3
            self.issues(bend(home, kind, without("status"), 1))

    def test_a_valid_order_without_its_certificate_is_asked_about_again(self):
        for change in (without("certificate"), nulled("certificate"), lambda obj: dict(obj, certificate="")):
            for kind in ("finalize", "order"):
                home = Home((V4,))
                home.ca.issue = 0 if kind == "finalize" else 3
                self.issues(bend(home, kind, change, 3))

    def test_an_order_that_goes_back_from_processing_goes_on(self):
        for back in ("ready", "pending"):
            home = Home((V4,))
            home.ca.issue = 6
            self.issues(bend(home, "order", lambda obj, b=back: dict(obj, status=b), 1))
            self.assertLessEqual(home.ca.count("finalize"), 2)

    def test_an_order_that_always_goes_back_is_given_up(self):
        home = Home((V4,))
        home.ca.issue = 10**6
        seen = []

        def change(obj):
            seen.append(1)
            return dict(obj, status=("ready", "processing")[len(seen) % 2])

        bend(home, "order", change)
        home.run(START + 10 * limits.MINUTE)
        self.assertEqual(home.device.errors[V4].code, "restarts")
        self.assertLessEqual(home.ca.count("order"), 60)


class Spellings(unittest.TestCase):
    """URLs, identifiers, links, media types, problems, dates, nonces: other spellings of the same."""

    def test_urls_are_resolved(self):
        base = "https://ca.example:8443/acme/new-order?x=1"
        # RFC 3986 5.4, with a base of ours.
        for text, want in (
            ("https://other.example/a", "https://other.example/a"), ("HTTPS://ca.example/a", "https://ca.example/a"),
            ("hTTps://ca.example/a#part", "https://ca.example/a"), ("//ca.example/a", "https://ca.example/a"),
            ("/order/1", "https://ca.example:8443/order/1"), ("order/1", "https://ca.example:8443/acme/order/1"),
            ("./order/1", "https://ca.example:8443/acme/order/1"), ("../order/1", "https://ca.example:8443/order/1"),
            ("../../../g", "https://ca.example:8443/g"), ("?y=2", "https://ca.example:8443/acme/new-order?y=2"),
            ("g?y=a/../b", "https://ca.example:8443/acme/g?y=a/../b"), ("/a/b/..", "https://ca.example:8443/a/"),
            ("/a/./b/.", "https://ca.example:8443/a/b/"), ("g;x=1/../y", "https://ca.example:8443/acme/y"),
            ("/with:colon", "https://ca.example:8443/with:colon"),
        ):  # fmt: skip
            self.assertEqual(message.url(text, "Location", base), want)
        self.assertEqual(message.url("/a", "x", "https://ca.example"), "https://ca.example/a")
        for bad in (
            "http://ca.example/a", "HTTP://ca.example/a", "ftp:a", "a:b", "https:a", "https:/a", "", None, 5, "https://",
            "https:///a", "//", "/a b", '/"', "/" + "x" * limits.URL, "javascript:x", "#part", "/a\\b",
        ):  # fmt: skip
            self.assertEqual(
                (bad, code_of(RemoteError, lambda b=bad: message.url(b, "x", base))), (bad, "url")
            )
        self.assertEqual(code_of(RemoteError, lambda: message.url("/a", "x")), "url")

    def test_relative_urls_everywhere(self):
        home = Home((V4,))
        home.ca.issue = 2
        real = home.ca.request

        def request(method, url, body):
            status, headers, data = real(method, url, body)
            if "location" in headers:
                headers["location"] = headers["location"].replace("https://ca.example", "")
            return (
                status,
                headers,
                data.replace(b"https://ca.example", b"HTTPS://ca.example" if url.endswith("dir") else b""),
            )

        home.ca.request = request
        home.run(START + 60)
        self.assertEqual((len(home.ca.issued), home.device.failures), (1, 0))
        self.assertTrue(home.device.journal.account_url.text().startswith("https://ca.example/"))

    def test_an_identifier_comes_back_in_another_spelling(self):
        for text, others in (
            ("home.example.net", ("HOME.Example.NET", "home.example.net.")),
            ("2001:db8::1:7", ("2001:DB8:0:0:0:0:1:7", "2001:0db8:0000:0000:0000:0000:0001:0007", "[2001:db8::1:7]")),
        ):  # fmt: skip
            wanted = identifiers.parse(text)
            for other in others:
                found = authorization.Authorization({"identifier": {"value": other}}, "http-01")
                self.assertIs(challenge.identifier_of([wanted], found), wanted)
        star = identifiers.parse("*.example.net")
        found = authorization.Authorization(
            {"identifier": {"value": "EXAMPLE.net."}, "wildcard": True}, "dns-01"
        )
        self.assertIs(challenge.identifier_of([star], found), star)
        for other, wildcard in (
            ("example.net", False),
            ("other.net", True),
            ("::1", False),
            ("", True),
            (5, True),
            ("a b", True),
        ):
            found = authorization.Authorization(
                {"identifier": {"value": other}, "wildcard": wildcard}, "dns-01"
            )
            self.assertEqual(
                code_of(RemoteError, lambda f=found: challenge.identifier_of([star], f)), "authorization"
            )

    def test_the_record_of_a_name_in_capitals_is_published_as_we_write_it(self):
        home = Home((NAME, "*.example.net"), challenge_name="dns-01")
        shown = []
        act = home._act

        def note(it):
            if it.kind == action.PUBLISH:
                shown.append(it.name)
            return act(it)

        home._act = note

        def change(obj):
            obj["identifier"]["value"] = obj["identifier"]["value"].upper() + "."
            return obj

        bend(home, "authorization", change)
        home.run(START + 60)
        self.assertEqual(sorted(shown), ["_acme-challenge.example.net", "_acme-challenge.home.example.net"])

    def test_a_certificate_for_a_name_in_capitals_is_for_the_name(self):
        wanted = [identifiers.parse(NAME)]
        for text, good in ((NAME, True), (NAME.upper(), True), ("hume.example.net", False)):
            der = der_certificate(b"\x03", name("E1"), b"", _SPKI + b"\x04" + bytes(64), 0, DAY, (text,))
            fields = x509.Fields()
            x509.read(der, 0, len(der), fields)
            self.assertEqual(x509.match_san(der, fields, wanted), good)

    def test_links(self):
        one, two = "https://a/1", "https://a/2"
        for link, want in (
            ('<https://a/1> ; rel = "alternate"', [one]), ("<https://a/1>;REL=Alternate", [one]),
            ('<https://a/1>;title="x, <y>; rel=up";rel="alternate"', [one]),
            ('<https://a/1,2>;rel="alternate"', ["https://a/1,2"]), ('<https://a/1;2>;rel="alternate"', ["https://a/1;2"]),
            ('<https://a/1>;rel="index Alternate up"', [one]), ('<https://a/1>;rel="alternatex"', []),
            ('<https://a/d>;rel="index",<https://a/1>;a;b="";rel="alternate";c=d , <https://a/2>; rel="alternate"', [one, two]),
            ('<https://a/1>;rel="up";rel="alternate"', []),  # RFC 8288 3.3: the first one counts
            ('<https://a/1>;rel="alternate";anchor="https://b/"', []),  # a link of something else
            ('<https://a/1>;title="a\\"b,c";rel=alternate', [one]), ("</1>;rel=alternate", [one]), ("<1>;rel=alternate", ["https://a/c/1"]),
            ("<HTTPS://a/1>;rel=alternate", [one]), ("<http://a/1>;rel=alternate", []), ('<https://a/1>;rel="alternate', [one]),
            (", ,<https://a/1>;rel=alternate,,", [one]), ("<https://a/1>;rel=alternate, <https://a/1>;rel=alternate", [one]),
            ("<https://a/1", []), ("<>;rel=alternate", []),
        ):  # fmt: skip
            self.assertEqual((link, alternates.alternates({"link": link}, "https://a/c/d")), (link, want))

    def take(self, status, body, kind=None, **headers):
        home = Home((V4,))
        if kind is not None:
            headers["content-type"] = kind
        return home.device.exchange.read(START, status, headers, body), home.device.exchange

    def test_a_bad_nonce_is_retried_whatever_its_media_type(self):
        body = b'{"type":"urn:ietf:params:acme:error:badNonce"}'
        for kind in (
            None, "", "application/problem+json", "Application/Problem+JSON; charset=utf-8", "application/json", "text/plain",
            "text/html; charset=utf-8",
        ):  # fmt: skip
            self.assertEqual((kind, self.take(400, body, kind)[0]), (kind, exchange.AGAIN))
        self.assertEqual(self.take(400, b"\xef\xbb\xbf" + body)[0], exchange.AGAIN)
        self.assertEqual(self.take(400, body.replace(b"urn:ietf", b"URN:IETF"))[0], exchange.AGAIN)

    def test_the_owner_reads_the_reason_in_whatever_form_it_came(self):
        for body, kind, want in (
            (b"Maintenance until noon", "text/plain", "Maintenance until noon (no type, HTTP 503)"),
            (b"Maintenance\r\n until noon\x1b[31m", None, "Maintenance until noon [31m (no type, HTTP 503)"),
            (b"<html><head><title>503 Service Unavailable</title></head>\n<body>nginx</body></html>", "text/html",
             "503 Service Unavailable nginx (no type, HTTP 503)"),
            (b'{"title":"Busy","status":503}', "application/json", "Busy (no type, HTTP 503)"),
            (b'{"message":"busy"}', "application/json", '{"message":"busy"} (no type, HTTP 503)'),
            (b'{"detail":"busy"}', "text/plain", "busy (no type, HTTP 503)"),
            (b'["busy"]', "application/json", '["busy"] (no type, HTTP 503)'),
            (b"", None, "no reason given (no type, HTTP 503)"), (b"\xff\xfe", None, "no reason given (no type, HTTP 503)"),
        ):  # fmt: skip
            self.assertEqual(str(self.take(503, body, kind)[1].problem), want)
        self.assertLessEqual(len(str(self.take(503, b"x" * 9000)[1].problem)), limits.DETAIL + 30)

    def test_all_three_forms_of_a_date(self):
        # RFC 9110 5.6.7: one moment in its three spellings.
        for text in (
            "Sun, 01 Nov 2026 00:02:00 GMT",
            "Sunday, 01-Nov-26 00:02:00 GMT",
            "Sun Nov  1 00:02:00 2026",
        ):
            self.assertEqual(dates.http_date(text), limits.BUILT + 120)
            self.assertEqual(exchange.retry_after({"retry-after": text}, limits.BUILT), 120)
        for text in (
            "Sunday, 01-Nov-1926 00:02:00 GMT",
            "Sun Nov 1 00:02:00 26 x y",
            "Sun Nov  x 00:02:00 2026",
            "1 2 3 4 5",
        ):
            self.assertEqual(dates.http_date(text), 0)

    def test_more_than_ten_challenges(self):
        odd = [{"type": "later-%02d" % number, "url": URL} for number in range(20)]
        wanted = {"type": "http-01", "url": URL, "token": TOKEN}
        found = authorization.Authorization({"status": "pending", "challenges": odd + [wanted]}, "http-01")
        self.assertEqual((found.url, found.token), (URL, TOKEN))

    def test_status_and_type_in_other_case(self):
        home = Home((V4,))
        home.ca.issue = 2

        def change(obj):
            obj["status"] = obj["status"].upper()
            for offered in obj.get("challenges", ()):
                offered["type"] = offered["type"].upper()
            return obj

        for kind in ("new-account", "new-order", "authorization", "finalize", "order"):
            bend(home, kind, change)
        home.run(START + 60)
        self.assertEqual((len(home.ca.issued), home.device.failures), (1, 0))

    def test_json_after_a_byte_order_mark(self):
        self.assertEqual(message.parse(b'\xef\xbb\xbf{"a":1}'), {"a": 1})

    def test_nonces_of_any_length_that_are_base64url_and_words_for_others(self):
        for nonce in ("a", "-", "abcde", "x" * limits.NONCE):
            self.assertEqual(self.nonce(nonce), None)
        self.assertEqual(limits.NONCE, 256)
        for nonce, words in (
            (None, "without"),
            ("", "without"),
            ("a=", "base64url"),
            ("x" * 257, "256"),
            ("a, b", "base64url"),
        ):
            self.assertIn(words, self.nonce(nonce))

    def nonce(self, nonce):
        device = Home((V4,)).device
        it = action.Action()
        device.exchange.directory = directory.Directory(
            {name: URL for name in ("newNonce", "newAccount", "newOrder")}
        )
        device.exchange.post(it, URL)
        try:
            device.exchange.read(START, 200, {} if nonce is None else {"replay-nonce": nonce}, b"")
        except RemoteError as error:
            return str(error)
        device.exchange.jws.set_kid(b"https://ca.example/" + b"k" * (limits.URL - 19))
        device.port.signer.generate(0)
        device.exchange.post(it, "https://ca.example/" + "u" * (limits.URL - 19))
        self.assertEqual(it.method, "POST")


def key_extension(last, key):
    """The subject's (0x0e) or the authority's (0x23) key identifier."""
    value = tlv(0x04, key) if last == 0x0E else tlv(0x30, tlv(0x80, key))
    return extension(b"\x55\x1d" + bytes((last,)), value)


def authority(subject, issuer, key=b"", above=b"", serial=b"\x02"):
    """A CA's certificate, DER, with the key identifiers `key` of its own and `above` of its issuer."""
    extra = b"".join([key_extension(last, text) for last, text in ((0x0E, key), (0x23, above)) if text])
    spki = _SPKI + b"\x04" + (key + bytes(64))[:64]
    return der_certificate(serial, name(issuer), name(subject), spki, 0, 30 * 365 * DAY, ca=True, extra=extra)


class Chains(unittest.TestCase):
    """What is deployed is written by us, from the certificates, in order."""

    def deployed(self, write, **wishes):
        """What a home deploys where the CA sends write(leaf, intermediate, root) as its chain; None for a refusal."""
        home = Home((V4,), **wishes)
        root = authority("Virtual Root", "Virtual Root")

        def answer(kind, url):
            if kind == "certificate" and not home.device.failures:
                sent = write(home.ca.issued[-1].der, home.ca._intermediate, root)
                sent = sent.encode() if isinstance(sent, str) else sent
                return 200, {"content-type": "application/pem-certificate-chain"}, sent

        home.ca.hook = answer
        home.run(START + 20)
        self.home = home
        if home.device.failures:
            self.assertEqual(home.deployed, {})
            self.assertEqual([name for name in home.store.names() if name.startswith("chain")], [])
            return None
        got = home.deployed[V4][1]
        self.assertEqual(bytes(home.store.read("chain-%d" % home.record(V4).file_id)), got)
        return got.decode()

    def good(self):
        return pem(self.home.ca.issued[-1].der) + pem(self.home.ca._intermediate)

    def test_forms_that_servers_cannot_load_are_written_anew(self):
        def lines(text, end):
            return text.replace("\n", end)

        for form in (
            lambda text: text.replace("-----\n-----", "----------"),
            lambda text: lines(text, "\r"),
            lambda text: lines(text, "\r\n"),
            lambda text: lines(text, " \n"),
            lambda text: lines(text, "\n\n"),
            lambda text: lines(text, "\n\t"),
            lambda text: text.rstrip("\n"),
            lambda text: "".join(
                [line if len(line) == 64 else "\n" + line + "\n" for line in text.split("\n")]
            ),  # one long line
            lambda text: "\ufeff" + text,
            lambda text: (
                "subject=CN = E1\nissuer=X - Y\n"
                + text.replace("-----\n-----", "-----\n\nnext:\n-----")
                + "end\n"
            ),
        ):

            def sent(leaf, above, root, form=form):
                return form(pem(leaf) + pem(above)).encode()

            self.assertEqual(self.deployed(sent), self.good())

    def test_another_order_repetitions_and_the_root_are_sorted_out(self):
        for order_ in ("ba", "lab", "rba", "lar", "llaarr", "ral", "lala"):

            def sent(leaf, above, root, o=order_):
                return "".join(
                    [pem({"l": leaf, "a": above, "b": leaf, "r": root}[which]) for which in o]
                ).encode()

            self.assertEqual((order_, self.deployed(sent)), (order_, self.good()))

    def test_the_issuer_is_found_by_name_and_key(self):
        """Two with one name: the key decides. One under two roots: one way is enough, and not the one that ends in a root."""
        key, other = b"k" * 20, b"o" * 20
        home = Home((V4,))
        right = authority("Virtual E1", "Virtual Root", home.ca.authority, key)
        wrong = authority("Virtual E1", "Virtual Root", other, key)
        cross = authority("Virtual Root", "Old Root", key, other)
        root = authority("Virtual Root", "Virtual Root", key, key)
        for above in (
            (wrong, right, root),
            (right, wrong),
            (root, cross, right),
            (cross, root, wrong, right),
        ):

            def sent(leaf, e1, root, certificates=above):
                return "".join([pem(one) for one in certificates + (leaf,)]).encode()

            got = self.deployed(sent)
            want = pem(self.home.ca.issued[-1].der) + pem(right) + (pem(cross) if cross in above else "")
            self.assertEqual(got, want)

    def test_a_chain_that_cannot_be_built_is_refused(self):
        stranger = authority("Stranger", "Stranger's issuer")
        other = authority("Virtual E1", "Virtual Root", b"o" * 20)
        for sent in (
            lambda leaf, above, root: pem(leaf) + pem(stranger),
            lambda leaf, above, root: pem(leaf) + pem(above) + pem(stranger),
            lambda leaf, above, root: pem(leaf) + pem(other),
            lambda leaf, above, root: pem(above) + pem(root),
            lambda leaf, above, root: "",
            lambda leaf, above, root: pem(leaf)[:-30],
            lambda leaf, above, root: pem(leaf) + pem(above).replace("CERTIFICATE", "PRIVATE KEY"),
            lambda leaf, above, root: pem(leaf) + pem(above[:-1]),
        ):
            self.assertIsNone(self.deployed(sent))
            self.assertIsInstance(self.home.device.last_error, RemoteError)

    def test_a_chain_of_the_leaf_alone(self):
        for sent in (lambda leaf, above, root: pem(leaf), lambda leaf, above, root: pem(leaf) * 2):
            got = self.deployed(sent)
            self.assertEqual(got, pem(self.home.ca.issued[-1].der))

    def test_the_preferred_chain_in_any_case(self):
        for wanted, which in (("virtual ROOT 3", 2), ("Virtual Root 2", 1)):
            home = Home((V4,), preferred_chain=wanted)
            home.ca.alternates = 3
            home.run()
            self.assertEqual(home.deployed[V4][1].decode(), home.ca.chain(home.ca.issued[0], which))
            self.assertEqual(home.told(notices.CHAIN), [])

    def test_a_chain_that_is_not_offered_is_told(self):
        for count in (0, 3):
            home = Home((V4,), preferred_chain="Other Root")
            home.ca.alternates = count
            home.run()
            self.assertEqual(home.told(notices.CHAIN), [V4])
            self.assertEqual(home.deployed[V4][1].decode(), home.ca.chain(home.ca.issued[0]))
        for wanted in ("", "smallest"):
            home = Home((V4,), preferred_chain=wanted)
            home.run()
            self.assertEqual(home.told(notices.CHAIN), [])


if __name__ == "__main__":
    unittest.main()
