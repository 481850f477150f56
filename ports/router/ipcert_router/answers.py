"""http-01 on a router: port 80 is open to the Internet only while a validation is under way."""

import os

from ipcert.acme import http01
from ipcert.errors import LocalError
from ipcert_port.solvers.responder import Responder

from .helpers import public_folder, quote


class Standalone:
    """Our own responder on `port` of `hosts`; `helpers("port80", "open" | "close", port)` lets the CA through."""

    def __init__(self, hosts, port, helpers):
        self._responder = Responder(list(hosts), port)
        self._port = str(port)
        self._helpers = helpers
        self._open = False

    def start(self):
        """Close what a crash may have left open."""
        self._helpers("port80", "close", self._port)

    def publish(self, token, text):
        """Answer `token`. Raises LocalError("port" | "hook")."""
        self._responder.publish(token, text)
        if not self._open:
            # The helper first: what it starts must not inherit the listening socket.
            self._helpers("port80", "open", self._port)
            self._open = True
            try:
                self._responder.start()
            except LocalError:
                self.withdraw(token)
                raise

    def withdraw(self, token):
        """Answer it no longer; after the last one the port is closed."""
        self._responder.withdraw(token)
        if self._open and not len(self._responder.answers):
            self._open = False
            self._responder.close()
            self._helpers("port80", "close", self._port)


class Webroot:
    """Files for a web server that has port 80 already, such as uhttpd. `folder`: its document root."""

    def __init__(self, folder):
        self._folder = folder.rstrip("/") + "/.well-known/acme-challenge"

    def start(self):
        """Nothing has to be done."""

    def publish(self, token, text):
        """Write the answer, readable by the server. Raises LocalError("webroot")."""
        token, text = http01.check(token, text)
        path = self._folder + "/" + token.decode()
        if not public_folder(self._folder):
            raise LocalError("webroot", "Cannot make %s; check the webroot." % self._folder)
        try:
            with open(path, "wb") as file:
                file.write(text)
        except OSError as e:
            raise LocalError(
                "webroot", "Cannot write to %s (error %s); check the webroot." % (self._folder, e.errno)
            )
        os.system("chmod 644 " + quote(path))

    def withdraw(self, token):
        """Remove it."""
        try:
            os.remove(self._folder + "/" + (token if isinstance(token, str) else bytes(token).decode()))
        except OSError:
            pass  # it is gone already
