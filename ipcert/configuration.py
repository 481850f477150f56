"""The configuration against the state: which certificates are new, renamed or retired, and what the owner must be told.

What holds. `wanted` is the list of certificates that the owner wants; the journal has a record for each certificate that there
was. `apply` makes the two agree, at every start and after every change, before anything is planned or asked for:

- a record whose identifiers are wanted stays as it is, plan and all;
- a record of names that became other names takes the new names over: what is served stays until the new certificate is
  there (only the names' certificates do so; an address that changed is another address);
- a record of an address in whose place another one was found stays in service, and is doubted (`presence`);
- any other record is retired: its certificate is left to expire, its key is erased, what its order proved is given back;
- what is new gets a record and its first plan: at once for the urgent one, a random wait for the others (docs/privacy.md#p1), and where an
  address replaces another one of its family, the wait of docs/privacy.md#p6.

`let_go` retires what was doubted for long enough.

What must never happen: one certificate that says what the owner did not agree to. A mix of names and addresses, or of both
families, waits without a plan until the owner's consent is in the journal.
"""

from . import features, identifiers, limits, notices, presence, split

_SAID_AFTER = 6  # answers, which are hours at least
# What is told again for each new IPv6 address: it is another one that becomes public.
_TOLD_AGAIN = 1 << notices.IPV6_PUBLISHED | 1 << notices.EUI64


