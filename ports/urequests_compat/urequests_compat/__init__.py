"""One small requests-like HTTPS client with the same API on CPython (over ssl) and MicroPython (over tls).

    session = Session(cafile="roots.pem", user_agent="demo/1")
    answer = session.request("GET", "https://[::1]:14000/dir")
    answer.status_code, answer.headers["content-type"], answer.json()

TLS is verified always; there is no switch. Redirects, retries and cookies are left to the caller.
One connection is kept alive for each host. Headers, body and time are bounded, and so is what a hostile
server can cost.
"""

import sys

from .errors import BadResponse, ConnectionFailed, RequestError, Timeout, TLSError, TooLarge
from .response import Response

if sys.implementation.name == "micropython":
    from ._tls import Session
else:
    from ._openssl import Session

__version__ = "0.1.0"
__all__ = (
    "BadResponse",
    "ConnectionFailed",
    "RequestError",
    "Response",
    "Session",
    "TLSError",
    "Timeout",
    "TooLarge",
    "get",
    "head",
    "post",
    "request",
)


def request(method, url, headers=None, data=None, **options):
    """One request in a session of its own; `options` are those of `Session`."""
    session = Session(**options)
    try:
        return session.request(method, url, headers, data)
    finally:
        session.close()


def get(url, headers=None, **options):
    """GET `url`; see `request`."""
    return request("GET", url, headers, **options)


def head(url, headers=None, **options):
    """HEAD `url`; see `request`."""
    return request("HEAD", url, headers, **options)


def post(url, headers=None, data=None, **options):
    """POST `data` (bytes-like) to `url`; see `request`."""
    return request("POST", url, headers, data, **options)
