"""The configuration against the state: which certificates are new, renamed or retired, and what the owner must be told.

What holds. `wanted` is the list of certificates that the owner wants; the journal has a record for each certificate that there
was. `apply` makes the two agree, at every start and after every change, before anything is planned or asked for:

- a record whose identifiers are wanted stays as it is, plan and all;
- a record of names that became other names takes the new names over: what is served stays until the new certificate is
  there (only the names' certificates do so; an address that changed is another address);
- any other record is retired: its certificate is left to expire, its key is erased, what its order proved is given back;
- what is new gets a record and its first plan: at once for the urgent one, a random wait for the others (docs/privacy.md#p1), and where an
  address replaces another one of its family, the wait of docs/privacy.md#p6.

What must never happen: one certificate that says what the owner did not agree to. A mix of names and addresses, or of both
families, waits without a plan until the owner's consent is in the journal.
"""

from . import features, identifiers, notices, split

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
        lasted = {}  # family -> how long the address that went away had lasted
        renamed = None
        for record in journal.records():
            text = record.identifiers_text.text()
            if text in texts:
                record.certificate = self.wanted[texts.index(text)]
                continue
            # The first identifier says which kind: only a combined certificate has several.
            family = identifiers.parse(text.split(",")[0]).family
            if family == 0 and renamed is None and not self.policy.combined:
                renamed = record
                continue
            self._retire(record)
            lasted[family] = now - record.created_at
            journal.drop(record)
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
            record = journal.new()
            record.created_at = now
        # An IPv6 address that nobody knew becomes public: its owner is warned each time.
        if family == 6:
            journal.told_notices &= ~_TOLD_AGAIN
        record.certificate = certificate
        record.identifiers_text.set(certificate.text.encode())
        if family in lasted:
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
