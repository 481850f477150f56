"""The certificate resource (RFC 8555 7.4.2): is this chain the one that was ordered?

A chain is looked at before it is written, because what is in the journal is served. What must never happen: that a
certificate replaces a working one and does not fit the key beside it, or is for other identifiers, or is not valid
now. So the leaf must carry the subject key of this order and exactly its identifiers, and each certificate must name
the next one as its issuer.

No signature is verified: the answer came over verified TLS from the CA that is to be believed, and browsers verify.
"""

from .. import limits
from ..encoding import p256, x509
from ..encoding.buffer import same
from ..errors import RemoteError


def check(body, leaf, signer, slot, identifiers, now):
    """Check a PEM chain against the order; return (ARI identifier, issuer).

    The first is the leaf's (RFC 9773 4.1) as bytes, b"" without an AKI; the second the Name (DER) that the chain's last
    certificate names as its issuer.

    `leaf` (x509.Fields) is filled. The leaf must carry the slot's public key and exactly these identifiers, be no
    CA, be valid at `now`, and each certificate must name the next one as its issuer. Raises RemoteError.
    """
    if len(body) > limits.CHAIN:
        raise RemoteError("too-large", "The CA's chain is larger than %d bytes." % limits.CHAIN)
    # At the edge: a chain is read once for each order, and its size is bounded above.
    out = bytearray(len(body) * 3 // 4 + 3)
    ends = x509.pem_to_der(body, len(body), out)
    x509.read(out, 0, ends[1], leaf)
    # The whole SubjectPublicKeyInfo, so that an RSA key or another curve is a difference too.
    point = bytearray(p256.POINT)
    signer.public(slot, point, 0)
    spki = bytearray(p256.SPKI)
    p256.write_spki(spki, 0, point, 0)
    if leaf.spki_end - leaf.spki_start != p256.SPKI or not same(out, leaf.spki_start, spki, 0, p256.SPKI):
        raise RemoteError("wrong-certificate", "The CA sent a certificate for another key; it was not used.")
    # A CA's certificate that fitted otherwise could sign others: nothing that serves HTTPS should hold its key.
    if leaf.is_ca or not x509.match_san(out, leaf, identifiers):
        raise RemoteError(
            "wrong-certificate", "The CA sent a certificate for other identifiers; it was not used."
        )
    # CAs date certificates back by an hour; a clock of ours that is an hour slow must not refuse a good one.
    if not leaf.not_before - limits.HOUR <= now < leaf.not_after:
        raise RemoteError(
            "wrong-certificate", "The CA sent a certificate that is not valid now; is the clock right?"
        )
    # Servers send the chain as it stands here, and some clients do not sort it.
    child = leaf
    for number in range(1, len(ends) - 1):
        parent = x509.Fields()
        x509.read(out, ends[number], ends[number + 1], parent)
        x509.check_chain_order(out, child, parent)
        child = parent
    issuer = bytes(out[child.issuer_start : child.issuer_end])
    # Without an authority key identifier there is no ARI; the plan then follows the validity alone.
    if leaf.aki_start < 0:
        return b"", issuer
    ari = bytearray(x509.ARI_SIZE)
    return bytes(ari[: x509.ari_id(ari, 0, out, leaf)]), issuer


class Chain:
    """A chain that `check` found good.

    pem   the CA's bytes; ari_id: the leaf's ARI identifier (bytes, b"" for none); issuer: the topmost Name, DER
    not_before, not_after    of the leaf, core seconds
    """

    def __init__(self, pem, signer, slot, identifiers, now):
        leaf = x509.Fields()
        self.ari_id, self.issuer = check(pem, leaf, signer, slot, identifiers, now)
        self.pem = pem
        self.not_before = leaf.not_before
        self.not_after = leaf.not_after
