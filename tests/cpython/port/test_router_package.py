"""The OpenWrt package: its shell is clean and does what it says, under dash and busybox. Not run on OpenWrt itself."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ipcert_router import config, uci, wan
from tools.lib import cache, needs
from tools.lib.vendor import demo, tree

FILES = Path(cache.ROOT) / "ports/router/openwrt/files"
SHELLS = {"dash": ["dash"], "ash": ["busybox", "ash"]}

# What rc.common and procd give to an init script, as far as ours uses it.
RC = """
config_load() { config="$CONFIGS/$1"; }
config_get_bool() {
	value=$(sed -n "s/^[[:space:]]*option $3 '\\(.*\\)'$/\\1/p" "$config")
	eval "$1=${value:-$4}"
}
procd_open_instance() { echo open; }
procd_set_param() { echo "$*"; }
procd_add_reload_trigger() { echo "trigger $*"; }
procd_close_instance() { echo close; }
. "$1"
start_service
service_triggers
"""
NFT = """#!/bin/sh
echo "$*" >>"$RULES.said"
case "$*" in
"list chain"*|"-a list chain"*) cat "$RULES" ;;
"insert rule"*) echo 'tcp dport 80 counter accept comment "ipcert" # handle 42' >>"$RULES" ;;
"delete rule"*) sed -i '/handle 42$/d' "$RULES" ;;
esac
"""


@pytest.fixture(scope="module", params=sorted(SHELLS))
def shell(request):
    """The words that start a shell."""
    words = SHELLS[request.param]
    if words[0] == "busybox":
        needs.install("busybox")
    return words


def run(words, *more, path=None, **variables):
    """(exit status, output)"""
    environment = dict(os.environ, **{name: str(value) for name, value in variables.items()})
    if path:
        environment["PATH"] = "%s:%s" % (path, environment["PATH"])
    done = subprocess.run(
        [*map(str, words), *map(str, more)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def program(folder, name, text):
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def test_shellcheck_is_content():
    needs.install("shellcheck")
    scripts = sorted(str(path) for path in FILES.iterdir() if path.suffix in (".sh", ".init", ".hotplug"))
    assert len(scripts) == 8
    # busybox's shell has `local`, which POSIX does not: dash is the nearest that is known.
    status, out = run(["shellcheck", "--shell=dash", *scripts])
    assert status == 0, out


def test_the_init_script_starts_the_service_when_it_is_enabled(shell, tmp_path):
    text = (FILES / "ipcert.config").read_text()
    (tmp_path / "rc").write_text(RC)
    (tmp_path / "ipcert").write_text(text)
    run_it = [*shell, tmp_path / "rc", FILES / "ipcert.init"]
    assert run(run_it, CONFIGS=tmp_path) == (0, "trigger ipcert\n")
    (tmp_path / "ipcert").write_text(text.replace("enabled '0'", "enabled '1'"))
    status, out = run(run_it, CONFIGS=tmp_path)
    assert status == 0
    assert out.splitlines() == [
        "open", "command /usr/sbin/ipcert run", "respawn 3600 60 0", "file /etc/config/ipcert", "no_new_privs 1",
        "stdout 1", "stderr 1", "close", "trigger ipcert",
    ]  # fmt: skip


def test_the_first_configuration_and_what_its_comments_show_is_read():
    text = (FILES / "ipcert.config").read_text()
    for shown in (text, text.replace("\t#option", "\toption").replace("\t#list", "\tlist")):
        (section,) = uci.parse(shown)
        assert config.Config(section.values).interface == "wan"


def test_the_readme_names_every_option():
    readme = (FILES.parent.parent / "README.md").read_text()
    assert [name for name in config.OPTIONS if "`%s`" % name not in readme] == []


def test_nothing_is_in_cron():
    for path in FILES.iterdir():
        assert "crontab" not in path.read_text()


def test_hooks_are_told(shell, tmp_path):
    program(tmp_path, "hotplug-call", '#!/bin/sh\necho "hotplug $1 $ACTION $IPCERT_NAME"\n')
    program(tmp_path, "ubus", '#!/bin/sh\necho "ubus $*"\n')
    notify = [*shell, FILES / "notify.sh"]
    for event, kind in (("issued", "issue"), ("renewed", "renew"), ("retired", "renew")):
        status, out = run(notify, event, "example.net", "example.net", path=tmp_path)
        assert status == 0 and out.splitlines() == [
            "hotplug acme %s example.net" % event,
            'ubus call service event {"type":"acme.%s","data":{}}' % kind,
        ]
    assert run(notify, "issued", "a", "a") == (0, "")  # a firmware without them


def test_port_80_is_opened_and_closed_and_no_rule_is_left(shell, tmp_path):
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin", "nft", NFT)
    rules = tmp_path / "rules"
    rules.write_text('tcp dport 22 accept comment "ssh" # handle 7\n')
    before = rules.read_text()
    port = [*shell, FILES / "port80.sh"]
    for action, count in (("open", 1), ("open", 1), ("close", 0), ("close", 0)):
        assert run(port, action, 80, path=tmp_path / "bin", RULES=rules) == (0, "")
        assert rules.read_text().count('comment "ipcert"') == count
    assert rules.read_text() == before
    assert run(port, "open", 80) == (0, "")  # a firmware without fw4


def test_addresses_of_a_device(shell):
    needs.install("ip")
    status, out = run([*shell, FILES / "addresses.sh"], "lo")
    assert status == 0 and "127.0.0.1" in out
    assert run([*shell, FILES / "addresses.sh"], "wan0") == (0, "")


@pytest.mark.parametrize("tool", ["iproute2", "busybox"])
def test_the_kernels_own_addresses_are_understood(tool, tmp_path):
    needs.install("ip")
    needs.install("busybox")
    if run(["unshare", "--user", "--map-root-user", "--net", "true"])[0]:
        pytest.skip("this machine gives no network namespace of one's own")
    if tool == "busybox":
        (tmp_path / "ip").symlink_to(shutil.which("busybox"))
    say = """ip link set lo up; ip addr add 8.8.4.4/32 dev lo; ip -6 addr add 2a00:1::9/64 dev lo preferred_lft 0
