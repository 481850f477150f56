"""One request and its answer: nonces, signatures, problem documents, Retry-After (RFC 8555 6).

All requests of a device go through here, whoever asks. What an answer amounts to is one of five words (OK, AGAIN,
REFUSED, LIMITED, BUSY); what follows from it is `order.states`'s business.

What holds:

- This is the one place that harvests Replay-Nonce, from refusals too (6.5). A nonce is used once: it is forgotten
  before the request is signed, so that no path can send it twice.
- A badNonce answer, of whatever media type, is sent again with the nonce that came with it, at most `limits.NONCE_RETRIES` times in a row. Pebble
  refuses nonces on purpose; without the bound a broken CA would keep a device sending for ever.
- No redirect is followed. The CA's URLs stand in the directory and in its answers, and a signed request names the URL
  that it is for (6.4): sent elsewhere it would be refused.
- Only the directory, newNonce (6.3) and renewalInfo (RFC 9773 4.1) are fetched unsigned.
"""

from .. import limits
from ..encoding.jws import Jws, is_nonce
from ..errors import RemoteError
from . import dates, message
from .directory import Directory
from .problem import Problem

BODY_OVERHEAD = 1400  # protected header with the longest URLs, in base64url, signature and JSON around them

# What an answer amounts to.
OK = 0  # 2xx
AGAIN = 1  # only a nonce came: the same step once more
REFUSED = 2  # a problem document, or a bare 4xx
LIMITED = 3  # rateLimited, or 429
BUSY = 4  # 5xx


def retry_after(headers, now):
    """Seconds to wait by Retry-After (RFC 9110 10.2.3), 0 where there is none or it makes no sense, bounded by
    `limits.RETRY_AFTER`. The date form is read as far as `now` (core seconds) allows."""
    value = headers.get("retry-after")
    if not value or len(value) > 40:  # longer than any date
        return 0
    value = value.strip()
    if is_number(value):
        # More digits than that might be no small int, and are more than the bound in any case.
        return min(int(value), limits.RETRY_AFTER) if len(value) < 9 else limits.RETRY_AFTER
    # A date in the past means "now", and so does one that cannot be read.
    return min(max(dates.http_date(value) - now, 0), limits.RETRY_AFTER)


def is_number(text):
    """True for ASCII digits and nothing else: str.isdigit takes the superscripts of Latin-1 too, which int refuses."""
    for character in text:
        if not "0" <= character <= "9":
            return False
    return text != ""


