"""Make the test vectors beside this file from independent implementations, or check that they are unchanged.

    python make.py            write der.json, csr.json, x509.json and jws.json
    python make.py --check    make them in memory and compare; exit 1 where one differs

DER comes from `asn1crypto` and `cryptography`, JOSE from `jwcrypto`; nothing of ipcert is imported. Keys
are fixed small scalars, made for tests only, and signatures are deterministic, so the files come out the
same every time.
"""

import datetime
import hashlib
import ipaddress
import json
import pathlib
import sys

from asn1crypto import core, csr
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from jwcrypto import jwk, jws

HERE = pathlib.Path(__file__).parent
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(2020, 1, 1, tzinfo=UTC)


def private(d):
    """The P-256 key of scalar `d`."""
    return ec.derive_private_key(d, ec.SECP256R1())


def point(key):
    """Its public key as 65 bytes."""
    return key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def scalar(word):
    """A scalar that anyone can make again: SHA-256 of a word."""
    return int.from_bytes(hashlib.sha256(word.encode()).digest(), "big") % (N - 1) + 1


def der_vectors():
    """Keys and signatures in DER, with the corner cases of INTEGER."""
    out = {"keys": [], "signatures": []}
    for d in (1, 2, N - 1, scalar("ipcert 1"), scalar("ipcert 2")):
        key = private(d)
        out["keys"].append(
            {
                "d": d.to_bytes(32, "big").hex(),
                "point": point(key).hex(),
                "spki": key.public_key()
                .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
                .hex(),
                "pkcs8": key.private_bytes(
                    serialization.Encoding.DER,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                ).hex(),
            }
        )
    for r, s in (
        (1, 1),
        (127, 128),
        (0x80 << 240, 0x7F << 240),
        (N - 1, N - 1),
        (1 << 255, (1 << 255) - 1),
        (scalar("r"), scalar("s")),
        (255, scalar("s") >> 16),
    ):
        rs = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        out["signatures"].append({"rs": rs.hex(), "der": encode_dss_signature(r, s).hex()})
    return out


def general_name(text):
    """A GeneralName of `cryptography` from canonical text."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def csr_vectors():
    """Requests: the part that is signed by `cryptography`, the whole assembled by `asn1crypto`."""
    long = ".".join(["a" * 63, "b" * 63, "c" * 63, "example", "org"])
    out = []
    for names, r, s in (
        (["a.io"], 1, 1),
        (["home.example.org"], scalar("r"), scalar("s")),
        (["home.example.org", "*.home.example.org"], N - 1, 1 << 255),
        (["192.0.2.7"], scalar("r2"), scalar("s2")),
        (["2001:db8::7"], scalar("r3"), 5),
        (["home.example.org", "192.0.2.7", "2001:db8::7"], scalar("r4"), scalar("s4")),
        (["n%d.example.org" % i for i in range(25)], scalar("r5"), scalar("s5")),
        ([long], scalar("r6"), scalar("s6")),
    ):
        key = private(scalar(names[0]))
        made = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name([]))
            .add_extension(
                x509.SubjectAlternativeName([general_name(n) for n in names]),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        whole = csr.CertificationRequest(
            {
                "certification_request_info": csr.CertificationRequestInfo.load(
                    made.tbs_certrequest_bytes, strict=True
                ),
                "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                "signature": core.OctetBitString(encode_dss_signature(r, s)),
            }
        )
        out.append(
            {
                "identifiers": names,
                "point": point(key).hex(),
                "rs": (r.to_bytes(32, "big") + s.to_bytes(32, "big")).hex(),
                "info": made.tbs_certrequest_bytes.hex(),
                "der": whole.dump(force=True).hex(),
            }
        )
    return out


def name(common, organization=""):
    """A Name with these two attributes, the empty ones left out."""
    kinds = ((NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in kinds if text])


NOBODY = name("")
ROOT = name("test root")
INTERMEDIATE = name("test intermediate", "ipcert")


def certificate(
    names,
    key,
    issuer_key,
    subject=NOBODY,
    issuer=INTERMEDIATE,
    serial=0x1234,
    start=None,
    end=None,
    ca=False,
    aki=None,
):
    """One certificate by `cryptography`. `aki`: None for the issuer's, b"" for none, or the bytes."""
    start = start or datetime.datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
    end = end or start + datetime.timedelta(hours=160)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
    )
    if not ca:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
    if aki is None:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    elif aki:
        builder = builder.add_extension(x509.AuthorityKeyIdentifier(aki, None, None), critical=False)
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([general_name(n) for n in names]), critical=not subject.rdns
        )
    return builder.sign(issuer_key, hashes.SHA256(), ecdsa_deterministic=True)


