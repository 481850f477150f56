"""The table of one issuance, pair by pair; and whole issuances through everything that a CA can answer."""

import gc
import json
import sys
import unittest

from portable_support import code_of
from virtual_ca import Refusal, certificate, pem
from virtual_home import NAME, START, V4, V6, Home

from ipcert import action, limits, notices, plan
from ipcert.acme import order
from ipcert.errors import LocalError, RemoteError
from ipcert.order import issuance, operations, renewal_information, states
from ipcert.order.event_names import EVENTS

DAY = limits.DAY
HOUR = limits.HOUR
PEM = {"content-type": "application/pem-certificate-chain"}


def rows(table, width=3):
    return [tuple(table[k : k + width]) for k in range(0, len(table), width)]


MACHINES = (states.ISSUANCE_TABLE, states.RENEWAL_TABLE, states.OPERATION_TABLE)
SHARED = rows(states.SESSION_TABLE) + rows(states.FAILURE_TABLE)


class Table(unittest.TestCase):
    def test_every_pair(self):
        anywhere = dict(rows(states.ANYWHERE, 2))
        ends = (states.IDLE, states.CLEAN, states.FAILED, states.SAVE_FAILED)
        for table in MACHINES:
            legal = {}
            for state, event, to in rows(table) + SHARED:
                self.assertNotIn((state, event), legal)  # nothing stands there twice
                legal[(state, event)] = to
            refused = 0
            for state in range(len(states.STATES)):
                for event in range(len(EVENTS)):
                    if event == states.AGAIN:
                        want = state
                    elif (state, event) in legal:
                        want = legal[(state, event)]
                    elif event in anywhere and state not in ends:
                        want = anywhere[event]
                    else:
                        refused += 1
                        self.assertEqual(
                            code_of(LocalError, lambda s=state, e=event, t=table: states.next_state(t, s, e)),
                            "state",
                        )
                        continue
                    self.assertEqual(states.next_state(table, state, event), want)
            self.assertGreater(refused, 100)

    def test_every_step_is_reached_and_left(self):
        entered, left = {states.DIRECTORY, states.CLEAN}, set()
        for table in MACHINES:
            entered |= {to for state, event, to in rows(table) + SHARED}
            left |= {state for state, event, to in rows(table) + SHARED}
        everything = set(range(len(states.STATES)))
        self.assertEqual(entered, everything)
        self.assertEqual(left, everything - {states.IDLE})

    def test_every_way_ends(self):
        for table in MACHINES:
            after = {}
            for state, _, to in rows(table) + SHARED:
                after.setdefault(state, set()).add(to)
            for state in after:
                seen, front = set(), {state}
                while front:
                    seen |= front
                    front = {to for one in front for to in after.get(one, ())} - seen
                self.assertIn(states.IDLE, seen)

    def test_every_event_is_said_somewhere(self):
        said = {event for table in MACHINES for _, event, _ in rows(table) + SHARED}
        said |= {event for event, _ in rows(states.ANYWHERE, 2)} | {states.AGAIN}
        self.assertEqual(said, set(range(len(EVENTS))))

    def test_every_state_has_its_action(self):
        kinds = [operations.Operation] + [
            kind
            for kind in (getattr(operations, name) for name in dir(operations))
            if isinstance(kind, type) and issubclass(kind, operations.Operation)
        ]
        for machines in ([issuance.Issuance], [renewal_information.RenewalInformation], kinds):
            for state in {state for one in (machines[0].table,) for state, _, _ in rows(one) + SHARED}:
                name = "_do_" + states.STATES[state]
                self.assertTrue(any([hasattr(machine, name) for machine in machines]), name)

    def test_names(self):
        self.assertEqual(len(set(states.STATES)), len(states.STATES))
        self.assertEqual(len(set(EVENTS)), len(EVENTS))
        self.assertEqual(EVENTS[:5], order.STATUS)

    def test_an_order_of_an_earlier_attempt_gives_way_to_a_new_one(self):
        for event in (states.REPLACEMENT, states.NO_ORDER):
            found = states.find(states.ORIGIN_TABLE, states.EARLIER, event)
            self.assertEqual(found, states.THIS_ATTEMPT)
        found = states.find(states.ORIGIN_TABLE, states.THIS_ATTEMPT, states.ORDER_RESUMABLE)
        self.assertEqual(found, states.EARLIER)
        self.assertEqual(states.find(states.ORIGIN_TABLE, states.EARLIER, states.ORDER_GONE), -1)

    def test_moves_of_orders(self):
        for a, b in order.MOVES:
            self.assertTrue(order.may_move(a, b))
            self.assertFalse(order.may_move(b, a))
        for a in range(len(order.STATUS)):
            self.assertTrue(order.may_move(a, a))
        for a, b, good in (
            (order.PENDING, order.VALID, True), (order.READY, order.VALID, True), (order.VALID, order.INVALID, False),
            (order.INVALID, order.VALID, False), (order.PROCESSING, order.READY, False), (order.READY, order.PENDING, False),
        ):  # fmt: skip
            self.assertEqual(order.may_move(a, b), good)


