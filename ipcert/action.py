"""What the core wants of the outside: one action at a time, numbered, in one reused object.

What holds. There is one Action in a device, and it is filled anew for each step, so that nothing is allocated for it. Each kind
says below what carrying it out twice means, because that is what a power cut between the deed and the answer amounts to: every one
is harmless to repeat, or the core never repeats it blindly.

What must never happen: a port that keeps the object, or one of its buffers, beyond its answer. Copy what is needed later.
"""

WAIT = 0
SEND = 1
PUBLISH = 2
WITHDRAW = 3
WRITE = 4
ERASE = 5
DEPLOY = 6
NOTIFY = 7

# For logs and tests, by number.
NAMES = ("wait", "send", "publish", "withdraw", "write", "erase", "deploy", "notify")


# What is under way while an action is open, for `device.Device.activity`.
NOTHING = 0
ISSUANCE = 1  # a certificate is being obtained
RENEWAL_INFORMATION = 2  # the CA is asked about a renewal window
OPERATION = 3  # an operation on the account, or a revocation


class Publication:
    """What answers one challenge, as PUBLISH and WITHDRAW have it."""

    def __init__(self, challenge, subject, name, token, text):
        self.challenge = challenge
        self.subject = subject
        self.name = name
        self.token = token
        self.text = text


class Action:
    """Read what its kind says; everything else is stale. Buffers belong to the core and change at the next call.

    WAIT      until: core second, or None until the clock can be trusted; busy: True while an order is in flight.
              Replay after a crash: nothing to do.
    SEND      method "GET" | "HEAD" | "POST", url, body (bytearray) and size (0: none), accept (str).
              Replay: the core resumes from the journal, so a request is never repeated blindly.
    PUBLISH   publication, and its fields: challenge (its type), subject (the identifier, text), name, token, text (bytes). Replay: harmless.
              http-01: serve text (the key authorization) for token.
              dns-01: a TXT record text at name; `done` only when the name's servers show it. So with every type that has
              a record, but a lasting one (dns-persist-01): nothing to do but to see that it stands.
              tls-alpn-01: show chain (one certificate, DER) with key (PKCS#8) to SNI name and ALPN acme-tls/1.
    WITHDRAW  the same fields: take it away again. Replay: harmless.
    WRITE     name, body, size: durable before `done`. Replay: the same bytes again.
    ERASE     name: overwrite if the medium allows, remove. Replay: harmless where it is gone already.
    DEPLOY    record (journal.Record), key (bytes, PKCS#8) and chain (bytes, PEM).
              Replay: must change nothing when the same chain is in place.
    NOTIFY    notice (a number of `notices`), subject, text. Replay: the owner may see it twice.
    """

    def __init__(self):
        self.number = 0
        self.kind = WAIT
        self.until = None
        self.busy = False
        self.method = self.url = self.accept = self.name = self.token = self.subject = self.text = (
            self.challenge
        ) = ""
        self.body = b""
        self.size = 0
        self.record = None
        self.key = self.chain = b""
        self.notice = 0
        self.publication = None

    def wait(self, until, busy):
        """WAIT until a core second (None: until the clock is trusted)."""
        self.kind = WAIT
        self.until = until
        self.busy = busy

    def send(self, method, url, body, size, accept=""):
        """SEND a request."""
        self.kind = SEND
        self.method = method
        self.url = url
        self.body = body
        self.size = size
        self.accept = accept

    def publish(self, challenge, subject, name, token, text):
        """PUBLISH what answers a challenge."""
        self.kind = PUBLISH
        self._show(Publication(challenge, subject, name, token, text))

    def withdraw(self, publication):
        """WITHDRAW a Publication."""
        self.kind = WITHDRAW
        self._show(publication)

    def _show(self, publication):
        self.publication = publication
        self.challenge = publication.challenge
        self.subject = publication.subject
        self.name = publication.name
        self.token = publication.token
        self.text = publication.text

    def write(self, name, body, size):
        """WRITE the first `size` bytes of `body` durably."""
        self.kind = WRITE
        self.name = name
        self.body = body
        self.size = size

    def erase(self, name):
        """ERASE a file."""
        self.kind = ERASE
        self.name = name

    def deploy(self, record, key, chain):
        """DEPLOY a key and chain; both empty: take the certificate down."""
        self.kind = DEPLOY
        self.record = record
        self.key = key
        self.chain = chain

    def notify(self, notice, subject, text):
        """NOTIFY the owner."""
        self.kind = NOTIFY
        self.notice = notice
        self.subject = subject
        self.text = text