def seconds(moment):
    """Core seconds, clamped as `ipcert.encoding.x509` documents it."""
    return max(0, min(int((moment - EPOCH).total_seconds()), 0x3FFFFFFF))


def described(names, made):
    """A vector: the certificate's bytes and what `asn1crypto` reads in it."""
    der = made.public_bytes(serialization.Encoding.DER)
    read = asn1_x509.Certificate.load(der, strict=True)
    tbs = read["tbs_certificate"]
    aki = read.authority_key_identifier_value
    basic = read.basic_constraints_value
    year = tbs["validity"]["not_after"].native.year
    not_after = 0x3FFFFFFF if year > 2053 else seconds(tbs["validity"]["not_after"].native)
    return {
        "der": der.hex(),
        "names": names,
        "serial": tbs["serial_number"].contents.hex(),
        "not_before": seconds(tbs["validity"]["not_before"].native),
        "not_after": not_after,
        "spki": tbs["subject_public_key_info"].dump().hex(),
        "issuer": tbs["issuer"].dump().hex(),
        "subject": tbs["subject"].dump().hex(),
        "aki": aki["key_identifier"].contents.hex() if aki else None,
        "is_ca": bool(basic and basic["ca"].native),
        # RFC 9773 4.1, by hand from the two fields.
        "ari": None
        if not aki
        else url64(aki["key_identifier"].contents) + "." + url64(tbs["serial_number"].contents),
    }


def url64(data):
    """base64url without padding, by `jwcrypto`."""
    from jwcrypto.common import base64url_encode

    return base64url_encode(data)


def x509_vectors():
    """Certificates with the fields that `asn1crypto` finds, a PEM chain, and refused shapes."""
    root = private(scalar("root"))
    middle = private(scalar("intermediate"))
    leaf = private(scalar("leaf"))
    utc = datetime.datetime
    rfc = bytes.fromhex("69885b6b87464041e1b37b847ba0ae2cde01c8d4")
    cases = [
        (["home.example.org"], {}),
        (["home.example.org", "*.home.example.org"], {"subject": name("home.example.org", "ipcert")}),
        (["192.0.2.7"], {"serial": 0x80}),
        (["2001:db8::7"], {"serial": (1 << 159) - 1}),
        (["home.example.org", "192.0.2.7", "2001:db8::7"], {"serial": 1 << 158}),
        (["a.example.org"], {"aki": rfc, "serial": 0x87654321}),  # the example of RFC 9773 4.1
        (["a.example.org"], {"aki": b""}),
        ([], {"subject": name("no names")}),
        (
            ["a.example.org"],
            {"start": utc(2020, 2, 29, 23, 59, 59, tzinfo=UTC), "end": utc(2020, 3, 1, tzinfo=UTC)},
        ),
        (["a.example.org"], {"start": utc(2049, 12, 31, tzinfo=UTC), "end": utc(2050, 1, 1, tzinfo=UTC)}),
        (["a.example.org"], {"start": utc(2050, 3, 1, tzinfo=UTC), "end": utc(2053, 12, 31, tzinfo=UTC)}),
        (
            ["a.example.org"],
            {"start": utc(2019, 6, 1, tzinfo=UTC), "end": utc(2024, 3, 1, 1, 2, 3, tzinfo=UTC)},
        ),
    ]
    out = {"certificates": [described(n, certificate(n, leaf, middle, **kw)) for n, kw in cases]}
    upper = certificate(
        [],
        middle,
        root,
        subject=INTERMEDIATE,
        issuer=ROOT,
        start=utc(2015, 1, 1, tzinfo=UTC),
        end=utc(2056, 1, 1, tzinfo=UTC),
        ca=True,
    )
    out["certificates"].append(described([], upper))
    first = certificate(["home.example.org"], leaf, middle)
    pem = first.public_bytes(serialization.Encoding.PEM) + upper.public_bytes(serialization.Encoding.PEM)
    out["chain"] = {
        "pem": pem.decode(),
        "der": [c.public_bytes(serialization.Encoding.DER).hex() for c in (first, upper)],
    }
    out["unique_ids"] = changed(first, unique_ids)
    out["refused"] = {
        "eleven years": certificate(["a.example.org"], leaf, middle, end=utc(2037, 11, 24, 12, tzinfo=UTC))
        .public_bytes(serialization.Encoding.DER)
        .hex(),
        "version 1": changed(first, version_1),
        "names twice": changed(first, twice("subject_alt_name")),
        "authority key identifier twice": changed(first, twice("authority_key_identifier")),
    }
    return out


