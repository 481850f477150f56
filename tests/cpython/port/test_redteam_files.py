"""Files and folders that another user can write to: what is there is not followed, not waited for, and no key goes into it."""

import os
import threading

import pytest

from ipcert.errors import LocalError
from ipcert_port.cli import adopt
from ipcert_port.deploy import copies, folders
from ipcert_port.solvers.responder import Webroot

TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
TEXT = TOKEN + ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
FILES = {"privkey.pem": b"a key", "fullchain.pem": b"a chain"}


def in_time(function, *words):
    """What a call returns; it must end, whatever waits for it."""
    out = []
    thread = threading.Thread(target=lambda: out.append(function(*words)), daemon=True)
    thread.start()
    thread.join(20)
    assert out, "it waits for somebody"
    return out[0]


@pytest.fixture
def copy(tmp_path):
    """(a copy of the key, its path, a function that brings or removes it)."""
    path = tmp_path / "app" / "tls.key"
    path.parent.mkdir()
    one = copies.Copy("nas.example.net/privkey.pem:" + str(path), folders.FILES, lambda text: text)
    deployer = folders.Deployer(str(tmp_path / "live"))
    return path, lambda files: in_time(copies.bring, one, "nas.example.net", files, deployer._write_copy)


def test_a_key_is_written_into_a_file_that_was_made_for_it(copy):
    path, bring = copy
    new = path.with_name("tls.key.new")
    new.write_bytes(b"")
    with open(new, "rb") as kept:
        assert bring(FILES) and path.read_bytes() == b"a key" and path.stat().st_mode & 0o777 == 0o600
        assert kept.read() == b""  # whoever has it open reads nothing
    for make in (os.mkfifo, lambda p: p.symlink_to(path.with_name("elsewhere"))):
        make(new)
        assert bring({**FILES, "privkey.pem": os.urandom(8)})
        assert not path.with_name("elsewhere").exists() and not os.path.lexists(new)


def test_what_lies_in_a_copys_place_is_replaced_and_not_read(copy):
    path, bring = copy
    other = path.with_name("other")
    other.write_bytes(b"a key")
    for make in (os.mkfifo, lambda p: p.symlink_to(other), lambda p: p.symlink_to("/dev/zero")):
        make(path)
        assert bring(FILES) and path.read_bytes() == b"a key" and not path.is_symlink()
        path.unlink()


def test_nothing_but_the_copy_is_overwritten_when_it_goes(copy):
    path, bring = copy
    other = path.with_name("other")
    other.write_bytes(b"letters")
    for make in (os.mkfifo, lambda p: p.symlink_to(other), lambda p: os.link(other, p)):
        make(path)
        assert bring(None) and not os.path.lexists(path) and other.read_bytes() == b"letters"
    assert bring(FILES) and bring(None) and not bring(None)


def test_a_challenge_is_not_written_through_what_lies_in_the_web_servers_folder(tmp_path):
    root = Webroot(str(tmp_path / "www"))
    in_time(lambda: (root.publish(TOKEN, TEXT), root.withdraw(TOKEN)))
    folder = tmp_path / "www" / ".well-known" / "acme-challenge"
    other = tmp_path / "other"
    other.write_bytes(b"letters")
    for make in (os.mkfifo, lambda p: p.symlink_to(other), lambda p: os.link(other, p)):
        make(folder / (TOKEN + ".new"))
        in_time(lambda: (root.publish(TOKEN, TEXT), root.withdraw(TOKEN)))
        assert other.read_bytes() == b"letters" and list(folder.iterdir()) == []


def test_adopting_waits_for_nobody(tmp_path):
    def why(path):
        try:
            return adopt.Found(str(path))
        except LocalError as error:
            return str(error)

    os.mkfifo(tmp_path / "fullchain.pem")
    assert "no regular file" in in_time(why, tmp_path / "fullchain.pem")
    (tmp_path / "zero.pem").symlink_to("/dev/zero")
    assert "no regular file" in in_time(why, tmp_path / "zero.pem")
