"""What tools/demo does once its environment is there: Pebble, a configuration, and `ipcert demo`."""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from tools.lib import cache, needs
from tools.lib.ca.pebble import Pebble
from tools.lib.say import Stop, note

NAME = "nas.janet.example"
COMPRESS = 60480  # 14 days become 20 seconds
_CONFIG = """\
# Written by tools/demo.
[ca]
directory = "{directory}"
roots = "{roots}"
test = true
agree_terms = true

[identifiers]
names = ["{name}"]
addresses = ["127.0.0.1", "::1"]

[policy]
compress = {compress}

[http01]
listen = ["127.0.0.1:{port}", "[::1]:{port}"]

[state]
dir = "state"

[deploy]
dir = "live"
"""


def main(words):
    """Parse the command line and run the demo on the runtime asked for. Returns an exit status."""
    parser = argparse.ArgumentParser(
        prog="tools/demo", description="Issue, serve and check three certificates."
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument(
        "--runtime", choices=sorted(RUNTIMES), default="cpython", help="what ipcert runs on (%(default)s)"
    )
    parser.add_argument(
        "--compress", type=int, default=COMPRESS, metavar="N", help="divide the random delays (%(default)s)"
    )
    args = parser.parse_args(words)
    needs.install("demo" if args.runtime == "cpython" else "demo --runtime micropython")
    return RUNTIMES[args.runtime](args)


def cpython(args):
    """The demo as a NAS owner sees it."""
    _need_loopback()
    note("starting Pebble, Let's Encrypt's own test CA")
    home = _home()
    with Pebble(nonce_reject=5) as pebble:
        path = os.path.join(home, "ipcert.toml")
        with open(path, "w") as file:
            file.write(config(pebble, args.compress))
        note(
            f"ipcert asks {pebble.directory_url} for {NAME}, 127.0.0.1 and ::1; delays are divided by {args.compress}"
        )
        command = [sys.executable, "-m", "ipcert_port", "demo", "--config", path, "--root", pebble.root()]
        return subprocess.run(command + (["--json"] if args.json else [])).returncode


def config(pebble, compress):
    """The configuration for a running Pebble, as TOML."""
    return _CONFIG.format(
        directory=pebble.directory_url,
        roots=pebble.tls_root,
        name=NAME,
        port=pebble.http_port,
        compress=compress,
    )


def _home():
    """A folder of this run's own. It stays, to be looked at; those of yesterday go."""
    folder = cache.path("demo")
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if os.stat(os.path.join(folder, name)).st_mtime < time.time() - 86400:
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
    return tempfile.mkdtemp(prefix=time.strftime("%H%M%S-"), dir=folder)


def _need_loopback():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        raise Stop(
            f"This machine has no IPv6 loopback address ({error}); switch IPv6 on and run this again."
        ) from error


def micropython(args):
    """The demo as a hub runs it."""
    from tools.lib.demo import hub

    return hub.run(args)


RUNTIMES = {"cpython": cpython, "micropython": micropython}
"""What --runtime can name: functions of the parsed arguments that return an exit status."""
