"""Web servers that are told of a new certificate without a hook of the owner's: nginx and Caddy.

Each certificate's folder gets a snippet, which the server's own configuration includes by a pattern: so the server
starts before there is a certificate, and never reads the key of one moment with the chain of another.
"""

from __future__ import annotations

import os

NAMES = ("nginx", "caddy")

_SNIPPETS = {
    # The http section rejects every handshake until a certificate says otherwise.
    "nginx": 'ssl_reject_handshake off;\nssl_certificate "{0}/fullchain.pem";\nssl_certificate_key "{0}/privkey.pem";\n',
    "caddy": 'tls "{0}/fullchain.pem" "{0}/privkey.pem"\n',
}
_SPECIAL = '"\\${}\n'  # what means something to nginx or Caddy inside quotes
_CADDYFILE = "/etc/caddy/Caddyfile"
_SYSTEMD = "/run/systemd/system"  # sd_booted(3)


def can_quote(folder: str) -> bool:
    """True for a folder's name that both servers take literally."""
    return not [c for c in folder if c in _SPECIAL]


def snippet(server: str, folder: str) -> tuple[str, bytes]:
    """(file name, bytes) for a certificate whose files are in `folder` and never change there."""
    return server + ".conf", _SNIPPETS[server].format(folder).encode()


def commands(server: str, config: str | None) -> list[list[str]]:
    """The argument lists that make the server read the files anew, in order. `config`: its configuration, or None.

    A server that tests its configuration while it runs as another user finds files it may not read, so only root asks
    nginx for that; a reload tests again by itself, and keeps what it has where something is wrong.
    """
    if server == "caddy":
        # Only --force reads the files again where the configuration stayed the same.
        return [["caddy", "reload", "--force", "--config", config or _CADDYFILE]]
    where = ["-c", config] if config else []
    test = [["nginx", "-t", "-q", *where]] if os.geteuid() == 0 else []
    if config or not os.path.isdir(_SYSTEMD):
        return [*test, ["nginx", *where, "-s", "reload"]]
    # Does nothing where nginx was stopped on purpose.
    return [*test, ["systemctl", "try-reload-or-restart", "nginx.service"]]
