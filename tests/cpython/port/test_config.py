"""The configuration: everything that can be written wrong is said in one sentence, and nothing is silently ignored."""

import inspect
import types

import pytest

from ipcert import limits, policy
from ipcert.errors import LocalError
from ipcert_port.config import kinds, options, reader
from tools.lib.build import deb

pytestmark = pytest.mark.quick

GOOD = '[ca]\ntest = true\n[identifiers]\nnames = ["nas.example.net"]\naddresses = ["127.0.0.1"]\n'


def load(text, path="/etc/ipcert.toml"):
    return reader.Config(path, text.encode())


def refused(text):
    with pytest.raises(LocalError) as caught:
        load(text)
    sentence = str(caught.value)
    assert "\n" not in sentence and len(sentence) > 20 and sentence[-1] in ".?"
    return sentence


def test_defaults_are_the_policys():
    c = load(GOOD)
    assert [i.value for i in c.identifiers] == ["nas.example.net", "127.0.0.1"]
    assert c.directory == "https://acme-v02.api.letsencrypt.org/directory" and c.roots is None
    assert c.policy.urgent == "ip" and c.policy.first_delay == 14 * limits.DAY and not c.policy.combined
    assert c.policy.recovery == 14 * limits.DAY and c.policy.min_ip_age == limits.DAY
    assert c.listen == [(None, 80)] and c.hook == [] and c.name_on == "all"
    assert (c.state, c.deploy) == ("/var/lib/ipcert/state", "/var/lib/ipcert/live")


def test_every_key_reaches_its_place():
    c = load(
        GOOD.replace(
            "[ca]",
            '[ca]\ndirectory = "https://ca.example/dir"\nroots = "r.pem"\ncontacts = ["a@b.example"]\nagree_terms = true',
        )
        + 'combined = true\n[policy]\nurgent = "both"\nsetting = "public"\nfirst_delay = "6h"\nrecovery = "private"\n'
        'strict_ari = true\nmin_ip_age = "2d"\nprofile_name = "classic"\nprofile_ip = "short"\ncompress = 5\n'
        '[state]\ndir = "s"\n[http01]\nlisten = ["192.0.2.7:8080", "[::1]:81"]\nwebroot = "/srv/www"\n'
        '[deploy]\ndir = "/live"\nhook = ["true", "x y"]\nhook_timeout = "90s"\n[serve]\nlisten = ["*:443"]\nname_on = "lan"\n'
    )
    assert c.directory == "https://ca.example/dir" and c.roots == "/etc/r.pem" and c.state == "/etc/s"
    p = c.policy
    assert (p.urgent, p.setting, p.first_delay, p.recovery) == ("both", "public", 21600, 28 * limits.DAY)
    assert (p.strict_ari, p.min_ip_age, p.profile_name, p.profile_ip, p.compress) == (
        True,
        172800,
        "classic",
        "short",
        5,
    )
    assert p.combined and p.agree_terms and p.contacts == ("mailto:a@b.example",)
    assert c.listen == [("192.0.2.7", 8080), ("::1", 81)] and c.webroot == "/srv/www"
    assert (c.deploy, c.hook, c.hook_timeout) == ("/live", ["true", "x y"], 90)
    assert c.serve_listen == [(None, 443)] and c.name_on == "lan"


def test_the_example_is_the_defaults_and_shows_every_key():
    text = options.example({})
    assert (
        "[deploy]" in text and '\n# hook_timeout = "2m"\n' in text and max(map(len, text.splitlines())) < 130
    )
    # With an address that is not one of the documents', it is a configuration that works.
    c = load(text.replace("198.51.100.42", "9.9.9.9"))
    assert [i.value for i in c.identifiers] == ["nas.example.net", "9.9.9.9"]
    # And so is what its comments show: each line is a key that is known, of the right kind.
    lines = [
        line[2:] if line.startswith("# ") and (" = " in line or line[2] == "[") else line
        for line in text.splitlines()
    ]
    shown = [line for line in lines if line.startswith("[") or line.split(" = ")[0].isidentifier()]
    assert len([line for line in shown if line[0] != "["]) == len(options.TABLE)
    values = reader._values("/etc/ipcert.toml", "\n".join(shown).encode(), "/etc")
    assert values["deploy.hook"] == ["systemctl", "reload", "nginx"] and values["serve.listen"] == [
        (None, 8443)
    ]


def test_the_debian_packages_example_sets_the_hook_that_its_units_wait_for():
    module = types.ModuleType("ipcert_port.config.packaged")
    module.__package__ = "ipcert_port.config"
    exec(deb.options(), module.__dict__)
    assert '\nhook = ["touch", "/run/ipcert/deployed"]\n' in module.example({})


def test_every_choice_of_the_policy_is_an_option_and_has_its_default():
    parameters = dict(inspect.signature(policy.Policy).parameters)
    rows = {one.policy: one for one in options.TABLE if one.policy}
    # The secret comes from a file, and what MicroPython prefers is not for this machine.
    assert set(parameters) - set(rows) == {"eab_key"} and set(rows) <= set(parameters)
    for name, row in rows.items():
        preset = row.preset()
        assert preset == parameters[name].default or (name, preset) == ("preferred_chain", ""), name


