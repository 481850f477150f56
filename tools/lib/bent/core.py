"""The core before a CA in memory: one bend in each case, and what came of it.

A case is a scenario (a home, and what it does), a field, a bend, and whether one answer meets it or all of them. The bend lasts for
an hour of the home's time; then the power goes, the CA answers well again, and the home has four days to be as if nothing had been.
"""

from ipcert import action, limits, notices
from ipcert.errors import RemoteError
from ipcert.operation_commands import Revocation
from tools.lib.bent import ca as _ca
from tools.lib.bent import kinds
from tools.lib.bent.answer import Answer
from tools.lib.bent.reading import ABSENT, Field, Reading, noting
from tools.lib.faults import disk as _disk
from tools.lib.faults import home as _home
from urequests_compat.errors import RequestError

ADDRESS = "198.51.100.7"
REQUESTS = 700  # more than these in an hour, and the client hammers
MESSAGES = {
    "dir": "directory", "newNonce": "new-nonce", "newAccount": "new-account", "newOrder": "new-order", "order": "order",
    "authz": "authorization", "challenge": "challenge", "finalize": "finalize", "cert": "certificate",
    "renewalInfo": "renewal-info", "revokeCert": "revoke", "keyChange": "key-change", "account": "account",
}  # fmt: skip
GOES_ON, POLLS_AGAIN, REFUSED = "goes on", "polls again", "clear refusal"
HANGS, LOSES = "hangs", "loses state"


class Lost(Exception):
    """What must never be: the sentence says what was lost."""


class Bender:
    """The CA as the home sees it, with a bend between. `met` counts the answers that were changed."""

    def __init__(self, ca, reading=None):
        self.ca = ca
        self.published = ca.published
        self.reading = reading
        self.message = self.bend = self.left = None
        self.met = self.count = 0

    def arm(self, message, bend, times):
        """Let a bend meet answers from now on; `times`: how many, None for all. No bend: None."""
        self.message, self.bend, self.left = message, bend, times
        self.met = self.count = 0

    def exchange(self, now, method, url, headers, body):
        """What `ca.CA.exchange` answers, bent; a RemoteError where our HTTP refuses it."""
        self.count += 1
        if self.count > REQUESTS:
            raise _home.Stuck("more than %d requests" % REQUESTS)
        status, found, data = self.ca.exchange(now, method, url, headers, body)
        message = MESSAGES.get(url[len("https://ca.example/") :].split("/")[0], "made up by a bend")
        if status >= 400:
            message = "problem"
        answer = Answer(status, found.items(), data)
        if (
            self.bend is not None
            and message == self.message
            and self.left != 0
            and self.bend.edit(answer, now)
        ):
            self.met += 1
            if self.left is not None:
                self.left -= 1
        try:
            found = answer.read()
        except RequestError as error:
            return RemoteError("bad-http", str(error))
        # The bounds that a port keeps for the core.
        if sum(len(name) + len(value) + 4 for name, value in answer.headers) > limits.HEADER:
            return RemoteError("too-large", "the headers are larger than %d bytes" % limits.HEADER)
        if len(answer.body) > max(limits.BODY, limits.CHAIN):
            return RemoteError("too-large", "the answer is larger than %d bytes" % limits.BODY)
        if self.reading is not None:
            self.reading.message = message
            found = self.reading.headers(found)
        return answer.status, found, bytearray(answer.body)


class Home(_home.Home):
    """A home of the faults, whose requests go through a Bender."""

    def _send(self, it):
        self.sent += 1
        self.now += 1
        answer = self.ca.exchange(self.now, it.method, it.url, {}, bytes(it.body[: it.size]))
        if isinstance(answer, RemoteError):
            self.device.failed(it.number, answer)
        else:
            self.device.response(it.number, *answer)


class World:
    """One home, its disk and its CA; `boot` is a power cut."""

    def __init__(self, reading=None, **options):
        self.disk = _disk.Disk()
        self.published = {}
        self.ca = _ca.SlowCA(self.published)
        self.bender = Bender(self.ca, reading)
        self.options = options
        self.now = _home.START
        self.boot()

    def boot(self):
        """The power goes, and comes again."""
        self.published.clear()
        self.home = Home(self.disk, self.bender, (ADDRESS,), self.now, None, self.published, **self.options)

    @property
    def record(self):
        return self.home.record(ADDRESS)

    def run(self, seconds):
        """Let that much of the home's time pass."""
        until = self.home.now + seconds
        try:
            self.home.run(until)
        finally:
            self.now = max(self.home.now, until)
            self.home.now = self.now


