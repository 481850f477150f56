"""Garbage from outside raises only RemoteError, and damage to what we stored only LocalError: hypothesis against every reader."""

import hashlib
import hmac
import json
import string

import pytest
import virtual_ca
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from virtual_home import NAME, START, V4, Home, sha256

from ipcert import journal, keys, limits, notices
from ipcert.acme import (
    account,
    alternates,
    authorization,
    challenge,
    dates,
    directory,
    exchange,
    message,
    order,
    problem,
    renewal_information,
)
from ipcert.encoding import key_file
from ipcert.encoding.hmac import hmac as core_hmac
from ipcert.errors import Error, LocalError, RemoteError
from ipcert.operation_commands import Revocation

pytestmark = pytest.mark.quick

quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
slow = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))

TEXT = st.text(max_size=40) | st.sampled_from(
    ["valid", "pending", "ready", "processing", "invalid", "http-01", "dns-01", "dns-persist-01", "t" * 43,
     "https://ca.example/x/1", "https://", "urn:ietf:params:acme:error:badNonce", "2026-11-01T00:00:00Z", "\ud800"]
)  # fmt: skip
LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | TEXT
NAMES = [
    "status", "authorizations", "finalize", "certificate", "error", "detail", "type", "subproblems", "identifier", "value",
    "challenges", "url", "token", "issuer-domain-names", "wildcard", "newNonce", "newAccount", "newOrder", "revokeCert",
    "keyChange", "meta", "profiles", "termsOfService", "externalAccountRequired", "renewalInfo", "suggestedWindow", "start",
    "end", "explanationURL", "contact", "orders",
]  # fmt: skip
VALUE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | TEXT, inner, max_size=6), max_leaves=25
)  # fmt: skip
OBJECT = st.dictionaries(st.sampled_from(NAMES) | TEXT, VALUE, max_size=12)
GOOD = {
    "status": "valid", "authorizations": ["https://ca.example/a"], "finalize": "https://ca.example/f",
    "certificate": "https://ca.example/c", "challenges": [], "newNonce": "https://ca.example/n",
    "newAccount": "https://ca.example/n", "newOrder": "https://ca.example/n", "revokeCert": "https://ca.example/n",
    "keyChange": "https://ca.example/n", "suggestedWindow": {"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"},
}  # fmt: skip
HEADERS = st.dictionaries(
    st.sampled_from(["replay-nonce", "retry-after", "location", "link", "content-type"]),
    st.text(max_size=60)
    | st.sampled_from(["application/problem+json", "abc", "<https://x/1>;rel=alternate", "https://ca.example/l", "1\u00b2", "7"]),
)  # fmt: skip


def only_theirs(call):
    """What the call returns, or None after RemoteError. Anything else comes out."""
    try:
        return call()
    except RemoteError as e:
        assert e.code and str(e)
        return None


@quick
@given(OBJECT, st.booleans())
def test_every_resource(obj, complete):
    if complete:
        obj = dict(GOOD, **obj)
    for read in (directory.Directory, order.Order, renewal_information.RenewalInfo):
        only_theirs(lambda read=read: read(obj))
    for kind in challenge.FOR_NAMES:
        found = only_theirs(lambda kind=kind: authorization.Authorization(obj, kind))
        if found is not None and found.token is not None:
            assert authorization.is_token(found.token)
    only_theirs(lambda: account.read(obj, obj.get("value")))
    shown = str(problem.Problem(400, obj))
    assert all(" " <= c <= "~" for c in shown)


@quick
@given(st.binary(max_size=400) | OBJECT.map(lambda o: json.dumps(o).encode()))
def test_bodies(body):
    obj = only_theirs(lambda: message.parse(body))
    assert obj is None or isinstance(obj, dict)


@quick
@given(st.integers(100, 599), HEADERS, st.binary(max_size=60) | OBJECT.map(lambda o: json.dumps(o).encode()))
def test_answers(status, headers, body):
    ex = exchange.Exchange(None, "https://ca.example/directory")
    found = only_theirs(lambda: ex.read(START, status, headers, body))
    assert found in (None, exchange.OK, exchange.AGAIN, exchange.REFUSED, exchange.LIMITED, exchange.BUSY)
    assert 0 <= ex.pause <= limits.RETRY_AFTER
    assert found != exchange.OK or 200 <= status < 300
    only_theirs(lambda: alternates.alternates(headers))


