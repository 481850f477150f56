"""`ipcert` as its owner runs it: where keys are, who may read them, and what a factory reset leaves."""

import os
import subprocess

from home import Home, sentence
from key_bytes import files_under, holds, scalars_of

NAME = "nas.janet.example"


def key_files(files):
    return [
        p for p in files if os.path.basename(p).startswith(("key-", "account-")) or p.endswith("privkey.pem")
    ]


def test_keys_are_where_they_belong_and_a_reset_leaves_none(pebble, tmp_path):
    home = Home(tmp_path, pebble, [NAME])
    home.wish("policy", compress=60480, urgent="both")
    said = []
    for words in (
        ["issue", "--wait", "--json"],
        ["issue", "--now", "127.0.0.1"],
        ["account", "rollover"],
        ["status", "--json"],
        ["plan", "--explain"],
        ["account"],
        ["revoke", "127.0.0.1"],
        ["issue", "--now", "127.0.0.1"],
    ):
        before = scalars_of(files_under(tmp_path))
        done = home.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        files = files_under(tmp_path)
        scalars = scalars_of(files) + before
        said += [done.stdout, done.stderr]
        assert not any(holds(text, scalars) for text in said), words
        for path in files:
            mode, data = files[path]
            if path in key_files(files):
                assert mode == 0o600, path
            else:
                assert not holds(data, scalars), path
    assert len(key_files(files)) == 5  # the account's, and two lineages' with their deployed copies

    # Nobody is there to be asked, so nothing is erased without --yes.
    done = home.run("reset", stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and "Nothing was erased" in sentence(done)
    assert files_under(tmp_path) == files
    out = home.json("reset", "--yes")
    assert any(name.startswith("account-") for name in out["erased"]) and NAME in out["removed"]
    left = files_under(tmp_path)
    assert not key_files(left)
    for path in left:
        assert not holds(left[path][1], scalars), path
    assert [p for p in left if p.startswith("state/") and not p.endswith("lock")] == []
    assert os.listdir(tmp_path / "live") == []
    # Afresh: another account, other keys.
    assert home.json("issue", "--wait")["issued"] == 2
    assert not set(scalars_of(files_under(tmp_path))) & set(scalars)
    assert home.json("reset", "--yes")["erased"] and home.json("reset", "--yes")["erased"] == []


def test_a_reset_mends_a_damaged_state(pebble, tmp_path):
    home = Home(tmp_path, pebble)
    home.json("issue")
    for name in ("journal-a", "journal-b"):
        path = tmp_path / "state" / name
        if path.exists():
            path.write_bytes(b"damaged")
    home.run("issue")
    assert home.run("reset", "--yes").returncode == 0
    assert home.json("issue")["issued"] == 1
