"""The account resource (RFC 8555 7.1.2, 7.3)."""

from ..encoding.buffer import put
from ..errors import RemoteError
from . import message

VALID = 0
DEACTIVATED = 1
REVOKED = 2
STATUS = ("valid", "deactivated", "revoked")


def write_new(buf, off, contacts, agree_terms, bind=None):
    """Write the newAccount payload (7.3); return the new offset. Contacts are checked by `policy.Policy`.

    `bind(buf, off)` writes the external account binding (7.3.4) where the CA wants one.
    """
    off = put(buf, off, b'{"termsOfServiceAgreed":true' if agree_terms else b'{"termsOfServiceAgreed":false')
    if bind is not None:
        off = bind(buf, put(buf, off, b',"externalAccountBinding":'))
    if contacts:
        off = _contacts(buf, put(buf, off, b","), contacts)
    return put(buf, off, b"}")


def write_contacts(buf, off, contacts):
    """Write the payload that replaces the account's contacts (7.3.2), by none where the list is empty."""
    return put(buf, _contacts(buf, put(buf, off, b"{"), contacts), b"}")


def write_existing(buf, off):
    """Write the payload that asks whether a key has an account (7.3.1)."""
    return put(buf, off, b'{"onlyReturnExisting":true}')


def _contacts(buf, off, contacts):
    off = put(buf, off, b'"contact":[')
    first = True
    for c in contacts:
        off = put(buf, off, b'"' if first else b',"')
        off = put(buf, off, c.encode())
        off = put(buf, off, b'"')
        first = False
    return put(buf, off, b"]")


def read(obj, location):
    """The account URL from newAccount's Location. Raises RemoteError when it is missing or the account is not valid."""
    if message.status(obj, STATUS) != VALID:
        raise RemoteError(
            "account", "The CA says that this account is no longer valid; start a new one with a reset."
        )
    return message.url(location, "Location")
