"""HTTP to the CA: one verified, kept-alive TLS connection through urequests_compat, bounded by
`ipcert.limits`."""

from __future__ import annotations

from ipcert import __version__, limits
from ipcert.errors import LocalError, RemoteError

from . import proxy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ipcert.port import Bytes

# This machine has the memory for what proxies and content delivery networks add to an answer.
_HEADER = 65536  # bytes of all headers together
_HEADERS = 256  # header lines

_ADVICE = (
    ("ConnectionFailed", "network", "check the network connection and the CA's directory URL"),
    (
        "TLSError",
        "tls",
        "check the CA's directory URL, the file of root certificates and this machine's clock",
    ),
    ("Timeout", "slow", "check the network connection; the next attempt may succeed"),
    ("TooLarge", "too-large", "this is not how a CA answers, check its directory URL"),
    ("BadResponse", "bad-http", "this is not how a CA answers, check its directory URL"),
)


class Response:
    """A whole answer: `status` int, `headers` dict of lower-case str to str, `body` bytes-like of limits.BODY
    at most."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Net:
    """Requests to a CA. `roots_file` is a PEM file, or None for the system's roots; not for two threads at
    once.

    Raises LocalError("config") for a proxy of the environment that cannot be used (see `proxy`), and LocalError("roots")
    at the first request when the file holds no certificate.
    """

    def __init__(self, roots_file: str | None, user_agent: str, timeout: float = limits.REQUEST_TIME) -> None:
        self._roots = roots_file
        self._agent = user_agent
        self._timeout = timeout
        self._session: Any = None
        self._failed: tuple[type[Exception], ...] = ()
        self._proxy = proxy.chooser()

    def _open(self) -> Any:
        # TLS costs 30 ms and 7 MB: it is loaded when there is something to ask.
        import urequests_compat

        try:
            self._session = urequests_compat.Session(
                cafile=self._roots,
                timeout=self._timeout,
                connect_timeout=limits.CONNECT_TIME,
                max_body=max(limits.BODY, limits.CHAIN),
                max_header=_HEADER,
                max_headers=_HEADERS,
                user_agent=self._agent,
                proxy=self._proxy,
            )
        except ValueError as e:
            raise LocalError(
                "roots", "There is %s; give the CA's root certificates as a PEM file." % e
            ) from None
        self._failed = (urequests_compat.RequestError,)
        return self._session

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: Bytes | None = None
    ) -> Response:
        """One exchange; returns `Response` whatever its status; a redirect is not followed.

        Raises RemoteError("network" | "tls" | "slow" | "too-large" | "bad-http" | "url").
        """
        session = self._session or self._open()
        try:
            answer = session.request(method, url, headers, body)
        except ValueError as e:
            raise RemoteError(
                "url", "%s: %s; check the CA's directory URL." % (url[: limits.URL], e)
            ) from None
        except self._failed as e:
            for name, code, advice in _ADVICE:
                if type(e).__name__ == name:
                    raise RemoteError(code, "%s: %s; %s." % (_where(url), e, advice)) from None
            raise
        return Response(answer.status_code, answer.headers, answer.content)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._session is not None:
            self._session.close()


def user_agent() -> str:
    """Names ipcert and its version, and nothing about the device."""
    return "ipcert/" + __version__


def _where(url: str) -> str:
    return "/".join(url.split("/")[:3])