@pytest.mark.parametrize(
    "text, wanted",
    [
        ('[ca]\ndirectry = "x"\n', "did you mean ca.directory?"),
        ('names = ["a"]\n', "did you mean identifiers.names?"),
        ('[policy]\nurgnt = "ip"\n', "did you mean policy.urgent?"),
        ('[policy]\nfirst-delay = "1d"\n', "did you mean policy.first_delay?"),
        ("[idents]\n", "did you mean [identifiers]?"),
        ('[serve]\ndir = "x"\n', "did you mean state.dir?"),
        ("[policy]\nzzzzzz = 1\n", "ipcert init"),
        ("policy = 1\n", "[policy] on a line of its own"),
    ],
)
def test_an_unknown_key_names_the_nearest(text, wanted):
    sentence = refused(text)
    assert wanted in sentence and sentence.startswith("/etc/ipcert.toml: ")


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("[ca\n", "line 1"),
        ("\x00", "not valid TOML"),
        ("[ca]\ntest = 'yes'\n", "ca.test must be true or false"),
        ("[ca]\ncontacts = [1]\n", "a list of texts"),
        ("[policy]\ncompress = true\n", "a whole number"),
        ("[policy]\nfirst_delay = '14 days'\n", '"14d"'),
        ("[policy]\nfirst_delay = 5\n", '"14d"'),
        ("[policy]\nfirst_delay = '99d'\n" + GOOD, "first_delay must be"),
        ("[policy]\nrecovery = 'soon'\n" + GOOD, "recovery must be"),
        ("[policy]\nurgent = 'now'\n" + GOOD, "urgent must be"),
        ("[policy]\ncompress = 2\n[identifiers]\naddresses = ['9.9.9.9']\n", "test = true"),
        ("[http01]\nlisten = ['80']\n" + GOOD, "must look like"),
        ("[http01]\nlisten = ['::1:80']\n" + GOOD, "must look like"),
        ("[http01]\nlisten = ['*:0']\n" + GOOD, "must look like"),
        ("[http01]\nlisten = ['*:65536']\n" + GOOD, "must look like"),
        ("[http01]\nlisten = []\n" + GOOD, "http01.listen is empty"),
        ("[deploy]\nhook = ['']\n" + GOOD, "begin with a program"),
        ("[deploy]\ndir = ''\n" + GOOD, "path is empty"),
        ("[deploy]\nserver = 'apache'\n" + GOOD, "use deploy.hook"),
        ("[deploy]\nserver = 'nginx'\ndir = '/a$b'\n" + GOOD, "means something to nginx"),
        ("[deploy]\ncopy = ['x']\n" + GOOD, "must look like"),
        ("[deploy]\ncopy = ['*/cert.pem:/etc/x']\n" + GOOD, "write {name}"),
        ("[deploy]\ndir = 'a'\n[state]\ndir = './a'\n" + GOOD, "two folders"),
        ("[serve]\nname_on = 'wan'\n" + GOOD, 'serve.name_on must be "all" or "lan"'),
        ("[address]\nsource = 'dhcp'\n" + GOOD, '"router" or "command"'),
        ("[dns]\nprovider = 'bind'\n" + GOOD, 'must be "rfc2136", "webhook" or "exec"'),
        ("[dns]\nresolvers = ['a']\n" + GOOD, "dns.resolvers: 'a' must be an address"),
        ("[ca]\ndirectory = 'http://ca.example/dir'\n" + GOOD.replace("[ca]\n", ""), "https"),
        ('[ca]\nroots = "a\\u0000b"\n', "null character"),
        ("[identifiers]\nnames = []\n", "nothing to certify"),
        ("[identifiers]\nnames = ['9.9.9.9']\n", "identifiers.addresses"),
        ("[identifiers]\naddresses = ['a.example.net']\n", "identifiers.names"),
        ("[identifiers]\naddresses = ['10.0.0.1']\n", "RFC 1918"),
        ("[identifiers]\naddresses = ['100.64.0.1']\n", "carrier-grade NAT"),
        ("[identifiers]\naddresses = ['fe80::1%eth0']\n", "zone"),
        ("[identifiers]\naddresses = ['[::1]']\n", "brackets"),
        ("[identifiers]\nnames = ['nas.local']\n", "only inside networks"),
    ],
)
def test_what_is_wrong_is_said(text, wanted):
    assert wanted in refused(text)


def test_international_names_become_a_labels():
    c = load('[identifiers]\nnames = ["Bücher.example.net", "*.faß.example.net"]\n')
    assert [i.value for i in c.identifiers] == ["xn--bcher-kva.example.net", "*.xn--fa-hia.example.net"]
    assert "international" in refused('[identifiers]\nnames = ["a\\u2014\\u200d.example.net"]\n')


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(LocalError, match="There is no .*none.toml; .ipcert init. writes one"):
        reader.load(str(tmp_path / "none.toml"))
    with pytest.raises(LocalError, match="Cannot read"):
        reader.load(str(tmp_path))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LocalError, match="not UTF-8"):
        reader.load(str(tmp_path / "binary"))
    (tmp_path / "long").write_bytes(b"#" * 70000)
    with pytest.raises(LocalError, match="larger than"):
        reader.load(str(tmp_path / "long"))
    (tmp_path / "deep").write_bytes(b"a = " + b"[" * 60000)
    with pytest.raises(LocalError, match="nested|not valid"):
        reader.load(str(tmp_path / "deep"))


def test_the_sentence_names_the_file(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text("[identifiers]\naddresses = ['192.168.1.2']\n")
    with pytest.raises(LocalError) as caught:
        reader.load(str(path))
    assert str(caught.value).startswith(str(path) + ": 192.168.1.2 is private")


@pytest.mark.parametrize(
    "text, seconds", [("0s", 0), ("90s", 90), ("15m", 900), ("6h", 21600), ("14d", 1209600), ("2w", 1209600)]
)
def test_durations(text, seconds):
    assert kinds.duration("x", text) == seconds


@pytest.mark.parametrize("text", ["", "d", "1", "1 d", "-1d", "1.5d", "1D", "٣d", "9999999999d", None, 3])
def test_no_durations(text):
    with pytest.raises(LocalError, match="must be a time"):
        kinds.duration("x", text)
