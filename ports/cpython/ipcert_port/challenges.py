"""Where challenges are answered: our own listeners, open only while a challenge is, or another server's webroot."""

from ipcert.errors import Ours


class Challenges:
    """`listen`: list of (host, port), host None for every address; `webroot`: a folder, used instead, or None."""

    def __init__(self, listen, webroot=None):
        self._listen = listen
        self._webroot = webroot
        self._ways = []
        self._tokens = set()

    def _open(self):
        from . import responder

        if self._webroot is not None:
            return [responder.Webroot(self._webroot)]
        ports = {}
        for host, port in self._listen:
            ports.setdefault(port, []).append(host)
        return [responder.Responder(None if None in ports[p] else ports[p], p) for p in ports]

    def publish(self, it):
        """Answer the challenge of a PUBLISH intention from now on. Raises Ours("port" | "webroot" | "challenge")."""
        if it.challenge != "http-01":
            raise Ours("challenge", "This port answers http-01 only, not %s." % it.challenge)
        token = it.token
        if not self._ways:
            self._ways = self._open()
        for way in self._ways:
            way.publish(token, bytes(it.text))
        self._tokens.add(token)
        try:
            for way in self._ways:
                way.start()
        except BaseException:
            self.close()
            raise

    def withdraw(self, it):
        """Answer it no longer; with the last one the port is free again."""
        token = it.token
        if token in self._tokens:
            for way in self._ways:
                way.withdraw(token)
            self._tokens.discard(token)
        if not self._tokens:
            self.close()

    def close(self):
        """Stop listening, and leave no file behind."""
        ways, self._ways = self._ways, []
        tokens, self._tokens = self._tokens, set()
        for way in ways:
            way.close()
            for token in tokens:
                way.withdraw(token)
