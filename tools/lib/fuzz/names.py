"""The targets' names and what they read, without importing them."""

TARGETS = {
    "http": "HTTP responses, as urequests_compat's MicroPython half reads them",
    "header": "header lines, framing, URLs, dates, Retry-After and Link, as both halves read them",
    "json": "directory, order, authorization, renewal information, account and problem",
    "problem": "refusals, with their nonces",
    "der": "certificates",
    "pem": "chains",
    "journal": "the two slots of the journal",
    "config": "the configuration",
    "responder": "requests to port 80",
    "identifier": "names and addresses",
    "hello": "ClientHellos",
}
