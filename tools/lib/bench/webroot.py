"""A static web server for the clients that bring none: it stands for the nginx that a user of theirs has running.

It runs in the bench's own process, and is not counted.
"""

import http.server
import os
import threading


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        """Say nothing."""


class Webroot:
    """Serves files of `directory` below /.well-known/acme-challenge/ on a loopback port, for a `with` block."""

    def __init__(self, directory, port):
        self.challenges = os.path.join(directory, ".well-known", "acme-challenge")
        os.makedirs(self.challenges, exist_ok=True)
        self._directory = directory
        self._port = port

    def __enter__(self):
        def handler(*words):
            return _Handler(*words, directory=self._directory)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), handler)
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self

    def __exit__(self, *exception):
        self._server.shutdown()
        self._server.server_close()
