"""Who acts next: a table of priorities, read from the top at every step.

What holds. Each row of `PRIORITIES` is a question: is there something of this kind to do? The first row that has something
fills the action; a row that only changed the state (a plan was drawn, a task began) has the table read from the top again.
So what stands higher never waits for what stands lower, and the order of the rows is the whole of the scheduling:

    tell the owner, and keep what is there in service     without a clock, without a network
    know the time                                         docs/privacy.md#p9: nothing below is done while the clock cannot be trusted
    make the state agree with what is wanted, and write it down
    the task under way                                    one order at a time in a home (docs/privacy.md#p5)
    tidy up                                               files of retired keys; missed plans; deployments that failed
    begin the next task                                   operations that were asked for, then what is due
    wait

What must never happen. A task begins while the journal is ahead of the medium: all writing stands above it. Two orders of one
home overlap: a plan that comes due during an order is drawn again behind it (docs/privacy.md#p5). An endless loop: a row that says AGAIN has
taken something away that it will not find a second time.
"""

from . import features, limits, notices
from .action import ISSUANCE, OPERATION
from .order import issuance, states
from .order.renewal_information import RenewalInformation
from .order.request import REVOCATION, Request

# What a row answers.
NOTHING = 0  # ask the next row
FILLED = 1  # the action is to be carried out
AGAIN = 2  # the state changed: read the table from the top

_NO_TIME = 10 * limits.MINUTE  # between looks at a clock that went back