class Configuration:
    """The certificates that are wanted, and the policy (`policy.Policy`) for them.

    wanted    list of `split.Certificate`; applied: False while the records are not matched with it
    consent   `consent.Consent` where one of them needs the owner's, else None
    """

    def __init__(self, port, policy, storage, lineages, planner, outbox):
        self.policy = policy
        self._port = port
        self._storage = storage
        self._lineages = lineages
        self._planner = planner
        self._outbox = outbox
        self.wanted = []
        self.applied = False
        self.consent = None
        self._notices = 0

    def change(self, certificates):
        """Want these certificates from now on. Raises LocalError, and changes nothing, for a list that cannot be."""
        # All of it is looked at before anything changes.
        split.check(certificates)
        for certificate in certificates:
            for one in certificate.identifiers:
                identifiers.check_public(one, self.policy.test_ca)
        home = self.policy.setting == "home"
        mixed = home and [certificate for certificate in certificates if certificate.is_mixed()]
        self.consent = None
        if mixed:
            parts = (self._port, self._storage, self._planner, self._outbox)
            self.consent = features.part("consent").Consent(mixed, *parts)
        self._choose_urgent(certificates)
        self._notices = split.warn(certificates, self.policy.urgent == "both")
        self.wanted = certificates
        self.applied = False

    def _choose_urgent(self, certificates):
        # One goes at once: the first of the urgent kind, or of the only kind there is.
        kind = "domain" if self.policy.urgent == "domain" else "ip"
        first = certificates[0]
        for certificate in certificates:
            certificate.urgent = False
        for certificate in certificates:
            if ("ip" if certificate.identifiers[0].family else "domain") == kind:
                first = certificate
                break
        first.urgent = True

    def apply(self, now):
        """Match the records with what is wanted, and plan what is new. `now`: core seconds."""
        journal = self._storage.journal
        texts = [certificate.text for certificate in self.wanted]
        # family -> how long the address that went away had lasted; NEVER where none did
        lasted = {0: limits.NEVER, 4: limits.NEVER, 6: limits.NEVER}
        renamed = None
        for record in journal.records():
            text = record.identifiers_text.text()
            if text in texts:
                record.certificate = self.wanted[texts.index(text)]
                if record.certificate.evidence != presence.KEPT:
                    if presence.seen(record, now, record.certificate.evidence):
                        self._storage.changed = True
                continue
            instead = self._found_instead(text)
            if instead and presence.is_live(record, now):
                self._doubt(record, now, instead, lasted)
                continue
            # The first identifier says which kind: only a combined certificate has several.
            family = identifiers.parse(text.split(",")[0]).family
            if family == 0 and renamed is None and not self.policy.combined:
                renamed = record
                continue
            self._retire(record)
            _note_lasted(lasted, family, now - record.wanted_at)
            journal.drop(record)
        self._drop_surplus()
        known = [record.identifiers_text.text() for record in journal.records()]
        for certificate in self.wanted:
            if certificate.text not in known:
                renamed = self._add(certificate, now, renamed, lasted)
        if renamed is not None:  # there are no names any more
            self._retire(renamed)
            journal.drop(renamed)
        if self.consent is not None:
            self.consent.ask()
        self._warn()
        self._storage.collect(self._port.names())
        self.applied = True

    def _add(self, certificate, now, renamed, lasted):
        # A record for the certificate: the renamed one, where it fits, which is None from then on.
        journal = self._storage.journal
        family = certificate.identifiers[0].family
        if family == 0 and renamed is not None and not self.policy.combined:
            record, renamed = renamed, None
            self._give_back(record)
            record.consent_at = 0  # it was for other identifiers
        else:
            while journal.count == journal.most and self._drop_doubted(0):
                continue
            record = journal.new()
            record.created_at = record.wanted_at = now
            if certificate.evidence == presence.INTERFACE:
                record.presence = presence.ON_INTERFACE
        # An IPv6 address that nobody knew becomes public: its owner is warned each time.
        if family == 6:
            journal.told_notices &= ~_TOLD_AGAIN
        record.certificate = certificate
        record.identifiers_text.set(certificate.text.encode())
        if lasted[family] < limits.NEVER:
            self._planner.held(record, now, lasted[family])
            self._outbox.notice(notices.HELD, certificate.text)
        else:
            self._planner.first(record, now, certificate.urgent)
        self._storage.changed = True
        return renamed

    def _retire(self, record):
        self._lineages.retire(record)
        self._give_back(record)
        self._outbox.notice(notices.RETIRED, record.identifiers_text.text())

    def _give_back(self, record):
        # What stays ours is not proved again: where something of an order does, the rest of it is left to expire.
        ours = [one.value for certificate in self.wanted for one in certificate.identifiers]
        for value in record.identifiers_text.text().split(","):
            if value in ours:
                record.order_url.set(b"")
                record.ordered_at = 0
        self._lineages.give_back(record)

    # Addresses that are doubted.

    def _found_instead(self, text):
        # How the addresses came to be known that were found in the place of this record's; GIVEN where the owner took one
        # of its identifiers out of the configuration.
        evidence = presence.GIVEN
        for value in text.split(","):
            family = identifiers.parse(value).family
            found = presence.GIVEN
            stays = False
            for certificate in self.wanted:
                for one in certificate.identifiers:
                    stays = stays or one.value == value
                    if family and one.family == family:
                        found = max(found, certificate.evidence)
            if stays:
                continue
            if not found:
                return presence.GIVEN
            evidence = min(evidence or found, found)
        return evidence

    def _doubt(self, record, now, evidence, lasted):
        text = record.identifiers_text.text()
        parts = [identifiers.parse(value) for value in text.split(",")]
        record.certificate = split.make(parts, self.policy)
        first = not record.doubted_at
        if first:
            for one in parts:
                _note_lasted(lasted, one.family, now - record.wanted_at)
        before = record.doubt_answers
        if not presence.missing(record, now, evidence, max(limits.DOUBT_EVERY // self.policy.compress, 1)):
            return
        self._storage.changed = True
        # Said when it has lasted: what two lines do that take turns is no news.
        if before < _SAID_AFTER <= record.doubt_answers:
            self._outbox.notice(notices.DOUBTED, text)
        if presence.needs_proof(record) and before < record.doubt_answers:
            self._planner.proof(record, now)

    def let_go(self, now):
        """Retire one record whose address is believed gone; False where there is none."""
        for record in self._storage.journal.records():
            if presence.is_gone(record):
                self._retire(record)
                self._storage.journal.drop(record)
                return True
        return False

    def _drop_surplus(self):
        for family in (4, 6):
            while self._doubted(family) > limits.DOUBTED:
                self._drop_doubted(family)

    def _doubted(self, family):
        count = 0
        for record in self._storage.journal.records():
            if record.doubted_at and _has_family(record, family):
                count += 1
        return count

    def _drop_doubted(self, family):
        # The one that was ours for the shortest time; False where none is doubted. `family` 0: of any.
        latest = None
        for record in self._storage.journal.records():
            if record.doubted_at and (not family or _has_family(record, family)):
                if latest is None or record.created_at > latest.created_at:
                    latest = record
        if latest is None:
            return False
        self._retire(latest)
        self._storage.journal.drop(latest)
        return True

    def may_order(self, record):
        """True for a record that needs no consent, or has it."""
        return self.consent is None or self.consent.covers(record)

    def _warn(self):
        # Each warning about what becomes public is told once.
        journal = self._storage.journal
        new = self._notices & ~journal.told_notices
        if not new:
            return
        everything = [one for certificate in self.wanted for one in certificate.identifiers]
        for number in range(len(notices.CODES)):
            if new >> number & 1:
                self._outbox.notice(number, split.subject(number, everything))
        journal.told_notices |= new
        self._storage.changed = True


def _has_family(record, family):
    for value in record.identifiers_text.text().split(","):
        if identifiers.parse(value).family == family:
            return True
    return False


def _note_lasted(lasted, family, seconds):
    # Of several that went away the one that lasted least says whether this line keeps its addresses.
    lasted[family] = min(lasted[family], seconds)
