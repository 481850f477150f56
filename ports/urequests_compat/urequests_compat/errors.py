"""What can go wrong with a request. Every message is one plain sentence and carries no request body."""


class RequestError(Exception):
    """Base of all: catch this one to catch everything that `Session.request` raises about the outside."""


class ConnectionFailed(RequestError):
    """The server cannot be found or reached, or went away in the middle."""


class TLSError(RequestError):
    """The TLS handshake failed: an unknown root, another host's certificate, an expired one, or no TLS at
    all."""


class Timeout(RequestError):
    """The exchange did not end within `connect_timeout` or `timeout` seconds in total."""


class TooLarge(RequestError):
    """Headers or body are larger than the session allows."""


class BadResponse(RequestError):
    """The answer is not HTTP, or its framing is wrong or ambiguous."""