class Scenario:
    """What a home does. `prepare(world)` comes before the bend, `begin(world)` is met by it, `done(world)` says whether it was
    done; `again(world)` asks for it once more where the owner would have to."""

    def __init__(self, name, begin, done, prepare=None, again=None, **options):
        self.name = name
        self.begin = begin
        self.done = done
        self.prepare = prepare or (lambda world: None)
        self.again = again
        self.options = options


def _issue(world):
    world.home.run()


def _has_certificate(world):
    return world.record.file_id > 0


def _event(kind, value):
    def begin(world):
        world.device_before = world.record.file_id
        world.home.device.prepare(world.home.now)
        world.home.device.event(kind, value(world) if callable(value) else value)
        world.home.run()

    return begin


def _renewed(world):
    return world.record.file_id > world.device_before


def _ask(world):
    world.device_before = 0
    world.asked = world.record.ask_window_at
    world.home.now = max(world.home.now, world.record.ask_window_at)
    world.home.run()


def _refused(status, problem, **headers):
    def prepare(world):
        world.ca.refusals.append((status, problem, headers))

    return prepare


def _invalid(world):
    world.ca.invalid = True


def _after(world):
    world.ca.invalid = False


_URN = "urn:ietf:params:acme:error:"
_REJECTED = {
    "type": _URN + "rejectedIdentifier", "detail": "Not for us", "status": 403,
    "subproblems": [
        {"type": _URN + "caa", "detail": "CAA says no", "identifier": {"type": "ip", "value": ADDRESS}},
    ],
}  # fmt: skip
_NONCE = {"type": _URN + "badNonce", "detail": "Stale", "status": 400}
_LIMITED = {"type": _URN + "rateLimited", "detail": "Too many", "status": 429}

SCENARIOS = (
    Scenario("issue", _issue, _has_certificate, preferred_chain="Other root", contacts=("mailto:a@example.net",)),
    Scenario("renewal", _event("renew", ADDRESS), _renewed, _issue),
    Scenario("question", _ask, lambda world: world.record.ask_window_at > world.asked, _issue),
    Scenario("refused nonce", _issue, _has_certificate, _refused(400, _NONCE)),
    Scenario("refused order", _issue, _has_certificate, _refused(403, _REJECTED)),
    Scenario("limited", _issue, _has_certificate, _refused(429, _LIMITED, **{"retry-after": "20"})),
    Scenario("invalid", _issue, _has_certificate, _invalid, _after),
    Scenario("contacts", _event("account", "contacts"), lambda world: True, _issue, contacts=("mailto:a@example.net",)),
    Scenario(
        "rollover", _event("account", "rollover"), lambda world: world.home.device.journal.pending_account_file_id == 0, _issue
    ),
    Scenario("deauthorize", _event("deauthorize", ADDRESS), lambda world: True, _issue),
    Scenario(
        "revocation", _event("revoke", lambda world: Revocation(ADDRESS, 1)), lambda world: not world.record.file_id, _issue
    ),
)  # fmt: skip


class Case:
    """One bend of one field in one scenario, for one answer or for all (`always`)."""

    def __init__(self, scenario, field, bend, always):
        self.scenario = scenario
        self.field = field
        self.bend = bend
        self.always = always
        self.times = bend.times if bend.times is not None else (None if always else 1)

    def __str__(self):
        often = "always" if self.always else "once"
        return "%s | %s | %s %s | %s" % (
            self.scenario.name,
            self.field,
            self.bend.kind,
            self.bend.variant,
            often,
        )


class Result:
    """What came of a case: outcome, words (the last error's), deployed (keys and chains in service meanwhile)."""

    def __init__(self, outcome, words, code, deployed):
        self.outcome = outcome
        self.words = words
        self.code = code
        self.deployed = deployed