class Answers(unittest.TestCase):
    """One thing goes wrong; the rest of the CA is as ever."""

    def home(self, kind=None, answer=None, times=1, texts=(V4,), **wishes):
        """A home whose CA gives `answer` to requests of this kind, so many times: a tuple, or an exception."""
        home = Home(texts, **wishes)
        home.left = times

        def hook(which, url):
            if which != kind or not home.left:
                return None
            home.left -= 1
            if isinstance(answer, Exception):
                raise answer
            return answer[0], dict(answer[1]), answer[2]

        home.ca.hook = hook
        return home

    def fails(self, home, code, kind):
        home.run(START + 20)
        self.assertEqual(home.device.last_error.code, code)
        r = home.record(V4)
        self.assertEqual((r.failures, r.file_id), (1, 0))
        self.assertEqual(home.failure, kind)
        self.assertEqual(home.published, {})
        self.assertEqual(home.device.activity, action.NOTHING)
        self.assertEqual(len(home.notices[-1:]), 1)

    def recovers(self, home, within=DAY):
        home.run(START + within)
        self.assertEqual(home.record(V4).failures, 0)
        self.assertGreater(home.record(V4).file_id, 0)
        self.assertIn(V4, home.deployed)

    def test_broken_answers_everywhere(self):
        kinds = (
            "directory",
            "new-nonce",
            "new-account",
            "new-order",
            "authorization",
            "challenge",
            "finalize",
            "certificate",
        )
        for kind in kinds:
            for answer in (
                RemoteError("network", "cut"),
                (500, {}, b""),
                (503, {"retry-after": "300"}, b"<html>"),
                (302, {"location": "https://elsewhere.example/"}, b""),
                (200, {}, b"not JSON" if kind != "new-nonce" else b""),
            ):
                if kind == "challenge" and isinstance(answer, tuple) and answer[0] == 200:
                    continue  # what it says does not count
                if kind == "new-nonce" and isinstance(answer, tuple) and answer[0] == 200:
                    answer = (200, {"replay-nonce": "not a nonce"}, b"")
                with self.subTest(kind=kind, answer=str(answer)):
                    home = self.home(kind, answer)
                    home.run(START + 20)
                    r = home.record(V4)
                    self.assertEqual((r.failures, r.file_id), (1, 0))
                    self.assertEqual(home.failure, plan.TRANSPORT)
                    self.assertEqual(home.published, {})
                    home.run(START + DAY)
                    self.assertEqual(len(home.ca.issued), 1)
                    self.assertEqual(home.record(V4).failures, 0)
                    self.assertLessEqual(home.ca.count("new-order"), 2 if kind == "new-order" else 1)

    def test_refusals(self):
        for kind, code in (
            ("new-account", "unsupportedContact"), ("new-order", "rejectedIdentifier"), ("authorization", "unauthorized"),
            ("challenge", "malformed"), ("finalize", "badCSR"), ("certificate", "unauthorized"), ("directory", "maintenance"),
        ):  # fmt: skip
            with self.subTest(kind):
                home = self.home(kind, Refusal(code, 403, "because"))
                self.fails(home, code, plan.REFUSED)
                self.assertEqual(home.told(notices.FAILED), [V4])
                self.assertIn("because", home.notices[-1][2])
                r = home.record(V4)
                self.assertEqual((r.ordered_at, r.pending_file_id), (0, 0))
                self.recovers(home)
                self.assertEqual(len({i.spki for i in home.ca.issued}), len(home.ca.issued))

    def test_rate_limited(self):
        home = self.home("new-order", Refusal("rateLimited", 429, "too many", retry_after=7200))
        self.fails(home, "rateLimited", plan.LIMITED)
        self.assertEqual(home.told(notices.LIMITED), [V4])
        at = home.record(V4).planned_at
        self.assertTrue(START + 7200 <= at <= START + 7200 + 720 + 25)
        home.sleep(60)
        home.run(START + HOUR)
        self.assertEqual(home.record(V4).planned_at, at)
        self.assertEqual(home.ca.issued, [])
        self.recovers(home)

    def test_after_a_failure_the_directory_is_fetched_again(self):
        home = self.home("new-order", Refusal("malformed", 400))
        self.fails(home, "malformed", plan.REFUSED)
        self.recovers(home)
        self.assertEqual(home.ca.count("directory"), 2)

    def test_retry_after_of_a_day_and_more_is_a_day(self):
        home = self.home("new-order", Refusal("rateLimited", 429, "too many", retry_after=10**9))
        home.run(START + 20)
        self.assertLessEqual(home.record(V4).planned_at, START + DAY + DAY // 10 + 30)

    def test_bad_nonces_are_bounded(self):
        home = Home((V4,))
        home.ca.bad_nonces = limits.NONCE_RETRIES
        home.run()
        self.assertEqual(len(home.ca.issued), 1)
        home = Home((V4,))
        home.ca.bad_nonces = 10**9
        home.run(START + 20)
        self.assertEqual(home.device.last_error.code, "nonce")
        self.assertLessEqual(home.ca.count(), limits.NONCE_RETRIES + 3)
        self.assertEqual(home.record(V4).failures, 1)

    def test_half_of_the_nonces_are_refused(self):
        home = Home((V4,))
        seen = []

        def hook(kind, url):
            seen.append(kind)
            if kind not in ("directory", "new-nonce") and len(seen) % 2:
                home.ca.bad_nonces = 1

        home.ca.hook = hook
        home.run()
        self.assertEqual(len(home.ca.issued), 1)
        self.assertEqual(home.record(V4).failures, 0)

    def test_an_order_that_turns_invalid(self):
        home = self.home(texts=(V4,))
        home.look_away = True
        home.ca.look = lambda challenge, value, token: None
        home.run(START + 20)
        self.assertEqual(home.device.last_error.code, "not-valid")
        self.assertIn("nothing there that answers", str(home.device.last_error))
        self.assertEqual(home.failure, plan.VALIDATION)
        self.assertEqual(home.record(V4).ordered_at, 0)
        self.assertEqual(home.published, {})
        home.ca.look = home.look
        self.recovers(home)

    def test_an_invalid_order_with_and_without_a_reason(self):
        for error in (None, {"type": "x", "detail": "CAA forbids it"}, {"status": "403"}, "text"):
            home = Home((V4,))
            home.ca.issue = 5

            def hook(kind, url, home=home, error=error):
                if kind == "order" and not home.record(V4).failures:
                    obj = home.ca._order_object(url)
                    obj["status"] = "invalid"
                    if error:
                        obj["error"] = error
                    return 200, {}, json.dumps(obj).encode()

            home.ca.hook = hook
            home.run(START + 20)
            self.assertEqual(home.device.last_error.code, "not-valid")
            self.assertEqual("CAA" in str(home.device.last_error), "CAA" in str(error))
            self.assertEqual(home.record(V4).pending_file_id, 0)
            self.recovers(home)

    def test_the_ca_goes_back(self):
        home = Home((V4,))
        home.ca.issue = 5

        def hook(kind, url):
            if kind == "order":
                obj = home.ca._order_object(url)
                obj["status"] = "pending"
                return 200, {}, json.dumps(obj).encode()

        home.ca.hook = hook
        home.run(START + 740)
        self.assertEqual(home.device.last_error.code, "undecided")
        self.assertLessEqual(home.ca.count(), 4 * limits.POLLS)

    def test_slow_cas_are_waited_for(self):
        for retry_after in (None, 7):
            home = Home((V4,))
            home.ca.decide = home.ca.issue = 60
            home.ca.retry_after = retry_after
            home.run(START + 300)
            self.assertEqual(len(home.ca.issued), 1)
            polls = home.ca.count("authorization") - 1
            self.assertLessEqual(polls, 20 if retry_after is None else 10)

    def test_a_ca_that_never_decides(self):
        for knob in ("decide", "issue"):
            home = Home((V4,))
            setattr(home.ca, knob, 10**8)
            home.run(START + 2000)
            self.assertEqual(home.device.last_error.code, "undecided")
            self.assertLessEqual(home.ca.count(), 2 * limits.POLLS + 12)
            self.assertEqual(home.failure, plan.SLOW)

    def test_finalize_that_is_never_ready_is_given_up(self):
        home = Home((V4,))
        home.ca.hook = self.never_ready
        home.run(START + HOUR)
        self.assertEqual(home.ca.issued, [])
        self.assertGreater(home.device.failures, 0)
        self.assertLessEqual(home.ca.count(), home.device.failures * 3 * limits.POLLS + 200)

    def never_ready(self, kind, url):
        if kind == "finalize":
            raise Refusal("orderNotReady", 403)

    def test_finalize_too_early(self):
        home = self.home("finalize", Refusal("orderNotReady", 403))
        home.run(START + 20)
        self.assertEqual(len(home.ca.issued), 1)
        self.assertEqual(home.device.failures, 0)
        self.assertEqual(home.told(notices.ISSUED), [V4])
        self.assertEqual(home.told(notices.FAILED), [])

    def test_an_order_that_is_gone(self):
        home = self.home("certificate", RemoteError("network", "cut"))
        home.run(START + 20)
        home.ca.forget_orders()
        self.recovers(home)
        self.assertEqual(home.ca.count("new-order"), 2)
        self.assertEqual(len({i.spki for i in home.ca.issued}), 2)

    def test_an_order_resumed_in_each_state(self):
        for kind in ("authorization", "challenge", "finalize", "certificate"):
            home = self.home(kind, RemoteError("network", "cut"))
            home.ca.issue = 3
            home.run(START + 20)
            self.assertGreater(home.record(V4).ordered_at, 0)
            self.recovers(home)
            self.assertEqual(home.ca.count("new-order"), 1)
            self.assertEqual(len(home.ca.issued), 1)
            self.assertEqual(home.record(V4).file_id, 2)  # the key that was made for it, no other

    def test_a_key_file_that_is_gone_when_an_order_is_resumed(self):
        home = self.home("certificate", RemoteError("network", "cut"))
        home.run(START + 20)
        r = home.record(V4)
        made = bytes(r.pending_key_hash)
        del home.store.files["key-%d" % r.pending_file_id]
        home.sleep(5)
        home.run(START + HOUR)
        self.assertEqual(home.device.last_error.code, "key-file")
        self.recovers(home)
        self.assertTrue(home.device.journal.ring.holds(made, 0))
        self.assertEqual(home.ca.count("new-order"), 2)

    def test_the_key_of_a_refused_order_is_remembered(self):
        home = self.home("finalize", Refusal("badCSR"))
        home.run(START + 20)
        self.assertEqual(home.device.journal.ring.next, 1)
        self.assertEqual([n for n in home.store.names() if n.startswith("key")], [])

    def test_an_order_that_turned_invalid_while_we_were_away(self):
        home = self.home("order", RemoteError("network", "cut"))
        home.ca.issue = 3
        home.run(START + 20)
        for o in home.ca._orders.values():
            o["error"] = {"detail": "too late"}
        self.recovers(home)
        self.assertEqual(home.device.failures, 1)
        self.assertEqual(home.ca.count("new-order"), 2)

    def test_a_valid_order_whose_key_is_lost(self):
        home = self.home("certificate", RemoteError("network", "cut"))
        home.run(START + 20)
        home.record(V4).pending_file_id = 0
        self.recovers(home)
        self.assertEqual(home.ca.count("new-order"), 2)

    def test_an_order_too_old_is_not_resumed(self):
        home = self.home("certificate", RemoteError("network", "cut"))
        home.run(START + 20)
        home.sleep(limits.ORDER_TIME + 60)
        home.run(home.clock.now + DAY)
        self.assertEqual(home.ca.count("new-order"), 2)
        self.assertEqual(len({i.spki for i in home.ca.issued}), 2)

    def test_authorizations_reused(self):
        home = Home((V4,))
        home.ca.authz_reuse = True
        home.run()
        home.device.event("renew", V4)
        before = home.ca.count("challenge")
        home.run()
        self.assertEqual(len(home.ca.issued), 2)
        self.assertEqual(home.ca.count("challenge"), before)

    def test_several_names(self):
        home = Home((NAME, "a.example.net", "b.example.net"))
        home.run()
        self.assertEqual(home.ca.issued[0].names, (NAME, "a.example.net", "b.example.net"))
        self.assertEqual(home.ca.count("challenge"), 3)

    def test_an_authorization_for_something_else(self):
        other = json.dumps(
            {
                "status": "pending",
                "identifier": {"type": "ip", "value": "198.51.100.99"},
                "challenges": [
                    {"type": "http-01", "url": "https://ca.example/chall/1/http-01", "token": "t" * 43}
                ],
            }
        ).encode()
        self.fails(self.home("authorization", (200, {}, other)), "authorization", plan.TRANSPORT)

    def test_no_challenge_of_the_kind(self):
        home = Home((V4,))
        home.ca.kinds = ("tls-alpn-01", "dns-01")
        home.run(START + 20)
        self.assertEqual(home.device.last_error.code, "no-challenge")

    def test_a_location_that_is_missing(self):
        for kind in ("new-account", "new-order"):
            home = Home((V4,))

            def hook(which, url, kind=kind, home=home):
                if which == kind and not home.record(V4).failures:
                    body = {"status": "valid"} if kind == "new-account" else {
                        "status": "pending", "authorizations": ["https://ca.example/authz/1"],
                        "finalize": "https://ca.example/final/1",
                    }  # fmt: skip
                    return 201, {}, json.dumps(body).encode()

            home.ca.hook = hook
            home.run(START + 20)
            self.assertEqual(home.device.last_error.code, "url")
            self.recovers(home)

    def test_an_account_that_is_not_valid(self):
        body = b'{"status":"deactivated"}'
        self.fails(self.home("new-account", (200, {}, body)), "account", plan.TRANSPORT)

    def test_account_urls_lost_again_and_again_are_bounded(self):
        home = Home((V4,))

        def hook(kind, url):
            if kind == "new-order":
                raise Refusal("accountDoesNotExist")

        home.ca.hook = hook
        home.run(START + 20)
        self.assertEqual(home.device.last_error.code, "restarts")
        self.assertEqual(home.ca.count("new-order"), limits.REPLAYS + 1)

    def test_a_leaf_for_others_too(self):
        for names, aki, code in (
            ((V4, "198.51.100.8"), b"a" * 20, "wrong-certificate"), ((NAME,), b"a" * 20, "wrong-certificate"), ((V4,), b"", None),
        ):  # fmt: skip
            home = Home((V4,))

            def hook(kind, url, home=home, names=names, aki=aki):
                if kind == "certificate" and not home.device.failures:
                    i = home.ca.issued[-1]
                    der = certificate(i.serial, home.ca._middle, b"", i.spki, i.start, i.end, names, aki)
                    return 200, dict(PEM), pem(der).encode()

            home.ca.hook = hook
            home.run(START + 20)
            if code:
                self.assertEqual(home.device.last_error.code, code)
                self.assertEqual(home.deployed, {})
            else:  # no key identifier: nothing to ask about, nothing to replace
                self.assertEqual((home.record(V4).ari_id.size, home.record(V4).ask_window_at), (0, 0))
                home.device.event("renew", V4)
                home.run(home.clock.now + 20)
                self.assertIsNone(home.ca.issued[1].replaces)

    def test_chains_that_are_not_ours(self):
        home = Home((V4,))
        other = Home((V4,), seed=9)
        other.run()
        stranger = other.ca.chain(other.ca.issued[0])

        def chain(which):
            i = home.ca.issued[-1]
            good = home.ca.chain(i)
            return {
                "another key": stranger,
                "no leaf": pem(home.ca._intermediate),
                "html": "<html></html>",
                "nothing": "",
                "torn": good[: len(good) // 2],
                "key": good + "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
                "large": good + "\n" * limits.CHAIN,
                "wrong above": pem(i.der) + pem(other.ca.issued[0].der),
            }[which].encode()

        whiches = ("another key", "no leaf", "html", "nothing", "torn", "key", "large", "wrong above")
        for which in whiches:
            home = None
            gc.collect()  # the large one wants its room in one piece
            home = Home((V4,))
            home.ca.hook = lambda kind, url, w=which: (
                (200, dict(PEM), chain(w)) if kind == "certificate" else None
            )
            home.run(START + 20)
            with self.subTest(which):
                self.assertEqual(home.record(V4).failures, 1)
                self.assertIsInstance(home.device.last_error, RemoteError)
                self.assertEqual(home.deployed, {})
                self.assertEqual([n for n in home.store.names() if n.startswith("chain")], [])
                home.ca.hook = None
                self.recovers(home)
                self.assertEqual(len(home.ca.issued), 1)  # the same certificate is fetched again

    def test_no_profile_fits(self):
        home = Home((V4,))
        home.ca.profiles = {"a": DAY * 6, "b": DAY * 6}
        home.run(START + 20)
        self.assertEqual(home.device.last_error.code, "profile")
        self.assertEqual(home.ca.count("new-order"), 0)

    def test_a_profile_that_is_gone(self):
        home = Home((V4,))
        home.run()
        home.ca.profiles = {"shortlived": 160 * 3600}
        home.device.journal.records()[0].profile.set(b"older")
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(home.told(notices.PROFILE), [V4])
        self.assertEqual(home.ca.issued[1].profile, "shortlived")

    def test_alternate_chains(self):
        for wanted, expected in (
            ("Virtual Root 3", 2),
            ("Virtual Root 9", 0),
            ("Virtual Root", 0),
            ("smallest", 0),
        ):
            home = Home((V4,), preferred_chain=wanted)
            home.ca.alternates = 3
            home.run()
            self.assertEqual(home.deployed[V4][1].decode(), home.ca.chain(home.ca.issued[0], expected))
            self.assertEqual(home.ca.count("certificate"), 4)

    def test_an_alternate_that_cannot_be_had(self):
        for answer in ((404, {}, b""), (200, dict(PEM), b"<html>")):
            home = Home((V4,), preferred_chain="Virtual Root 2")
            home.ca.alternates = 1
            home.ca.hook = lambda kind, url, a=answer: (
                a if kind == "certificate" and url.count("/") == 5 else None
            )
            home.run(START + 20)
            self.assertEqual(home.deployed[V4][1].decode(), home.ca.chain(home.ca.issued[0]))

    def test_the_default_chain_where_nothing_is_preferred(self):
        home = Home((V4,), preferred_chain="")
        home.ca.alternates = 3
        home.run()
        self.assertEqual(home.ca.count("certificate"), 1)

    def test_the_smallest_chain_where_ram_is_scarce(self):
        home = Home((V4,))
        home.ca.alternates = 3
        home.run()
        small = sys.implementation.name == "micropython"
        self.assertEqual(home.ca.count("certificate"), 4 if small else 1)

    def test_the_other_challenges(self):
        for kind in ("dns-01", "dns-account-01", "dns-persist-01"):
            home = Home((NAME, "*.example.net"), challenge_name=kind)
            home.run()
            self.assertEqual(home.ca.issued[0].names, (NAME, "*.example.net"))
            self.assertEqual(home.told(notices.NAME_POINTS_HERE), [])
        home = Home(
            (V4, V6, NAME), challenge_ip="tls-alpn-01", challenge_name="tls-alpn-01", first_delay=HOUR
        )
        shown = []
        old = home._act

        def act(it):
            if it.kind == action.PUBLISH:
                shown.append((it.name, len(it.key), len(it.chain)))
            return old(it)

        home._act = act
        home.run(START + 2 * HOUR)
        self.assertEqual(
            sorted([n for n, k, c in shown]),
            sorted(
                ["7.100.51.198.in-addr.arpa", "7.0.0.0.1." + "0." * 19 + "8.b.d.0.1.0.0.2.ip6.arpa", NAME]
            ),
        )
        for _, k, c in shown:
            self.assertEqual(k, 138)
            self.assertGreater(c, 250)
        self.assertEqual(len(home.ca.issued), 3)

    def test_a_wildcard_by_http(self):
        home = Home(("*.example.net",))
        home.run(START + 20)
        self.assertEqual(home.device.last_error.code, "challenge")
        self.assertEqual(home.ca.count("new-order"), 0)

    def test_a_key_that_was_seen_before(self):
        home = Home((V4,))
        home.run()
        signer = home.port.signer
        d = bytearray(32)
        seen = home.store.read("key-%d" % home.record(V4).file_id)
        d[:] = seen[36:68]
        signer.generate = lambda slot: signer.load(slot, bytes(d))
        home.device.event("renew", V4)
        home.run(home.clock.now + 20)
        self.assertEqual(home.device.last_error.code, "key-reuse")
        self.assertEqual(len(home.ca.issued), 1)
        self.assertEqual(home.record(V4).file_id > 0, True)

    def test_both_families_are_two_certificates(self):
        home = Home((V4, V6), first_delay=HOUR)
        home.run(START + 2 * HOUR)
        self.assertEqual({i.names for i in home.ca.issued}, {(V4,), (V6,)})


if __name__ == "__main__":
    unittest.main()
