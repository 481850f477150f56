"""`ipcert serve`: a page over TLS with the certificates that are deployed, to try them."""

from __future__ import annotations

import json
import signal
import sys

from ipcert.errors import LocalError

from .. import exit_codes
from ..config.kinds import endpoint
from ..deploy.tls_server import Chooser, Server, lineages
from ..solvers.shelf import Shelf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config.reader import Config


def run(config: Config, listen: Sequence[str], as_json: bool) -> int:
    """Serve until SIGTERM or Ctrl-C. Returns the exit code."""
    where = [endpoint("--listen", text, 0) for text in listen] or config.serve_listen
    if not where:
        raise LocalError("config", 'Say where to serve: --listen "*:8443", or listen under [serve].')
    shelf = None if config.alpn_shared is None else Shelf(config.alpn_shared)
    server = Server(Chooser(lineages(config), config.name_on), where, shelf)
    server.start()
    if as_json:
        print(json.dumps({"ports": server.ports}), flush=True)
    else:
        print(
            "Serving on port %s; Ctrl-C ends it." % ", ".join(sorted({str(p) for p in server.ports})),
            flush=True,
        )
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return exit_codes.OK
    finally:
        server.close()
        sys.stdout.flush()
