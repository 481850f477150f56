"""The certificate resource (RFC 8555 7.4.2): is this chain the one that was ordered?

A chain is looked at before it is written, because what is in the journal is served. What must never happen: that a
certificate replaces a working one and does not fit the key beside it, or is for other identifiers, or is not valid
now. So the leaf must carry the subject key of this order and exactly its identifiers.

What is served is written here, from the certificates, and never the CA's own bytes: servers and their libraries read PEM
in different ways. The leaf comes first, then whoever issued it, by name and key, and so on; what stands there twice, text between
and the root, which clients have, are left out (`_sort`). Certificates that make no chain are refused.

No signature is verified: the answer came over verified TLS from the CA that is to be believed, and browsers verify.
"""

from .. import limits
from ..encoding import p256, x509
from ..encoding.buffer import same
from ..errors import RemoteError


def _wrong(why):
    raise RemoteError("wrong-certificate", "The CA sent a certificate %s; it was not used." % why)


def _find(out, ends, signer, slot, leaf):
    """Read the certificate with the slot's key into Fields `leaf`; return the numbers of those with another key."""
    # The whole SubjectPublicKeyInfo, so that an RSA key or another curve is a difference too.
    point = bytearray(p256.POINT)
    signer.public(slot, point, 0)
    spki = bytearray(p256.SPKI)
    p256.write_spki(spki, 0, point, 0)
    first = -1
    rest = []
    for number in range(len(ends) - 1):
        x509.read(out, ends[number], ends[number + 1], leaf)
        if leaf.spki_end - leaf.spki_start != p256.SPKI or not same(out, leaf.spki_start, spki, 0, p256.SPKI):
            rest.append(number)
        elif first < 0:
            first = number
    if first < 0:
        _wrong("for another key")
    x509.read(out, ends[first], ends[first + 1], leaf)
    return first, rest


def _sort(out, ends, leaf, first, rest):
    """The numbers of a chain from the leaf on, and the topmost Name as bytes. Raises RemoteError("x509")."""
    chain = [first]
    child, above, other = leaf, x509.Fields(), x509.Fields()
    while True:
        left = []
        parent = -1
        named = found = False
        for number in rest:
            x509.read(out, ends[number], ends[number + 1], other)
            if not x509.is_named(out, child, other):
                left.append(number)
                continue
            # All of this name go: one is enough, and some CAs send it under each of several roots.
            named = True
            if x509.is_issuer(out, child, other):
                found = True
                if parent < 0 and not x509.is_issuer(out, other, other):
                    parent = number
        if named and not found:
            break
        rest = left
        if parent < 0:
            break
        chain.append(parent)
        child = above
        x509.read(out, ends[parent], ends[parent + 1], child)
    # What is left may be roots, which no chain needs, and nothing else.
    for number in rest:
        x509.read(out, ends[number], ends[number + 1], other)
        if not x509.is_issuer(out, other, other):
            raise RemoteError("x509", "The certificates that the CA sent make no chain; they were not used.")
    return chain, bytes(out[child.issuer_start : child.issuer_end])


class Chain:
    """A chain that was ordered like this, made of what the CA sent.

    pem   written by us (bytearray); ari_id: the leaf's ARI identifier (RFC 9773 4.1) as bytes, b"" without an authority
          key identifier; issuer: the Name (DER) that the last certificate names as its issuer
    not_before, not_after    of the leaf, core seconds

    `body` is the CA's answer; it is decoded in place where it is a bytearray, and of no use afterwards. The leaf must carry the
    slot's public key and exactly these identifiers, be no CA, and be valid at `now`. Raises RemoteError.
    """

    def __init__(self, body, signer, slot, identifiers, now):
        if len(body) > limits.CHAIN:
            raise RemoteError("too-large", "The CA's chain is larger than %d bytes." % limits.CHAIN)
        # At the edge: a chain is read once for each order, and its size is bounded above.
        out = body if isinstance(body, bytearray) else bytearray(body)
        ends = x509.pem_to_der(out, len(out), out)
        leaf = x509.Fields()
        first, rest = _find(out, ends, signer, slot, leaf)
        # A CA's certificate that fitted otherwise could sign others: nothing that serves HTTPS should hold its key.
        if leaf.is_ca or not x509.match_san(out, leaf, identifiers):
            _wrong("for other identifiers")
        # CAs date certificates back by an hour; a clock of ours that is an hour slow must not refuse a good one.
        if not leaf.not_before - limits.HOUR <= now < leaf.not_after:
            _wrong("that is not valid now (is the clock right?)")
        self.not_before = leaf.not_before
        self.not_after = leaf.not_after
        # Without an authority key identifier there is no ARI; the plan then follows the validity alone.
        self.ari_id = b""
        if leaf.aki_start >= 0:
            ari = bytearray(x509.ARI_SIZE)
            self.ari_id = bytes(ari[: x509.ari_id(ari, 0, out, leaf)])
        numbers, self.issuer = _sort(out, ends, leaf, first, rest)
        size = sum([x509.pem_size(ends[number + 1] - ends[number]) for number in numbers])
        self.pem = bytearray(size)
        offset = 0
        for number in numbers:
            offset = x509.write_pem(self.pem, offset, out, ends[number], ends[number + 1])
