"""tools/bench runs, and its figures can be true: a smoke test with two of the clients."""

import json
import os
import subprocess
import sys

from tools.lib import cache


def test_one_round_of_ipcert_and_acme_tiny():
    command = [sys.executable, os.path.join(cache.ROOT, "tools", "bench"), "issue", "--json", "--runs", "1"]
    done = subprocess.run(
        [*command, "--only", "ipcert", "--only", "acme-tiny"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    result = json.loads(done.stdout)
    rows = {row["client"]: row for row in result["clients"]}
    assert set(rows) == {"ipcert", "acme-tiny"} and not result["failed"] and not result["left_out"]
    for row in rows.values():
        assert 0.02 < row["cpu"] < 30
        assert 8 < row["largest"] <= row["together"] < 500
        assert row["requests"] == len(row["resources"]) >= 8
        assert 0 <= row["slept"] < row["wall"]
    # acme-tiny opens a connection for each request and starts openssl; ipcert does neither.
    assert rows["acme-tiny"]["tls"] == rows["acme-tiny"]["requests"] > 10
    assert rows["acme-tiny"]["processes"] == 2
    assert (rows["ipcert"]["tls"], rows["ipcert"]["processes"]) == (1, 1)
    assert rows["ipcert"]["requests"] <= 11
