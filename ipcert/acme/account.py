"""The account resource (RFC 8555 7.1.2, 7.3): the payloads that make and change one, and what newAccount answers.

The account URL is the account from here on: it goes into the protected header of every request ("kid", 6.2). It is
in the header Location and nowhere in the body, for a new account as for one that existed (7.3, 7.3.1).

Contacts are texts that `policy.Policy` has checked: they stand in JSON as they are.
"""

from ..encoding.buffer import put
from ..errors import RemoteError
from . import message

# RFC 8555 7.1.6. Only a valid account may order anything.
VALID = 0
DEACTIVATED = 1  # by us (7.3.6); there is no way back
REVOKED = 2  # by the CA
STATUS = ("valid", "deactivated", "revoked")


def write_new(buffer, offset, contacts, agree_terms, bind=None):
    """Write the newAccount payload (7.3); return the new offset. Contacts are checked by `policy.Policy`.

    `bind(buffer, offset)` writes the external account binding (7.3.4) where the CA wants one.
    """
    # Said either way: where the owner has not agreed, the CA's refusal tells what there is to agree to (7.3.3).
    agreed = b'{"termsOfServiceAgreed":true' if agree_terms else b'{"termsOfServiceAgreed":false'
    offset = put(buffer, offset, agreed)
    if bind is not None:
        offset = bind(buffer, put(buffer, offset, b',"externalAccountBinding":'))
    # No member and an empty list mean the same in a new account (7.3); the shorter one is sent.
    if contacts:
        offset = _contacts(buffer, put(buffer, offset, b","), contacts)
    return put(buffer, offset, b"}")


def write_contacts(buffer, offset, contacts):
    """Write the payload that replaces the account's contacts (7.3.2), by none where the list is empty."""
    return put(buffer, _contacts(buffer, put(buffer, offset, b"{"), contacts), b"}")


def write_existing(buffer, offset):
    """Write the payload that asks whether a key has an account (7.3.1)."""
    # With this the CA makes no account by the way: a key from elsewhere either has one, or the answer is an error.
    return put(buffer, offset, b'{"onlyReturnExisting":true}')


def _contacts(buffer, offset, contacts):
    offset = put(buffer, offset, b'"contact":[')
    first = True
    for contact in contacts:
        offset = put(buffer, offset, b'"' if first else b',"')
        offset = put(buffer, offset, contact.encode())
        offset = put(buffer, offset, b'"')
        first = False
    return put(buffer, offset, b"]")


def read(body, location, base=""):
    """The account URL from newAccount's Location. Raises RemoteError when it is missing or the account is not valid.

    The answer to a request that succeeded need not say that the account is valid.
    """
    if body and message.status(message.parse(body), STATUS, VALID) != VALID:
        raise RemoteError(
            "account", "The CA says that this account is no longer valid; start a new one with a reset."
        )
    # Checked like every URL: it goes into the header of every request, and into the journal.
    return message.url(location, "Location", base)
