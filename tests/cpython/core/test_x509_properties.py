"""Certificates, DER and PEM under random and damaged input: garbage raises only RemoteError."""

import base64
import datetime
import ipaddress
import json
import pathlib
import string

import pytest
from cryptography import x509 as reference
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ipcert import identifiers, limits
from ipcert.encoding import base32, base64url, csr, der, p256, x509
from ipcert.errors import LocalError, RemoteError

pytestmark = pytest.mark.quick

VECTORS = json.loads((pathlib.Path(__file__).parents[2] / "vectors" / "x509.json").read_text())
CERTIFICATES = [bytes.fromhex(v["der"]) for v in VECTORS["certificates"]]
CHAIN = VECTORS["chain"]["pem"].encode()
EPOCH = datetime.datetime(2020, 1, 1)
KEY = ec.derive_private_key(7, ec.SECP256R1())
NAMES = [identifiers.parse(n) for n in ("home.example.org", "192.0.2.7", "2001:db8::7")]


def read_all(data):
    """Everything that reads a certificate; True where it was taken."""
    f = x509.Fields()
    try:
        x509.read(data, 0, len(data), f)
        x509.match_san(data, f, NAMES)
        x509.is_issuer(data, f, f)
        x509.ari_id(bytearray(x509.ARI_SIZE), 0, data, f)
    except RemoteError:
        return False
    return True


@given(st.binary(max_size=300))
def test_garbage_is_theirs(data):
    assert not read_all(data)


@settings(max_examples=1000)
@given(
    st.sampled_from(CERTIFICATES),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_damaged_certificates_are_theirs_or_read(data, changes):
    data = bytearray(data)
    for at, value in changes:
        data[at % len(data)] = value
    read_all(bytes(data))


@settings(max_examples=500)
@given(
    st.sampled_from(CERTIFICATES),
    st.integers(0, 700),
    st.integers(0, 700),
    st.binary(max_size=20),
    st.booleans(),
)
def test_spliced_certificates_are_theirs_or_read(data, start, stop, middle, mend):
    data = bytearray(data[:start] + middle + data[stop:])
    if mend and len(data) > 4 and data[1] == 0x82:
        data[2:4] = (len(data) - 4).to_bytes(2, "big")
    read_all(bytes(data))


@given(st.binary(max_size=80))
def test_the_reader_stays_in_bounds(data):
    r = der.Reader()
    r.load(b"\xaa" * 3 + data + b"\xaa" * 3, 3, 3 + len(data))
    before = 3
    try:
        while r.next():
            assert r.header == before
            assert r.header + 2 <= r.start <= r.end <= 3 + len(data)
            assert der.size(r.end - r.start) == r.end - r.header
            before = r.end
    except RemoteError as e:
        assert e.code == "der"


@settings(max_examples=500)
@given(st.integers(0, len(CHAIN)), st.integers(0, len(CHAIN)), st.binary(max_size=30))
def test_damaged_chains_are_theirs_or_read(start, stop, middle):
    text = CHAIN[:start] + middle + CHAIN[stop:]
    out = bytearray(3 * limits.CERTIFICATE)
    try:
        ends = x509.pem_to_der(text, len(text), out)
    except RemoteError:
        return
    assert 2 <= len(ends) <= limits.CERTIFICATES + 1


@given(st.binary(max_size=200), st.integers(1, 80))
def test_pem_base64_is_that_of_the_library(data, width):
    text = base64.b64encode(data)
    lines = b"\n".join(text[i : i + width] for i in range(0, len(text), width))
    out = bytearray(len(lines) + 4)
    assert bytes(out[: base64url.read_pem(out, 0, lines, 0, len(lines))]) == data


@given(st.binary(max_size=200))
def test_base32_is_that_of_the_library(data):
    out = bytearray(len(data) * 8 // 5 + 1)
    end = base32.write(out, 0, data, 0, len(data))
    assert bytes(out[:end]) == base64.b32encode(data).rstrip(b"=").lower()


@given(st.binary(max_size=200))
def test_base64url_is_that_of_the_library(data):
    out = bytearray(300)
    end = base64url.write_url(out, 0, data, 0, len(data))
    assert bytes(out[:end]) == base64.urlsafe_b64encode(data).rstrip(b"=")
    assert base64url.is_url(out[:end], end, end)


@given(st.text(max_size=40) | st.binary(max_size=40))
@example("\ud800")
def test_base64url_is_what_its_alphabet_makes(text):
    alphabet = string.ascii_letters + string.digits + "-_"
    every = all((c if isinstance(c, str) else chr(c)) in alphabet for c in text)
    assert base64url.is_url(text, 0, 40) == every


moments = st.datetimes(datetime.datetime(2020, 1, 1), datetime.datetime(2053, 12, 30)).map(
    lambda t: t.replace(microsecond=0)
)


@settings(max_examples=60, deadline=None)
@given(moments, st.integers(1, limits.LIFETIME_MAX), st.integers(1, 2**159 - 1))
def test_dates_and_serials_of_made_certificates(start, lifetime, serial):
    end = min(start + datetime.timedelta(seconds=lifetime), datetime.datetime(2053, 12, 31, 23, 59, 59))
    made = (
        reference.CertificateBuilder()
        .subject_name(reference.Name([]))
        .issuer_name(reference.Name([]))
        .public_key(KEY.public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(end)
        .sign(KEY, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    f = x509.Fields()
    x509.read(made, 0, len(made), f)
    assert f.not_before == (start - EPOCH).total_seconds()
    assert f.not_after == (end - EPOCH).total_seconds()
    assert int.from_bytes(made[f.serial_start : f.serial_end], "big") == serial


@given(st.integers(1, 2**256 - 1), st.integers(1, 2**256 - 1))
def test_signatures_are_those_of_the_library(r, s):
    rs = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    buf = bytearray(72)
    end = p256.write_signature(buf, 0, rs, 0)
    assert bytes(buf[:end]) == encode_dss_signature(r, s)


class Signer:
    """One key of `cryptography`, in the shape of a port's signer."""

    def public(self, slot, buf, off):
        buf[off : off + 65] = KEY.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return off + 65

    def sign(self, slot, buf, start, end, out, off):
        r, s = decode_dss_signature(KEY.sign(bytes(buf[start:end]), ec.ECDSA(hashes.SHA256())))
        out[off : off + 64] = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return off + 64


label = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20)
names = st.one_of(
    st.lists(label, min_size=1, max_size=4).map(lambda labels: ".".join(labels) + ".example"),
    st.integers(0, 2**32 - 1).map(lambda n: str(ipaddress.IPv4Address(n))),
    st.integers(2**96, 2**128 - 1).map(lambda n: str(ipaddress.IPv6Address(n))),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(names, min_size=1, max_size=25, unique=True))
def test_requests_verify_elsewhere(texts):
    wanted = [identifiers.parse(t) for t in texts]
    buf = bytearray(2560)
    end = csr.write(buf, 0, Signer(), 1, wanted)
    request = reference.load_der_x509_csr(bytes(buf[:end]))
    assert request.is_signature_valid
    assert len(request.subject) == 0
    assert [e.oid for e in request.extensions] == [reference.SubjectAlternativeName.oid]
    got = [str(general.value) for general in request.extensions[0].value]
    assert got == [i.value for i in wanted]


@pytest.mark.parametrize("room", [0, 1, 50, 150, 200])
def test_a_request_that_does_not_fit(room):
    with pytest.raises(LocalError) as e:
        csr.write(bytearray(room), 0, Signer(), 1, NAMES)
    assert e.value.code == "overflow"