class Scheduler:
    """Fills the action. The parts are the device's; `operations` are loaded when the first one is carried out.

    machine   the task under way (`order.machine.Machine`), or None
    now       the last second that the device was told
    """

    def __init__(self, session, configuration, commands, lineages, deployments, planner, policy, publisher):
        self.machine = None
        self.now = 0
        self.asking = None  # the machine whose action is open, which hears how it ended
        self._session = session
        self._storage = session.storage
        self._outbox = session.outbox
        self._configuration = configuration
        self._commands = commands
        self._lineages = lineages
        self._deployments = deployments
        self._planner = planner
        self._policy = policy
        self._publisher = publisher
        self._told_clock = False

    def fill(self, now, action):
        """Fill the action with the one thing to do. `now`: core seconds, or None while the clock cannot be trusted."""
        self.asking = None
        row = 0
        while True:
            answer = PRIORITIES[row](self, now, action)
            if answer == FILLED:
                return
            row = 0 if answer == AGAIN else row + 1

    def under_way(self):
        """The machine, or None; also None for one that is over and has not told so yet."""
        machine = self.machine
        return None if machine is None or machine.state == states.IDLE else machine

    def in_flight(self):
        """The record that the task under way is about, or None."""
        machine = self.under_way()
        return None if machine is None else machine.record

    def settled(self):
        """True when all that events asked for is done, has failed, or is planned for a later second."""
        machine = self.under_way()
        if self._commands.waiting() or self._lineages.requests or machine and machine.activity == OPERATION:
            return False
        for record in self._storage.journal.records():
            if record.revocation_reason is not None and record.planned_at <= self.now:
                return False
        return True

    # The rows.

    def _tell(self, now, action):
        notice = self._outbox.next()
        if notice is None:
            return NOTHING
        action.notify(notice.number, notice.subject, notice.text)
        return FILLED

    def _deploy(self, now, action):
        return FILLED if self._deployments.next(action) else NOTHING

    def _wait_for_clock(self, now, action):
        if now is None:
            action.wait(None, False)
            return FILLED
        if now + limits.CLOCK_JUMP >= self._storage.journal.clock_floor:
            self.now = now
            return NOTHING
        if not self._told_clock:
            self._told_clock = True
            self._outbox.notice(notices.CLOCK, "it went back behind what was already written")
            return AGAIN
        action.wait(now + _NO_TIME, False)
        return FILLED

    def _apply_configuration(self, now, action):
        if self._configuration.applied:
            return NOTHING
        self._configuration.apply(now)
        return AGAIN

    def _plan_commands(self, now, action):
        # Planned at the second that is told now: the event may be days old.
        self._commands.plan(now)
        return NOTHING

    def _write(self, now, action):
        if self._storage.write_file(action):
            return FILLED
        if not self._storage.changed:
            return NOTHING
        self._storage.write_journal(action)
        return FILLED

    def _continue(self, now, action):
        machine = self.machine
        if machine is None:
            return NOTHING
        # A question and an operation show in no log, so nothing has to keep away from them.
        if machine.activity == ISSUANCE and self._collisions(now, machine.record):
            return AGAIN
        if machine.next(now, action):
            self.asking = machine
            return FILLED
        self.machine = None
        if machine.error is not None:
            self._session.exchange.directory = None  # one that led nowhere is not trusted again
        machine.finished()
        return AGAIN

    def _collisions(self, now, ordered):
        # docs/privacy.md#p5: what comes due while an order is in flight starts a random while later.
        moved = False
        for record in self._storage.journal.records():
            if record is not ordered and record.planned_at <= now:
                self._planner.collision(record, now)
                self._storage.changed = moved = True
        return moved

    def _erase(self, now, action):
        return FILLED if self._storage.erase_file(action) else NOTHING

    def _plan_again(self, now, action):
        moved = False
        for record in self._storage.journal.records():
            if self._planner.overtaken(record, now):
                self._storage.changed = moved = True
        return AGAIN if moved else NOTHING

    def _let_go(self, now, action):
        # Nothing is in flight here: a record that an order is about must not go away under it.
        return AGAIN if self._configuration.let_go(now) else NOTHING

    def _deploy_again(self, now, action):
        return AGAIN if self._deployments.retry(now) else NOTHING

    def _begin_operation(self, now, action):
        if not self._lineages.requests:
            return NOTHING
        # Where it cannot be carried out nobody asked for it: the CA forgets by itself what was proved, only later.
        self._operate(self._lineages.requests.pop(0), now)
        return AGAIN

    def _operate(self, request, now):
        # False where the firmware was built without operations; `commands` refuses those that somebody asks for.
        if not features.has("operations"):
            return False
        operations = features.part("operations")
        self.machine = operations.machine(
            request, self._session, now, self._lineages, self._planner, self._policy
        )
        return True

    def _begin_due(self, now, action):
        due = None
        for record in self._storage.journal.records():
            # Of several the one that failed least: one that always fails must not keep the others away.
            if record.planned_at <= now and (
                due is None
                or record.failures < due.failures
                or record.failures == due.failures
                and record.planned_at < due.planned_at
            ):
                due = record
        if due is None:
            return NOTHING
        # Told here and not at the second of expiry: the renewal was missed long before.
        if due.file_id and now >= due.not_after:
            self._outbox.notice(notices.LAPSED, due.identifiers_text.text())
        if due.revocation_reason is not None:
            request = Request(REVOCATION, due.certificate_role)
            request.record = due
            if not self._operate(request, now):
                # Planned by another firmware, before this one was installed. The owner did not want the certificate, so
                # no other one is ordered until somebody asks.
                due.revocation_reason = None
                due.planned_at = limits.NEVER
                self._storage.changed = True
                error = self._outbox.last_error = features.missing("account-operations")
                self._outbox.notice(notices.FAILED, due.identifiers_text.text(), str(error))
        else:
            self.machine = issuance.Issuance(
                self._session, due, now, self._lineages, self._planner, self._policy, self._publisher
            )
        return AGAIN

    def _begin_question(self, now, action):
        asked = self._soonest_question()
        if asked is None or asked.ask_window_at > now:
            return NOTHING
        self.machine = RenewalInformation(self._session, asked, now, self._planner)
        return AGAIN

    def _wait(self, now, action):
        until = self._soonest().planned_at
        asked = self._soonest_question()
        if asked is not None:
            until = min(until, asked.ask_window_at)
        action.wait(self._deployments.until(until), False)
        return FILLED

    def _soonest(self):
        soonest = None
        for record in self._storage.journal.records():
            if soonest is None or record.planned_at < soonest.planned_at:
                soonest = record
        return soonest

    def _soonest_question(self):
        soonest = None
        for record in self._storage.journal.records():
            if record.ask_window_at and (soonest is None or record.ask_window_at < soonest.ask_window_at):
                soonest = record
        return soonest


PRIORITIES = (
    Scheduler._tell,  # what the owner must know comes first, also where nothing else can be done
    Scheduler._deploy,  # what is there is served at once after a start, before any clock or network
    Scheduler._wait_for_clock,
    Scheduler._apply_configuration,  # events and plans find their lineages behind it
    Scheduler._plan_commands,
    Scheduler._write,  # before anything below touches the outside
    Scheduler._continue,
    Scheduler._erase,  # nothing refers to these files any more, and that is on the medium
    Scheduler._let_go,  # before anything is planned or ordered for an address that is not ours
    Scheduler._plan_again,
    Scheduler._deploy_again,
    Scheduler._begin_operation,  # the owner waits for it
    Scheduler._begin_due,
    Scheduler._begin_question,
    Scheduler._wait,
)