ip -6 addr add 2a00:1::7/64 dev lo; ip -6 addr add 2a00:1::211:22ff:fe33:4455/64 dev lo
until [ -z "$(ip -6 addr show dev lo tentative)" ]; do sleep 0.05; done
PATH=%s:$PATH sh %s lo""" % (tmp_path, FILES / "addresses.sh")
    status, out = run(["unshare", "--user", "--map-root-user", "--net", "sh", "-c", say])
    assert status == 0, out
    found = wan.Wan((4, 6))
    assert found.look(out) == (True, True, "") and found.remember() == "8.8.4.4 2a00:1::7", out


def test_the_ntp_hook_believes_no_server_that_heard_none(shell, tmp_path):
    script = tmp_path / "hook"
    text = (FILES / "ntp.hotplug").read_text()
    assert "/var/run/ipcert" in text
    script.write_text(text.replace("/var/run/ipcert", str(tmp_path / "run")))
    for action, stratum in (("stratum", "16"), ("step", ""), ("unsync", "2"), ("stratum", "x")):
        run([*shell, script], ACTION=action, stratum=stratum)
        assert not (tmp_path / "run").exists()
    assert run([*shell, script], ACTION="stratum", stratum="3") == (0, "")
    assert (tmp_path / "run/clock-is-set").exists()


def test_the_interface_hook_has_the_service_look(shell, tmp_path):
    script = tmp_path / "hook"
    script.write_text((FILES / "iface.hotplug").read_text().replace("/var/run/ipcert", str(tmp_path / "run")))
    assert run([*shell, script], ACTION="ifup") == (0, "") and not (tmp_path / "run").exists()
    (tmp_path / "run").mkdir()
    run([*shell, script], ACTION="free")
    assert os.listdir(tmp_path / "run") == []
    assert run([*shell, script], ACTION="ifdown") == (0, "")
    assert os.listdir(tmp_path / "run") == ["ask"] and (tmp_path / "run/ask").read_text() == "look\n"


def test_links_of_a_lineage(shell, tmp_path):
    links = [*shell, FILES / "links.sh", tmp_path]
    for version in (".a@1", ".a@2"):
        (tmp_path / version).mkdir()
        for name in demo.FILES:
            (tmp_path / version / name).write_text(version)
        assert run(links, "a", version) == (0, "")
        os.rename(tmp_path / ".a.new", tmp_path / ".a")
        for name in demo.FILES:
            assert (tmp_path / ("a." + name)).read_text() == version
    assert run(links, "a") == (0, "")
    assert sorted(os.listdir(tmp_path)) == [".a@1", ".a@2"]
    (tmp_path / "a.key").write_text("another client's")
    status, out = run(links, "a", ".a@1")
    assert status == 1 and "is not ours" in out and not (tmp_path / ".a.new").exists()
    assert run(links, "a")[0] == 0 and (tmp_path / "a.key").exists()


def test_what_the_makefile_installs(tmp_path):
    tree.write(str(tmp_path / "tree"))
    demo.install(tmp_path / "tree", tmp_path / "root")
    found = {str(p.relative_to(tmp_path / "root")) for p in (tmp_path / "root").rglob("*") if p.is_file()}
    assert {
        "etc/config/ipcert", "etc/init.d/ipcert", "etc/hotplug.d/ntp/60-ipcert",
        "etc/hotplug.d/iface/60-ipcert", "usr/sbin/ipcert",
        "usr/lib/ipcert/addresses", "usr/lib/ipcert/links", "usr/lib/ipcert/notify", "usr/lib/ipcert/port80",
        "usr/lib/ipcert/python/ipcert_router/service.py", "usr/lib/ipcert/LICENSE",
    } <= found  # fmt: skip
    assert (tmp_path / "root/etc/config/ipcert").stat().st_mode & 0o777 == 0o600
    assert "PKG_VERSION:=0" in (tmp_path / "tree/Makefile").read_text()
