"""What is fuzzed: each target takes bytes, and returns quietly or raises what it may. Anything else is a crash.

Garbage from outside may raise only RemoteError (in urequests_compat: RequestError); the owner's own input, and the journal,
only LocalError. What is read must also make sense: each target checks that of its results.
"""

import hashlib
import ssl

from ipcert import identifiers, journal, keys, limits
from ipcert.acme import (
    account,
    alternates,
    authorization,
    dates,
    directory,
    exchange,
    http01,
    message,
    order,
    renewal_information,
)
from ipcert.encoding import x509
from ipcert.errors import LocalError, RemoteError
from ipcert_port.address import router as ask
from ipcert_port.address import upnp
from ipcert_port.config import reader as config
from ipcert_port.deploy import client_hello as hello
from urequests_compat import _http1, fields, url
from urequests_compat.errors import RequestError

TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
TEXT = TOKEN + ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
NOW = 220838400
KINDS = ("http-01", "dns-01", "dns-persist-01", "tls-alpn-01")


class Broken(Exception):
    """A result that makes no sense."""


def need(true, what):
    """Raises Broken where `true` is not."""
    if not true:
        raise Broken(what)


def http(data):
    """A response, arriving in pieces of the size that the first byte says."""
    if len(data) < 2:
        return
    step, method = data[0] % 32 + 1, ("GET", "HEAD", "POST")[data[1] % 3]
    data = data[2:]
    reader = _http1.Reader(1024, 16, 2048, 64, bool(step & 1))
    at = turns = 0
    try:
        for _ in reader.parse(method):
            piece = data[at : at + step]
            reader.space()[: len(piece)] = piece
            reader.filled(len(piece))
            at += len(piece)
            turns += 1
            need(turns <= len(data) + 2, "it asks for more than there is")
    except RequestError:
        return
    need(100 <= reader.status <= 999 and len(reader.body) <= 2048, "out of bounds")


def header(data):
    """Header lines and framing, as both halves read them; a URL."""
    headers = {}
    text = data.decode("latin-1")
    try:
        for line in text.split("\n")[:70]:
            name, _, value = line.partition(":")
            fields.add(headers, name, value)
        length = fields.framing(headers, 200, "GET", 5000)
        need(-2 <= length <= 5000, "framing")
    except RequestError:
        pass
    for name in headers:
        need(name == name.lower() and max(headers[name] + " ") <= "~", "a header that is not clean")
    try:
        url.split(text)
    except ValueError:
        pass
    need(0 <= exchange.retry_after({"retry-after": text}, NOW) <= limits.RETRY_AFTER, "Retry-After")
    need(0 <= dates.http_date(text) < 2**31 and 0 <= dates.rfc3339(text) < 2**31, "a date")
    try:
        found = alternates.alternates({"link": text}, "https://ca.example/a/b?c")
        need(len(found) <= limits.ALTERNATES, "Link")
        need(all(message.url(link, "Link") == link for link in found), "a link that is not absolute")
    except RemoteError:
        pass


def json(data):
    """A resource in JSON; the first byte says which."""
    if not data:
        return
    kind, body = data[0] % 6, data[1:]
    try:
        obj = message.parse(body)
        if kind == 0:
            new_order = directory.Directory(obj).new_order
            need(new_order.startswith("https://"), "a directory's URL")
        elif kind == 1:
            known = order.Order({"finalize": "https://ca.example/"})
            ordered = order.Order(obj, "https://ca.example/a/b", known)
            need(len(ordered.authorizations) <= limits.AUTHORIZATIONS, "authorizations")
            need(str(ordered.finalize).startswith("https://"), "what is known is forgotten")
            need(ordered.certificate is not None or ordered.status != order.VALID, "no certificate")
        elif kind == 2:
            for name in KINDS:
                token = authorization.Authorization(obj, name).token
                need(token is None or '"' not in token, "a token")
        elif kind == 3:
            window = renewal_information.RenewalInfo(obj)
            need(0 < window.start < window.end, "a window")
        elif kind == 4:
            found = account.read(body, obj.get("location"), "https://ca.example/a/b")
            need(found.startswith("https://") and len(found) <= limits.URL, "an account's URL")
        else:
            x = exchange.Exchange(None, "https://ca.example/directory")
            x.read(NOW, 400 + len(body) % 200, {"content-type": "application/problem+json"}, body)
            for c in str(x.problem or ""):
                need(" " <= c <= "~", "a problem's text is not clean")
    except RemoteError:
        return


def problem(data):
    """A whole refusal: status, headers and a problem document."""
    if len(data) < 3:
        return
    status = 200 + (data[0] << 8 | data[1]) % 400
    head, _, body = data[2:].partition(b"\0")
    value = head.decode("latin-1")
    headers = {"content-type": "application/problem+json", "replay-nonce": value, "retry-after": value}
    x = exchange.Exchange(None, "https://ca.example/directory")
    try:
        x.read(NOW, status, headers, body)
    except RemoteError:
        pass
    for c in x._nonce:  # type: ignore[attr-defined]  # not in the stub: nobody else may look
        need(chr(c).isalnum() or c in b"-_", "a nonce that breaks out of JSON")
    need(len(str(x.problem or "")) < 16 * limits.DETAIL * 2, "a problem's length")