def cases():
    """Every Case, in order: what the code reads in each scenario × every bend of it."""
    found = []
    known = set()
    for scenario in SCENARIOS:
        reading = Reading()
        with noting(reading):
            world = World(reading, **scenario.options)
            scenario.prepare(world)
            reading.fields = {}
            scenario.begin(world)
            world.run(limits.HOUR)
        fields = list(reading.fields.values())
        messages = {field.message: field for field in fields if field.message != "new-nonce"}
        for message in messages:
            chain = message == "certificate"
            fields.append(
                Field(message, "chain" if chain else "body", (), _ca.ROOT.decode() if chain else "")
            )
        for field in fields:
            key = (field.message, field.part, field.path)
            # A problem document means something else in each scenario; other messages are the same everywhere.
            if key in known and field.message != "problem" or field.path == ("protected",):
                continue
            known.add(key)
            later = _later(field)
            for bend in kinds.bends(field, later):
                found.append(Case(scenario, field, bend, True))
                if bend.times is None:
                    found.append(Case(scenario, field, bend, False))
    return found


def _later(field):
    # What the field holds once the CA has decided.
    if field.part == "json" and field.path == ("status",):
        return "valid"
    if field.part == "json" and field.path == ("certificate",):
        return "https://ca.example/cert/1"
    if field.part == "json" and field.path == ("challenges", "*", "status"):
        return "valid"
    return ABSENT


_LENGTHS = {}  # scenario -> requests without a bend


def _length(scenario):
    if scenario.name not in _LENGTHS:
        world = World(**scenario.options)
        scenario.prepare(world)
        world.bender.count = 0
        scenario.begin(world)
        _LENGTHS[scenario.name] = world.bender.count
    return _LENGTHS[scenario.name]


def run(case):
    """Carry a Case out: its Result, or None where the bend changed nothing."""
    scenario = case.scenario
    usual = _length(scenario)
    world = World(**scenario.options)
    scenario.prepare(world)
    account = world.home.device.journal.account_url.text()
    world.home.notices.clear()
    deployed = []
    world.bender.arm(case.field.message, case.bend, case.times)
    outcome, words, code = None, "", ""
    try:
        scenario.begin(world)
        first = world.bender.count
        device = world.home.device
        error = device.last_error
        failed = device.failures > 0 or error is not None
        if world.bender.met == 0 and world.bender.count <= usual:
            return None
        if not failed and scenario.done(world):
            outcome = GOES_ON if first <= usual else POLLS_AGAIN
        else:
            outcome = REFUSED
            words, code = str(error or ""), error.code if error else ""
            told = [n for n, _, text in world.home.notices if n in (notices.FAILED, notices.LIMITED) and text]
            if error is None or not words or (not told and scenario.name not in ("question", "deauthorize")):
                raise Lost("nothing was done and nobody was told")
        world.run(limits.HOUR)
    except _home.Stuck as error:
        return Result(HANGS, str(error), "", deployed)
    except Lost as error:
        return Result(LOSES, str(error), "", deployed)
    deployed += world.home.deployed.values()
    try:
        _recover(world, scenario, account)
    except _home.Stuck as error:
        return Result(HANGS, "afterwards: %s" % error, "", deployed)
    except Lost as error:
        return Result(LOSES, "afterwards: %s" % error, "", deployed)
    deployed += world.home.deployed.values()
    return Result(outcome, words, code, [(key, chain) for key, chain in deployed if chain])


def _recover(world, scenario, account):
    world.bender.arm(None, None, 0)
    if scenario.again is not None:
        scenario.again(world)
    world.boot()
    world.bender.count = 0
    world.run(4 * limits.DAY)
    if world.home.device.activity != action.NOTHING:
        raise Lost("something is still in flight")
    journal = world.home.device.journal
    if world.ca.broken:
        raise Lost("; ".join(world.ca.broken))
    if len(world.ca.accounts) != 1:
        raise Lost("there are %d accounts" % len(world.ca.accounts))
    if (
        journal.account_url.text() not in world.ca.accounts
        or account
        and journal.account_url.text() != account
    ):
        raise Lost("the account is another one")
    if world.published:
        raise Lost("a challenge is still published")
    if scenario.name != "revocation" and not world.record.file_id:
        raise Lost("there is no certificate: %s" % world.home.device.last_error)
    if journal.pending_account_file_id:
        raise Lost("a key change is still pending")
    _tidy(world)


def _tidy(world):
    with _disk.On(world.disk):
        names = [
            name for name in world.home.store.names() if name not in ("journal-a", "journal-b", "directory")
        ]
    live = ["account-%d" % world.home.device.journal.account_file_id]
    if world.record.file_id:
        live += ["chain-%d" % world.record.file_id, "key-%d" % world.record.file_id]
    if world.record.pending_file_id:
        live.append("key-%d" % world.record.pending_file_id)
    if sorted(names) != sorted(live):
        raise Lost("the state is not tidy: %s" % " ".join(names))
