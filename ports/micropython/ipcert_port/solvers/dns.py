"""Ways to answer challenges besides http-01, for `drive.Drive.solvers`. Those answer in time; these go out and wait."""

import asyncio
import json

from ipcert.errors import LocalError, RemoteError


class Webhook:
    """A record that stands as long as the challenge does (dns-01): POSTs {"fqdn", "value"} to URL/present and URL/cleanup.

    lego's `httpreq` servers understand it.

    `net` is a `net.Net` that trusts the server; `token` is sent as a Bearer, "" for none. A board cannot ask the zone's own
    servers whether they show the record, so `pause` seconds pass before the CA is told to look.
    """

    def __init__(self, net, url, token="", pause=30):
        self._net = net
        self._url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"}
        self._pause = pause
        if token:
            self._headers["Authorization"] = "Bearer " + token

    async def publish(self, it):
        """Have the record made. Raises LocalError("dns")."""
        await self._post("present", it)
        await asyncio.sleep(self._pause)

    async def withdraw(self, it):
        """Have it removed."""
        await self._post("cleanup", it)

    async def _post(self, what, it):
        body = json.dumps({"fqdn": it.name + ".", "value": bytes(it.text).decode()}).encode()
        try:
            answer = await self._net.arequest("POST", self._url + "/" + what, self._headers, body)
        except RemoteError as e:
            raise LocalError("dns", "The DNS webhook failed: %s" % e.text)
        if not 200 <= answer.status < 300:
            raise LocalError(
                "dns", "The DNS webhook answered %s with status %d; see its own log." % (what, answer.status)
            )


class Standing:
    """dns-persist-01: the record was made once, by hand. `tell(sentence)` gets it, before the CA looks for it.

    It names the account (accounturi); addresses have another one (`policy.Policy`).
    """

    def __init__(self, tell):
        self._tell = tell

    async def publish(self, it):
        """Say which record must stand."""
        self._tell('%s. IN TXT "%s"' % (it.name, bytes(it.text).decode()))

    async def withdraw(self, it):
        """It stays."""
