"""The planner: the policy's answer to "when does this lineage act next?", written into its record.

What holds. Every second at which something will show in the public record is drawn here, once, from random words that
nobody else uses, and is in the journal before it is acted on. A plan is not drawn again because the device restarted, only
because it was missed, failed, collided or lost its meaning; `plan` has the reason for each.

`plan` is arithmetic, knows one lineage at a time, and is what the simulator calls. This file knows which numbers of the
policy and of the record go in. It is also the one place where a demonstration may shorten the waits: `policy.compress`
divides what `_draw` drew. A renewal is never divided, because its place is in the certificate's real lifetime.

What must never happen: a plan of one lineage that is computed from a plan of another one.
"""

from . import limits, notices, plan


class Planner:
    """Draws plans for the records of a journal.

    words   `plan.Words`, the random words; policy: `policy.Policy`; storage, exchange and outbox are the device's
    """

    def __init__(self, words, policy, storage, exchange, outbox):
        self.words = words
        self._policy = policy
        self._storage = storage
        self._exchange = exchange
        self._outbox = outbox
        self._poll = plan.Plan()

    def _draw(self, draw, record, now, *arguments):
        draw(record, self.words, *arguments)
        divisor = self._policy.compress
        if divisor > 1 and record.planned_at > now:
            # Never at once: a draw must not become an immediate plan.
            record.planned_at = now + max((record.planned_at - now) // divisor, 1)
            record.window_start = now + max(record.window_start - now, 0) // divisor
            record.window_end = now + max(record.window_end - now, 0) // divisor

    def first(self, record, now, urgent):
        """docs/privacy.md#p1: a lineage's first issuance, at once for the urgent one; in a fleet, spread over the owner's time."""
        policy = self._policy
        # Devices of one maker that are switched on in the same minute would all show it (fleet).
        if urgent and policy.spread:
            self._draw(plan.first, record, now, now, False, policy.spread)
        else:
            self._draw(plan.first, record, now, now, urgent, policy.first_delay)

    def at_once(self, record, now):
        """The owner asked for it."""
        # Not a matter of luck: the divisor would find nothing to divide.
        plan.first(record, self.words, now, True, 0)

    def held(self, record, now, lasted):
        """docs/privacy.md#p6: an address that is new; the last one `lasted` so many seconds."""
        self._draw(plan.held, record, now, now, lasted, self._policy.min_ip_age)

    def proof(self, record, now):
        """docs/privacy.md#p6: an address that is doubted; a sooner plan stays."""
        before = record.planned_at, record.window_start, record.window_end, record.reason
        self._draw(plan.proof, record, now, now, record.not_before)
        if before[0] <= record.planned_at:
            record.planned_at, record.window_start, record.window_end, record.reason = before

    def _recovery(self, record):
        """docs/privacy.md#p3: the longest wait of a lineage that is late, seconds."""
        policy = self._policy
        certificate = record.certificate
        if certificate.urgent or certificate.has_address and policy.urgent != "domain":
            return plan.BACK
        # There is nothing to hide: the owner said so, or the certificate itself does.
        if policy.setting == "public" or certificate.links_name():
            return plan.BACK
        # Where both are urgent the owner waits a day for the other, as in the beginning.
        return min(policy.recovery, limits.DAY) if policy.urgent == "both" else policy.recovery

    def renewal(self, record, now):
        """docs/privacy.md#p2, after a certificate was issued."""
        # Never divided: its place is in the real lifetime of the certificate.
        plan.renewal(
            record,
            self.words,
            record.certificate.has_address,
            record.not_before,
            record.not_after,
            now,
            self._recovery(record),
        )

    def retry(self, record, now, failure, pause):
        """docs/privacy.md#p4, after an attempt failed: `failure` is its kind, `pause` what the CA asked for, seconds."""
        self._draw(
            plan.retry,
            record,
            now,
            now,
            record.failures_by(failure),
            failure,
            record.not_after,
            pause,
            record.certificate.has_address,
            record.not_before,
            self._recovery(record),
        )
        self._tell_wait(record, now)

    def revocation(self, record, now):
        """docs/privacy.md#p14: at once, or at a distance from the last one."""
        self._draw(plan.revocation, record, now, now, self._storage.journal.revoked_at)

    def collision(self, record, now):
        """docs/privacy.md#p5: another order is in flight at the planned second."""
        self._draw(plan.collide, record, now, now)

    def overtaken(self, record, now):
        """Draw again where a plan means nothing any more: docs/privacy.md#p3 where the device was off, and where the clock was far ahead
        when it was made. False where it holds."""
        # Two different things: what was planned too far ahead, and what is over.
        before = record.reason
        lost = plan.is_lost(record, now, record.not_after)
        if not lost and not plan.is_missed(record, now):
            return False
        if record.revocation_reason is not None:
            self.revocation(record, now)
        elif lost and not record.not_after:
            # Its end means nothing, so the first wait begins now.
            self.first(record, now, record.certificate.urgent)
        else:
            self._draw(
                plan.missed,
                record,
                now,
                record.certificate.has_address,
                now,
                record.not_before,
                record.not_after,
                self._recovery(record),
            )
            if before != plan.LATER:
                self._tell_wait(record, now)
        return True

    def _tell_wait(self, record, now):
        # How long at most, not until when: that would be the moment of the return, and notices end up in logs.
        if record.reason == plan.LATER:
            most = record.window_end - now
            unit, word = limits.MINUTE, "minutes"
            if most > limits.DAY:
                unit, word = limits.DAY, "days"
            elif most > limits.HOUR:
                unit, word = limits.HOUR, "hours"
            text = "%d %s" % (-(-most // unit), word)
            self._outbox.notice(notices.WAITS, record.identifiers_text.text(), text)

    def poll(self, record, now, pause):
        """The next question about the renewal window; none where the CA answers no such questions."""
        record.ask_window_at = 0
        directory = self._exchange.directory
        if record.ari_id.size and directory is not None and directory.renewal_info:
            plan.poll(self._poll, self.words, now, pause)
            record.ask_window_at = self._poll.planned_at

    def window(self, record, information, now, pause):
        """The CA's window for a certificate: an emergency overrides the plan, and so does the owner's `strict_ari`."""
        has_address = record.certificate.has_address
        end = information.end
        # A CA that moves a window forward by much says that it is about to revoke.
        if plan.is_emergency(record.ari_window_end, end, record.not_before, record.not_after):
            self._draw(plan.emergency, record, now, has_address, now)
            self._outbox.notice(notices.EMERGENCY, record.identifiers_text.text(), information.explanation)
        elif self._policy.strict_ari and record.ari_window_end != end:
            plan.strict(
                record,
                self.words,
                has_address,
                information.start,
                end,
                record.not_before,
                record.not_after,
                now,
                self._recovery(record),
            )
        record.ari_window_end = end
        self.poll(record, now, pause)

    def never(self, record):
        """Nothing is planned for the lineage, until somebody asks."""
        record.planned_at = limits.NEVER
