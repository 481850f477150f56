"""The challenge types (RFC 8555 8), one row of TABLE each, and what answers each of them.

A challenge is how a CA sees that an identifier is ours: it sends a token, and looks for what only the holder of the
account key can have made of it, the key authorization (8.1): the token, a dot, and the thumbprint of the account's
key. Where it looks, and in which shape, is the type's business. `publish` works that out and hands it to the port in
one PUBLISH action; the port serves it or writes it into the DNS, and knows nothing of tokens and thumbprints.

What holds:

- A type that cannot prove an identifier is refused before anything is ordered (`check`): a CA counts failed
  validations, five an hour at Let's Encrypt, and the owner would wait for nothing.
- An authorization is answered only where it is for an identifier of this very order (`identifier_of`). A CA that asks
  for another one gets no answer: it would be a proof that somebody else may use.
- What is published is public. Only types whose answer says nothing of the account are a default; a type whose record
  names the account (`names_account`) ties all identifiers of that account together, for all to see and for as long
  as the record stands. Addresses then use an account of their own (`policy.Policy.accounturi`).

A new type is one row here and one function, here, in `records` or in `alpn`, and in each port one entry of its table of solvers.
Policy, both ports, the configuration and `ipcert doctor` read the rows.
"""

from .. import features
from ..errors import LocalError, RemoteError
from ..identifiers import parse

HTTP = "http-01"
DNS = "dns-01"
ACCOUNT = "dns-account-01"
PERSIST = "dns-persist-01"
ALPN = "tls-alpn-01"


def _answer_http(row, publisher, action, identifier, authorization):
    """The key authorization, as the body of a file that the CA fetches (8.3)."""
    text = publisher.key_authorization(authorization)
    action.publish(row.name, identifier.value, "", authorization.token, text)


# What a row's `load` returns is its answer; only a device that answers a type has its code in memory, or in flash.


def _http():
    return _answer_http


def _records():
    return features.part("records").answer


def _certificates():
    return features.part("alpn").answer


class Type:
    """One row: what a challenge type can prove, and what it takes.

    name           as RFC 8555 9.7.8 registers it
    addresses      True where it proves IP addresses too (RFC 8738 7 and 8: no DNS challenge does)
    wildcards      True where it proves wildcards (CA/Browser Forum, Baseline Requirements 3.2.2.4: the DNS ones only)
    record         what stands before the name in the DNS, "" where nothing is put there; "%s" in it: the account's label
    lasting        the record has no token and stays after the validation
    names_account  the record says which account it is for
    resolves       the CA connects to the identifier, so a name must lead to this device
    load           load(): what fills the action, answer(row, publisher, action, identifier, authorization). Raises
                   LocalError("missing") where the firmware was built without it
    """

    def __init__(self, name, addresses, wildcards, record, lasting, names_account, resolves, load):
        self.name = name
        self.addresses = addresses
        self.wildcards = wildcards
        self.record = record
        self.lasting = lasting
        self.names_account = names_account
        self.resolves = resolves
        self.load = load


# In the order in which they are offered to the owner.
TABLE = (
    #    name    addresses wildcards record                lasting names_account resolves load
    Type(HTTP,    True,    False,   "",                     False,  False,        True,   _http),
    Type(DNS,     False,   True,    "_acme-challenge.",     False,  False,        False,  _records),
    Type(ACCOUNT, False,   True,    "_%s._acme-challenge.", False,  True,         False,  _records),
    Type(PERSIST, False,   True,    "_validation-persist.", True,   True,         False,  _records),
    Type(ALPN,    True,    False,   "",                     False,  False,        True,   _certificates),
)  # fmt: skip

FOR_NAMES = tuple([row.name for row in TABLE])
FOR_ADDRESSES = tuple([row.name for row in TABLE if row.addresses])


def find(name):
    """The row of a challenge type. Raises LocalError("challenge") where ipcert does not know it."""
    for row in TABLE:
        if row.name == name:
            return row
    raise LocalError("challenge", "'%s' is no challenge type; use %s." % (name, " or ".join(FOR_NAMES)))


def _is_wildcard(identifier):
    return identifier.value[:2] == "*."


def identifier_of(identifiers, authorization):
    """The Identifier that an authorization is about, whose value then is as we write it. Raises RemoteError where it is
    none of the order's."""
    text = authorization.value
    try:
        # Capitals, a dot at the end, brackets, an address in another form: the same identifier.
        value = parse(text.strip("[]") if isinstance(text, str) else "").value
    except LocalError:
        value = ""
    for identifier in identifiers:
        # RFC 8555 7.1.4: the authorization of a wildcard has the name without "*.", and says "wildcard".
        base = identifier.value[2:] if _is_wildcard(identifier) else identifier.value
        if base == value and authorization.wildcard == _is_wildcard(identifier):
            authorization.value = value
            return identifier
    raise RemoteError("authorization", "The CA wants to authorize something that was not ordered.")


class Publisher:
    """What the answers are made of: the port's signer and SHA-256, and the account whose key they prove."""

    def __init__(self, port, account):
        self.port = port
        self.account = account

    def key_authorization(self, authorization):
        """The token, a dot, and the thumbprint of the account's key (8.1), as bytes."""
        return authorization.token.encode() + b"." + self.account.thumbprint

    def digest(self, data):
        """The SHA-256 of data."""
        digest = bytearray(32)
        self.port.sha256(data, 0, len(data), digest, 0)
        return digest


def publish(publisher, action, kind, identifier, authorization):
    """Fill the action with what answers the challenge `kind` of the Authorization."""
    row = find(kind)
    row.load()(row, publisher, action, identifier, authorization)


def check(kind, identifiers):
    """Raise LocalError("challenge") where a challenge cannot prove one of the identifiers, "missing" where none can."""
    row = find(kind)
    row.load()
    for identifier in identifiers:
        if identifier.family and not row.addresses:
            raise LocalError("challenge", "%s cannot be proved by %s." % (identifier.value, kind))
        if _is_wildcard(identifier) and not row.wildcards:
            able = " or ".join([other.name for other in TABLE if other.wildcards])
            raise LocalError(
                "challenge", "The wildcard %s needs %s (challenge_name)." % (identifier.value, able)
            )