_FIELDS = x509.Fields()
_IDS = [identifiers.parse(text) for text in ("nas.example.net", "192.0.2.7", "2001:db8::1")]


def der(data):
    """A certificate in DER."""
    try:
        x509.read(bytearray(data), 0, len(data), _FIELDS)
        x509.match_san(data, _FIELDS, _IDS)
        if _FIELDS.aki_start >= 0:
            x509.ari_id(bytearray(x509.ARI_SIZE), 0, data, _FIELDS)
        x509.is_issuer(data, _FIELDS, _FIELDS)
    except RemoteError:
        return


def pem(data):
    """A chain in PEM."""
    try:
        out = bytearray(len(data) * 3 // 4 + 3)
        ends = x509.pem_to_der(data, len(data), out)
        need(2 <= len(ends) <= limits.CERTIFICATES + 1 and ends[-1] <= len(out), "a chain's length")
        # What we write of it is read as the same, in place too, and by Python's own reader.
        text = bytearray(x509.pem_size(ends[1]))
        need(x509.write_pem(text, 0, out, 0, ends[1]) == len(text), "the size of what is written")
        need(ssl.PEM_cert_to_DER_cert(text.decode()) == bytes(out[: ends[1]]), "what is written")
        need(
            x509.pem_to_der(text, len(text), text) == ends[:2] and text[: ends[1]] == out[: ends[1]],
            "in place",
        )
    except RemoteError:
        return


def sha256(buf, start, end, out, off):
    """SHA-256 of `buf[start:end]` to `out[off:]`, as a port hands it in."""
    out[off : off + 32] = hashlib.sha256(memoryview(buf)[start:end]).digest()
    return off + 32


def slots(data):
    """Two slots of the journal: as they are, and (the first byte says) with a check value that fits, so that what is
    behind it is read too."""
    if not data:
        return
    half = len(data) // 2
    files = [data[1:half], data[half:]]
    if data[0] & 1:
        files = [b"ipcJ\x01" + f[:4].ljust(4, b"\0") + len(f[4:]).to_bytes(2, "big") + f[4:] for f in files]
        files = [f + hashlib.sha256(f).digest()[:8] for f in files]
    if data[0] & 2:
        files[1] = None
    j = journal.Journal(keys.Ring(), sha256)
    reading = journal.Slots(j)
    try:
        if reading.load(lambda name: files[journal.Slots.NAMES.index(name)]):
            reading.encode()
            need(len(j.records()) <= limits.LINEAGES, "records")
    except LocalError:
        return


def toml(data):
    """The configuration."""
    try:
        config.Config("/etc/ipcert.toml", data)
    except LocalError as e:
        need("\n" not in str(e), "a sentence of several lines")


def responder(data):
    """What a stranger sends to port 80."""
    answers = http01.Answers()
    answers.publish(TOKEN, TEXT)
    request = http01.Request(answers)
    at = 0
    step = data[0] % 64 + 1 if data else 1
    while at < len(data):
        piece = data[at : at + step]
        said = request.feed(piece, len(piece))
        line = request._line  # type: ignore[attr-defined]  # not in the stub: nobody else may look
        need(len(line) <= limits.REQUEST_LINE, "the line grows")
        at += step
        if said is not None:
            need(said == b"" or said.startswith(b"HTTP/1.1 "), "an answer")
            need(b"200 OK" not in said or TOKEN.encode() in data, "an answer to somebody without the token")
            need(b"Server" not in said, "a banner")
            return
    need(at < limits.REQUEST + 64, "an endless request")


def identifier(data):
    """A name or address as the owner writes it."""
    text = data.decode("utf-8", "replace")
    try:
        found = identifiers.parse(text)
        need(identifiers.parse(found.value).value == found.value, "what is canonical changes")
        need(0 < len(found.value) <= limits.NAME + 2, "length")
        identifiers.check_public(found)
    except LocalError:
        return


def client_hello(data):
    """What a stranger sends to the TLS server first."""
    try:
        found = hello.parse(data)
    except hello.Malformed:
        return
    need(found is None or found.server_name is None or isinstance(found.server_name, str), "a name")


NONCE = b"a nonce of 12"[:12]


def router(data):
    """A router's answer; the first byte says to what."""
    if not data:
        return
    kind, data = data[0] % 4, data[1:]
    if kind == 3:
        url = upnp.offered(data, "192.168.1.1")
        need(url is None or url.startswith(("http://192.168.1.1:", "http://192.168.1.1/")), "another host")
        need(
            url is None or len(url) <= 256 and "@" not in url and url.isascii() and url.isprintable(),
            "an URL",
        )
        return
    if kind == 0:
        found = ask.read_nat_pmp(data)
        need(found is None or data[:2] == b"\0\x80" and len(data) == 12, "no answer to NAT-PMP")
    elif kind == 1:
        found = ask.read_pcp(data, NONCE)
        need(found is None or data[24:36] == NONCE and data[3] == 0, "no answer to PCP")
    else:
        found = ask.read_upnp(data)
    need(found is None or type(found) is bytes and len(found) in (0, 4), "an address")
    need(not found or any(found), "an address of zeros")


TARGETS = {
    "http": http,
    "header": header,
    "json": json,
    "problem": problem,
    "der": der,
    "pem": pem,
    "journal": slots,
    "config": toml,
    "responder": responder,
    "identifier": identifier,
    "hello": client_hello,
    "router": router,
}
