"""HTTP to the CA: one verified, kept-alive TLS connection through urequests_compat, bounded by `limits`."""

import urequests_compat
from ipcert import limits
from ipcert.errors import LocalError, RemoteError

_URL = "check the CA's directory URL"
_ADVICE = (
    (urequests_compat.ConnectionFailed, "network", "check the network connection and the CA's directory URL"),
    (urequests_compat.TLSError, "tls", "check the directory URL, the root certificates and the clock"),
    (urequests_compat.Timeout, "slow", "check the network connection; the next attempt may succeed"),
    (urequests_compat.TooLarge, "too-large", "this is not how a CA answers, " + _URL),
    (urequests_compat.BadResponse, "bad-http", "this is not how a CA answers, " + _URL),
)


class Response:
    """A whole answer: `status` int, `headers` dict of lower-case str to str, `body` a bytearray."""

    def __init__(self, answer):
        self.status = answer.status_code
        self.headers = answer.headers
        self.body = answer.content


class Net:
    """Requests to a CA that is trusted by `roots`: the name of a PEM or DER file, or PEM text, DER bytes, or
    a list of these.

    Raises LocalError("roots") when there is no certificate in them.
    """

    def __init__(self, roots, user_agent, timeout=limits.REQUEST_TIME):
        named = isinstance(roots, str) and "-----BEGIN" not in roots
        try:
            self._session = urequests_compat.Session(
                cafile=roots if named else None,
                cadata=None if named else roots,
                timeout=timeout,
                connect_timeout=limits.CONNECT_TIME,
                max_body=max(limits.BODY, limits.CHAIN),
                max_header=limits.HEADER,
                max_headers=limits.HEADERS,
                user_agent=user_agent,
            )
        except ValueError as e:
            raise LocalError("roots", "There is %s; give the CA's root certificates as PEM or DER." % e)

    async def arequest(self, method, url, headers=None, body=None):
        """One exchange; returns `Response` whatever its status; a redirect is not followed.

        Other tasks, the http-01 responder first of all, run while it waits; only resolving a name stops them.
        Raises RemoteError("network" | "tls" | "slow" | "too-large" | "bad-http" | "url").
        """
        try:
            return Response(await self._session.arequest(method, url, headers, body))
        except (ValueError, urequests_compat.RequestError) as e:
            raise _theirs(url, e)

    def request(self, method, url, headers=None, body=None):
        """`arequest` for programs without asyncio: everything else stands still meanwhile."""
        try:
            return Response(self._session.request(method, url, headers, body))
        except (ValueError, urequests_compat.RequestError) as e:
            raise _theirs(url, e)

    def close(self):
        """Close the connection and give its memory back; the next request opens another."""
        self._session.close()


def _theirs(url, error):
    for kind, code, advice in _ADVICE:
        if isinstance(error, kind):
            return RemoteError(code, "%s: %s; %s." % ("/".join(url.split("/")[:3]), error, advice))
    return RemoteError("url", "%s: %s; %s." % (url[: limits.URL], error, _URL))