@quick
@given(st.text(max_size=45) | st.from_regex(r"\A20[0-9]{2}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.+Zz-]{0,20}\Z"))
def test_dates(text):
    assert 0 <= dates.rfc3339(text) < limits.NEVER
    assert 0 <= dates.http_date(text) < limits.NEVER


@quick
@given(st.text(max_size=300), st.integers(0, 300))
def test_what_is_shown_is_printable(text, limit):
    shown = problem.clean(text, limit)
    assert len(shown) <= limit and all(" " <= c <= "~" for c in shown)


HOOKED = ("directory", "new-nonce", "new-account", "new-order", "authorization", "challenge", "finalize", "order", "certificate",
          "renewal-info")  # fmt: skip


@slow
@given(
    st.sampled_from(HOOKED), st.sampled_from([200, 201, 204, 301, 400, 403, 404, 429, 500]), HEADERS,
    st.binary(max_size=100) | OBJECT.map(lambda o: json.dumps(dict(GOOD, **o)).encode()), st.integers(1, 3),
)  # fmt: skip
def test_a_whole_device_survives_any_answer(kind, status, headers, body, times):
    """Whatever one answer says, the device stays in a state that it can go on from, and obtains its certificate."""
    home = Home((V4,))
    home.ca.issue = 2
    left = [times]

    def hook(which, url):
        if which == kind and left[0]:
            left[0] -= 1
            return status, dict(headers), body
        return None

    home.ca.hook = hook
    # URLs that the garbage names are asked for: this CA answers 404 to them.
    inner = home.ca.request

    def request(method, url, data):
        if not url.startswith(virtual_ca.HOST) or url.split("/")[3] not in WORDS:
            return 404, {}, b""
        try:
            return inner(method, url, data)
        except (AssertionError, KeyError):
            return 400, {}, b""

    home.ca.request = request
    home.run(START + 3 * limits.DAY)
    home.ca.hook = None
    home.ca.request = inner
    home.sleep(60)
    home.device.event("renew", V4)
    home.run(home.clock.now + 2 * limits.DAY)
    assert home.record(V4).file_id and home.record(V4).failures == 0
    assert len({i.spki for i in home.ca.issued}) == len(home.ca.issued)


WORDS = (
    "dir",
    "nonce",
    "acct",
    "acct-new",
    "order",
    "order-new",
    "authz",
    "chall",
    "final",
    "cert",
    "ari",
    "revoke",
    "key-change",
)


@slow
@given(st.data())
def test_a_chain_with_any_byte_changed(data):
    home = Home((V4,))

    def hook(kind, url):
        if kind != "certificate" or home.device.failures:
            return None
        chain = bytearray(home.ca.chain(home.ca.issued[-1]).encode())
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(chain) - 1))
            chain[at] = data.draw(st.integers(0, 255))
        return 200, {}, bytes(chain)

    home.ca.hook = hook
    home.run(START + limits.DAY)
    assert home.record(V4).file_id and len(home.ca.issued) == 1


@quick
@given(st.binary(max_size=300), st.integers(0, 1))
def test_any_bytes_as_a_slot(data, which):
    files = {journal.Slots.NAMES[which]: data}
    j = journal.Journal(keys.Ring(), sha256)
    try:
        assert journal.Slots(j).load(files.get) is False
    except LocalError as e:
        assert e.code in ("journal-corrupt", "journal-newer")


@quick
@given(st.data())
def test_a_whole_slot_with_any_content(data):
    """A slot whose checksum fits but whose body is anything at all."""
    body = data.draw(st.binary(max_size=900))
    head = b"ipcJ\x01" + data.draw(st.binary(min_size=4, max_size=4)) + len(body).to_bytes(2, "big")
    digest = bytearray(32)
    sha256(head + body, 0, len(head) + len(body), digest, 0)
    slot = head + body + bytes(digest[:8])
    j = journal.Journal(keys.Ring(), sha256)
    try:
        journal.Slots(j).load({"journal-a": slot}.get)
    except LocalError as e:
        assert e.code == "journal-corrupt"


RECORD = st.fixed_dictionaries(
    {name: st.integers(0, limits.NEVER) for name in ("planned_at", "window_start", "window_end", "not_before", "not_after", "file_id", "pending_file_id", "created_at")}
)  # fmt: skip


