"""Every bound of the core: a name, a number and the reason for it. Times are seconds, sizes are bytes.

A CA, a scanner or a damaged file can make a device read, keep or wait only as much as stands here. A bound is looked at
before memory is taken or time is spent. Exceeding one is an error with a sentence, or, where the rest does not matter
(challenge types nobody wants, the end of a long text), the rest is passed over. Bounds on what others send are several
times what is seen in the field, so that an honest CA does not meet them; what was seen stands beside the number.

A number below 2**30 is a small int on every MicroPython: all of these are, so that comparing with one costs no memory.
(EPOCH_UNIX is the exception; it is used at the edge only.)
"""

EPOCH_UNIX = 1577836800  # 2020-01-01 UTC: core time fits a 31-bit small int until 2054
MINUTE = 60
HOUR = 3600
DAY = 86400
NEVER = 0x3FFFFFFF  # the last second a small int can hold: "no plan"

# Identifiers and lineages.
NAME = 253  # RFC 1035 2.3.4, in text
LABEL = 63  # RFC 1035 2.3.4
IDENTIFIERS = 25  # names in one certificate under Let's Encrypt's shortlived and tlsserver profiles
IDENTIFIERS_TEXT = 1024  # identifiers of one lineage, as text in the journal
LINEAGES = 8  # one name set, one or two families of address, and those being retired
DOUBTED = (
    2  # addresses of one family that are doubted and still in service: a line that changed twice within days
)
DOUBT_EVERY = (
    3600  # what speaks against an address counts once an hour, so that a flood of answers is one answer
)
DOUBT_ANSWERS = 25  # and has to count so often, which takes a day at least

# Keys.
SLOTS = 3  # ACCOUNT, SUBJECT, SPARE
ACCOUNT = 0
SUBJECT = 1
SPARE = 2
RING = 64  # retired key hashes kept: about eight months of one IP lineage
HASH = 8  # bytes kept of each: 2**-50 of a false match over a full ring

# HTTP and ACME.
URL = 256  # the longest URL accepted from a CA; Let's Encrypt's are under 100
NONCE = 256  # Replay-Nonce, which RFC 8555 6.5.1 does not bound; Let's Encrypt's are 43 to 60
TOKEN = 128  # challenge token; RFC 8555 8.3 wants 22 at least, CAs send 43
HEADER = 8192  # all response headers together
HEADERS = 64  # header lines
BODY = 16384  # one JSON response; a directory is 1 KB, an order of 25 names 6 KB
CHAIN = 16384  # a PEM chain; Let's Encrypt's P-256 chains are 3 to 6 KB
CERTIFICATE = 4096  # one certificate in DER; an RSA-4096 intermediate is 1.9 KB
CERTIFICATES = 10  # certificates in one answer, those that are not needed too; chains have two or three
AUTHORIZATIONS = 25  # one for each identifier
ALTERNATES = 4  # other chains that are fetched to choose from
SUBPROBLEMS = 8  # subproblems read from one problem document
DETAIL = 256  # characters kept of a problem's detail: it is shown to the owner
NONCE_RETRIES = (
    10  # badNonce in a row: at 50 % rejection one exchange in 1,024 fails, and is tried again by the plan
)
REQUEST_TIME = 60  # one HTTP exchange
CONNECT_TIME = 20  # TCP and TLS together
POLLS = 40  # polls of one authorization or order
POLL_FIRST = 1  # pause before a poll where the CA names none
POLL_MAX = 30  # longest pause between polls of our own choosing
PAUSE = 120  # longest pause within an attempt, whatever the CA asks for: other lineages may be due
ATTEMPT = 900  # one wait for the CA's decision; then the order is kept, and taken up again by the plan
PATIENCE = 4  # times one attempt waits for a CA that says that it is busy (503, 429)
RETRY_AFTER = 86400  # a longer Retry-After is treated as this: a day, then we look again
ORDER_TIME = 172800  # an order older than two days is not taken up again; the CA says when one expired
DIRECTORY_TIME = 86400  # a directory is fetched again after a day (RFC 8555 names no lifetime)
REPLAYS = 3  # times one issuance registers again or starts its order anew before it counts as failed

# Buffers, made once.
JOURNAL = (
    2048  # one journal slot, two of them in RAM: three lineages take under 1.8 KB; more identifiers get more
)
JOURNAL_MOST = 16384  # no journal is larger
FILE = 32768  # one file in the store: a chain is the largest

# The http-01 responder, which faces the Internet.
ANSWERS = 50  # challenges published at once: two orders of 25 identifiers
REQUEST_LINE = 256  # method, target and version; a validation's is about 100
REQUEST = 4096  # a whole request head; Let's Encrypt's is 300, proxies add to it
RESPONDER_TIME = 10  # one connection, from accept to close
RESPONDER_CONNECTIONS = 64  # at once; the oldest gives way, an honest one lasts milliseconds

# Certificates.
LIFETIME_MIN = 3600  # a certificate shorter than an hour cannot be planned for
LIFETIME_MAX = 315360000  # ten years
BUILT = 215654400  # 2026-11-01: no time before this release was made is believed
CLOCK_JUMP = 3600  # a step of the clock larger than this is told to the owner
DEPLOY_AGAIN = 3600  # a deploy that failed is tried again: long before the old certificate ends
TASK_WAIT = 60  # a short-lived child stays for waits up to this, longer ones are the daemon's
