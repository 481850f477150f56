"""One question to the CA: when would it like a certificate renewed (ARI, RFC 9773)?

What holds. The answer never makes two certificates of one home meet: a window moves a plan only where the CA wants the
certificate replaced early (an emergency: it may be revoked), or where the owner chose to follow the CA's windows. The
question is asked without an account and without a signature, so it says nothing but that this certificate is in use.

What must never happen: an answer that is garbage, or none, counts as a failed attempt. It changes no plan; the question is
asked again, six to twelve hours later.
"""

from ..acme import message, renewal_information
from ..action import RENEWAL_INFORMATION
from . import states
from .machine import Machine


class RenewalInformation(Machine):
    """Ask about the certificate of a record. `planner` (`planner.Planner`) is the device's."""

    table = states.RENEWAL_TABLE
    activity = RENEWAL_INFORMATION
    needs_account = False

    def __init__(self, session, record, now, planner):
        super().__init__(session, record, record.certificate_role, now)
        self._planner = planner

    def _do_begin(self, now, action):
        base = self.session.exchange.directory.renewal_info
        if not base or not self.record.ari_id.size:
            self.record.ask_window_at = 0  # the next certificate brings the question back
            return states.WINDOW_UNAVAILABLE
        self.session.exchange.get(action, renewal_information.url(base, self.record.ari_id.text()))

    def _read_begin(self, now, headers, body):
        information = renewal_information.RenewalInfo(message.parse(body))
        self._planner.window(self.record, information, now, self._pause)
        return states.OK

    _do_save_window = Machine._save

    def _do_failed(self, now, action):
        self._planner.poll(self.record, now, self._pause)
        return states.OK