@quick
@given(
    st.lists(RECORD, max_size=limits.LINEAGES),
    st.lists(st.binary(min_size=8, max_size=8), max_size=80),
    st.integers(1, 4),
)
def test_a_journal_comes_back(records, retired, writes):
    j = journal.Journal(keys.Ring(), sha256)
    for h in retired:
        j.ring.add(h, 0)
    for k, values in enumerate(records):
        r = j.new()
        for name, value in values.items():
            setattr(r, name, value)
        r.identifiers_text.set(b"host%d.example.net" % k)
    slots = journal.Slots(j)
    files = {}
    for _ in range(writes):
        n = slots.encode()
        files[slots.name] = bytes(slots.data[:n])
    other = journal.Journal(keys.Ring(), sha256)
    assert journal.Slots(other).load(files.get)
    assert other.sequence == writes and other.count == len(records)
    for r, values in zip(other.records(), records):
        assert {name: getattr(r, name) for name in values} == values
    for h in retired[-limits.RING :]:
        assert other.ring.holds(h, 0)


@quick
@given(st.binary(max_size=200))
def test_any_bytes_as_a_key_file(data):
    home = SEALED_HOME
    for prefix in (b"", b"ipcS"):
        try:
            key_file.load(home.port, 2, prefix + data)
        except LocalError as e:
            assert e.code in ("key-file", "key")
        else:
            raise AssertionError("garbage was taken for a key")


SEALED_HOME = Home((V4,), sealed=True)


@quick
@given(st.binary(min_size=1, max_size=200), st.binary(max_size=300))
def test_hmac_is_the_standard_one(key, data):
    out = bytearray(32)
    core_hmac(sha256, key, data, 0, len(data), out, 0)
    assert bytes(out) == hmac.new(key, data, hashlib.sha256).digest()


def test_sealed_keys_open_with_an_independent_implementation():
    """AES-256-CTR and HMAC-SHA256 as `cryptography` and hashlib have them, from the format's description alone."""
    home = SEALED_HOME
    out = bytearray(key_file.SEALED)
    home.port.signer.generate(1)
    n = key_file.write(home.port, 1, out)
    data = bytes(out[:n])
    secret = home.port.secret
    encryption = hmac.new(secret, b"ipcert seal", hashlib.sha256).digest()
    mac = hmac.new(secret, b"ipcert mac", hashlib.sha256).digest()
    assert hmac.new(mac, data[:-32], hashlib.sha256).digest() == data[-32:]
    opened = Cipher(algorithms.AES(encryption), modes.CTR(data[4:20])).decryptor().update(data[20:-32])
    d, point = bytearray(32), bytearray(65)
    home.port.signer.export(1, d, 0)
    home.port.signer.public(1, point, 0)
    assert opened == bytes(d + point)


EVENTS = st.sampled_from(
    ["renew", "certificates", "consent", "revoke", "account", "recover", "adopt", "clock", ""]
)
VALUES = st.one_of(
    st.just(V4), st.just(NAME), st.just("x"), st.just(Revocation(V4, 1)), st.just(Revocation(V4, 1, True)), st.just(Revocation(NAME, 9)),
    st.just("contacts"), st.just("rollover"), st.just("deactivate"),
)  # fmt: skip
NEEDS = {"renew": str, "consent": str, "account": str, "revoke": Revocation}


@slow
@given(st.lists(st.tuples(EVENTS, VALUES, st.integers(0, 40)), max_size=6), st.integers(0, 3))
def test_events_at_any_moment(events, seed):
    """Events between any two actions: refused by LocalError, or carried out; never a third thing."""
    home = Home((NAME, V4), seed=seed, first_delay=limits.HOUR)
    for kind, value, steps in events:
        if not isinstance(value, NEEDS.get(kind, type(None))):
            continue
        for _ in range(steps):
            it = home.step()
            if it is not None:
                if it.busy:
                    home.clock.now = max(home.clock.now, it.until)
                    home.device.done(it.number)
                else:
                    break
        try:
            home.device.event(kind, value)
        except LocalError as e:
            assert e.code
    home.run(home.clock.now + 2 * limits.DAY)
    used = [i.spki[26:] for i in home.ca.issued] + [a["point"] for a in home.ca.accounts.values()]
    assert len(set(used)) == len(used)
    assert all(len(i.names) == 1 for i in home.ca.issued)
    for number, subject, text in home.notices:
        assert notices.text(number, subject, text)


def test_errors_are_sentences():
    """Every Error that the core raises on purpose carries a kebab-case code and a sentence for people."""
    for e in (LocalError("a-b", "Do this."), RemoteError("x", "They did that.")):
        assert (
            isinstance(e, Error) and set(e.code) <= set(string.ascii_lowercase + "-") and str(e).endswith(".")
        )