def changed(made, change):
    """The certificate as DER (hex) after `change(fields of its tbsCertificate)`; not signed anew."""
    read = asn1_x509.Certificate.load(made.public_bytes(serialization.Encoding.DER))
    fields = {name: value for name, value in read["tbs_certificate"].native.items() if value is not None}
    fields = {name: read["tbs_certificate"][name] for name in fields}
    change(fields)
    whole = asn1_x509.Certificate(
        {
            "tbs_certificate": asn1_x509.TbsCertificate(fields),
            "signature_algorithm": read["signature_algorithm"],
            "signature_value": read["signature_value"],
        }
    )
    return whole.dump(force=True).hex()


def version_1(fields):
    """Version 1 has no extensions."""
    del fields["version"], fields["extensions"]


def twice(name):
    """A change that says one extension twice."""

    def change(fields):
        every = list(fields["extensions"])
        fields["extensions"] = asn1_x509.Extensions(every + [e for e in every if e["extn_id"].native == name])

    return change


def unique_ids(fields):
    """Both unique identifiers of RFC 5280 4.1.2.8, which nobody uses."""
    fields["issuer_unique_id"] = core.OctetBitString(b"issuer")
    fields["subject_unique_id"] = core.OctetBitString(b"subject")


def jws_vectors():
    """JWK and thumbprints (RFC 7638), external account binding (RFC 8555 7.3.4) by `jwcrypto`."""
    out = {"jwk": [], "binding": []}
    for d in (1, scalar("account"), scalar("ipcert 1")):
        p = point(private(d))
        public = {"crv": "P-256", "kty": "EC", "x": url64(p[1:33]), "y": url64(p[33:])}
        key = jwk.JWK(**public)
        out["jwk"].append(
            {
                "point": p.hex(),
                "jwk": json.dumps(public, separators=(",", ":"), sort_keys=True),
                "thumbprint": key.thumbprint(),
            }
        )
    for kid, secret in (("kid-1", b"\1" * 32), ("V6iRR0p3", hashlib.sha256(b"eab").digest())):
        url = "https://ca.example.org/acme/new-account"
        payload = out["jwk"][1]["jwk"]
        token = jws.JWS(payload.encode())
        header = '{"alg":"HS256","kid":"%s","url":"%s"}' % (kid, url)
        token.add_signature(jwk.JWK(kty="oct", k=url64(secret)), "HS256", header)
        made = json.loads(token.serialize())
        out["binding"].append(
            {
                "kid": kid,
                "url": url,
                "secret": secret.hex(),
                "point": out["jwk"][1]["point"],
                "protected": made["protected"],
                "payload": made["payload"],
                "signature": made["signature"],
            }
        )
    return out


def main(args):
    """Write or check every file; the exit code."""
    bad = 0
    for name, make in (
        ("der", der_vectors),
        ("csr", csr_vectors),
        ("x509", x509_vectors),
        ("jws", jws_vectors),
    ):
        path = HERE / (name + ".json")
        text = json.dumps(make(), indent=1, sort_keys=True) + "\n"
        if "--check" not in args:
            path.write_text(text)
        elif path.read_text() != text:
            print("%s differs from what its generator makes" % path.name, file=sys.stderr)
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