class Exchange:
    """The requests of one device to one CA. Holds the directory, one nonce, and the buffers that bodies are written in.

    directory_url     where the CA's directory is; directory, directory_at: the one read last (`directory.Directory`), or
                      None, and when
    jws               the `encoding.jws.Jws` that knows the account URL or the account's public key
    payload, scratch  where a payload is written before it is signed, and a CSR before it is put into one (`make_room`)
    url               of the request sent last, which the URLs in its answer are relative to
    problem           the last Problem, or None; pause: the last Retry-After in seconds, 0 for none
    """

    def __init__(self, signer, directory_url):
        self._signer = signer
        self.directory_url = directory_url
        self.directory = None
        self.directory_at = 0
        self._directory_file = b""
        self.jws = Jws()
        self.payload = self.scratch = self._body = bytearray()
        self._nonce = b""
        self._nonce_only = False  # the request on its way is newNonce, and not what was asked for
        self._retries = 0  # badNonce answers in a row
        self.url = directory_url
        self.problem = None
        self.pause = 0

    def make_room(self, identifiers_size, account_size):
        """Make the buffers: for an order or CSR whose identifiers take so many bytes, and for a newAccount whose contacts and
        binding do."""
        self.scratch = bytearray(320 + identifiers_size)
        # A payload is an order in JSON, or a CSR in base64url; a body is that again in base64url, and the headers.
        room = max(len(self.scratch) * 4 // 3 + 16, 256 + identifiers_size + account_size)
        self.payload = bytearray(room)
        self._body = bytearray(room * 4 // 3 + BODY_OVERHEAD)

    # The directory, in a file: the hash of its URL, the second at which it was read, and the CA's own bytes.

    def load_directory(self, data, ca_hash):
        """Read the file of an earlier run, if there is one and it is this CA's."""
        start = limits.HASH + 4
        if data and len(data) > start and data[: limits.HASH] == ca_hash:
            try:
                self.directory = Directory(message.parse(data[start:]), self.directory_url)
                self.directory_at = int.from_bytes(data[limits.HASH : start], "big")
            except RemoteError:
                self.directory = None  # damaged: the CA is asked

    def keep_directory(self, directory, ca_hash, now, body):
        """A directory was fetched."""
        self.directory = directory
        self.directory_at = now
        self._directory_file = bytes(ca_hash) + now.to_bytes(4, "big") + body

    def write_directory(self, action):
        """Fill the action with the file of the directory fetched last."""
        action.write("directory", self._directory_file, len(self._directory_file))
        self._directory_file = b""

    # Requests.

    def forget_nonce(self):
        """Drop the nonce: it may be too old, or from another CA."""
        self._nonce = b""
        self._retries = 0

    def get(self, action, url):
        """Fill the action with an unsigned GET, for the directory (6.3) and for renewalInfo (RFC 9773 4.1)."""
        self._nonce_only = False
        self.url = url
        action.send("GET", url, b"", 0)

    def post(self, action, url, size=0, accept=""):
        """Fill the action with a POST of the first `size` bytes of `payload`, signed by the account; 0: POST-as-GET (6.3).

        Where there is no nonce, a HEAD for one goes first; its answer reads as AGAIN.
        """
        self.post_payload(action, url, self.payload, size, limits.ACCOUNT, accept)

    def post_payload(self, action, url, payload, size, slot=limits.ACCOUNT, accept=""):
        """`post` for a payload that is elsewhere, or that the key in another slot signs."""
        if not self._nonce:
            self._nonce_only = True
            action.send("HEAD", self.directory.new_nonce, b"", 0)
            return
        self._nonce_only = False
        # Forgotten before it is used: if anything below raises, it is not used again.
        nonce = self._nonce
        self._nonce = b""
        self.url = url
        need = size * 4 // 3 + BODY_OVERHEAD
        if need > len(self._body):  # a revocation carries a whole certificate, once
            self._body = bytearray(need)
        written = self.jws.write(self._body, 0, self._signer, slot, url.encode(), nonce, payload, size)
        action.send("POST", url, self._body, written, accept)

    def read(self, now, status, headers, body):
        """What the answer amounts to: OK, AGAIN, REFUSED, LIMITED or BUSY. Raises RemoteError for garbage."""
        self.problem = None
        self.pause = retry_after(headers, now)
        # Before anything else: a refusal carries a nonce too.
        self._harvest(headers)
        if 200 <= status < 300:
            if not self._nonce_only:
                self._retries = 0
                return OK
            if not self._nonce:
                sent = headers.get("replay-nonce")
                raise RemoteError(
                    "nonce",
                    "The CA answered newNonce with a Replay-Nonce that is not base64url of at most %d characters."
                    % limits.NONCE
                    if sent
                    else "The CA answered newNonce without a Replay-Nonce.",
                )
            return AGAIN
        # A captive portal answers so too: then the network is at fault and not the CA.
        if 300 <= status < 400:
            raise RemoteError(
                "redirect",
                "The CA answered with a redirect (%d), which ACME does not use; check the directory URL."
                % status,
            )
        # A proxy's HTML or an empty body refuses as well as a problem document does. Which it is shows by itself: its media
        # type is often wrong, or not there.
        try:
            obj = message.parse(body)
        except RemoteError:
            obj = None
        self.problem = Problem(status, obj, body)
        # The nonce that came with it is in place; the same step sends again (6.5).
        if self.problem.type == "badNonce":
            self._retries += 1
            if self._retries > limits.NONCE_RETRIES:
                self._retries = 0
                raise RemoteError("nonce", "The CA refused %d fresh nonces in a row." % limits.NONCE_RETRIES)
            return AGAIN
        # 429 without the type comes from what stands in front of a CA, and asks for the same patience.
        if self.problem.type == "rateLimited" or status == 429:
            return LIMITED
        return BUSY if status >= 500 else REFUSED

    def _harvest(self, headers):
        value = headers.get("replay-nonce")
        # base64url only (6.5.1): anything else could break out of the header's JSON.
        if value and is_nonce(value):
            self._nonce = value.encode()
