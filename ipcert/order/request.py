"""What asks for an operation: its kind, and what it is about. `operations` is only loaded when one is carried out."""

CONTACTS, ROLLOVER, DEACTIVATION, RECOVERY, REVOCATION, DEAUTHORIZATION = range(6)


class Request:
    """One operation that waits for its turn.

    kind       one of the above; role: of the account that it is about or that signs it
    record     REVOCATION: the lineage; by_key: its certificate's own key signs
    order_url  DEAUTHORIZATION: the order whose authorizations are given back
    """

    def __init__(self, kind, role):
        self.kind = kind
        self.role = role
        self.record = None
        self.by_key = False
        self.order_url = ""
