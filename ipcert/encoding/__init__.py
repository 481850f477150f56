"""Bytes and nothing else: every form in which ipcert writes or reads them. Nothing here decides, waits or keeps state.

Lowest first, and each may use those before it: `buffer`, `base64url`, `der`, `p256` (all that depends on the curve),
then what is made of them: `jws`, `csr`, `x509`, `alpn_certificate`, `hmac`, `key_file`, `seal`.

A writer takes `(buffer, offset, ...)` and returns the offset after what it wrote, or raises LocalError("overflow")
before the first byte that does not fit. A reader of bytes from outside raises RemoteError and nothing else.
"""
