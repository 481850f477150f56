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
    "router": "what a router answers: NAT-PMP, PCP, SSDP, and what the process that asks by UPnP prints",
}

NATIVE = {
    "native_mbedtls": "the C signer's functions and arena, over Mbed TLS",
    "native_p256m": "the same over p256-m",
    "native_module": "what MicroPython hands to _ipcert: types, lengths, ranges, offsets, overlaps",
}
"""These are C, under libFuzzer with AddressSanitizer and UBSan; TARGETS are Python, under atheris."""
