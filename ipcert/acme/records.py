"""What answers the challenge types that look into the DNS. Only a device that uses one of them has it in memory, or in flash."""

from ..encoding import base32, base64url


def answer(row, publisher, action, identifier, authorization):
    """Fill the action with the TXT record of a row of `challenge.TABLE` that has one."""
    if row.lasting:
        name = row.record + authorization.value
        text = _lasting(publisher, identifier, authorization)
        action.publish(row.name, identifier.value, name, "", text.encode())
        return
    # The digest of the key authorization, in base64url (8.4).
    digest = publisher.digest(publisher.key_authorization(authorization))
    value = bytearray(43)
    base64url.write_url(value, 0, digest, 0, len(digest))
    record = row.record
    if row.names_account:
        record = record % _label(publisher)
    name = record + authorization.value
    action.publish(row.name, identifier.value, name, authorization.token, bytes(value))


def _lasting(publisher, identifier, authorization):
    # The CA and the account (draft-ietf-acme-dns-persist). There is no token.
    text = "%s; accounturi=%s" % (authorization.issuer, publisher.account.url())
    if identifier.value[:2] == "*.":
        text += "; policy=wildcard"
    return text


def _label(publisher):
    # Each account has a name of its own for the record (draft-ietf-acme-dns-account-label 3.2).
    label = bytearray(16)
    base32.write(label, 0, publisher.digest(publisher.account.url().encode()), 0, 10)
    return label.decode()
