"""What a bare tree takes from its host: how the registries are reached, and nothing else.

names            /etc/resolv.conf
proxies          the usual variables, and apt's
apt              the host's Debian mirror, for the suite, its updates and its security updates
authorities      those that the host trusts and Debian does not bring: into the tree's own store; a variable that
                 hands a program such a bundle is set where the host sets it, to the tree's
pip, uv          index, proxy, patience: variables, and pip's files
Go               proxy and checksum database, as `go env` says. Not GOFLAGS nor GOTOOLCHAIN: a bare machine has none
npm              registry
"""

import configparser
import json
import os
import re
import shutil
import subprocess

from tools.lib import debian
from tools.lib.run import quiet

_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_BUNDLES = (
    "SSL_CERT_FILE PIP_CERT REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS".split()
)
_PIP = (
    "index-url",
    "extra-index-url",
    "trusted-host",
    "proxy",
    "timeout",
    "default-timeout",
    "retries",
    "cert",
)
_UV = "UV_DEFAULT_INDEX UV_INDEX UV_INDEX_URL UV_EXTRA_INDEX_URL UV_INSECURE_HOST UV_HTTP_TIMEOUT".split()
_UV += ["UV_NATIVE_TLS", "UV_SYSTEM_CERTS"]
_GO = ("GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE")


def apt_sources(suite):
    """The lines of the tree's sources.list."""
    base = debian.mirror()
    suites = [(base, suite), (base, f"{suite}-updates"), (f"{base}-security", f"{suite}-security")]
    return [f"deb [signed-by={_KEYRING}] {url} {name} main" for url, name in suites]


def apt_options():
    """apt's own settings of how to reach a mirror, as its configuration files write them."""
    done = subprocess.run(["apt-config", "dump"], stdout=subprocess.PIPE, text=True)
    proxies = re.findall(r'^(Acquire::https?::Proxy\S* ".*");$', done.stdout, re.MULTILINE)
    return ['Acquire::Retries "3"', *proxies]


def environment():
    """The variables that a command in the tree gets for the registries' sake."""
    names = [name for proxy in _PROXIES for name in (proxy, proxy.upper())] + _UV
    variables = {name: os.environ[name] for name in names if name in os.environ}
    variables.update(_pip())
    variables.update(_go())
    variables.update(_npm())
    for name in _BUNDLES:
        if name in variables or name in os.environ:
            variables[name] = _BUNDLE
    return variables


def put_into(tree):
    """Write the files: the resolver's, and the authorities that the tree does not have."""
    with open("/etc/resolv.conf", "rb") as file:
        resolver = file.read()
    target = os.path.join(tree, "etc", "resolv.conf")
    if os.path.lexists(target):
        os.unlink(target)
    with open(target, "wb") as file:
        file.write(resolver)
    there = set(_certificates(tree + _BUNDLE))
    local = [one for one in _certificates(os.environ.get("SSL_CERT_FILE", _BUNDLE)) if one not in there]
    if not local:
        return
    for number, one in enumerate(local):
        with open(f"{tree}/usr/local/share/ca-certificates/host-{number}.crt", "w") as file:
            file.write(f"{one}\n")
    quiet(
        ["chroot", tree, "update-ca-certificates"], "The host's authorities could not be put into the tree."
    )


def _certificates(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read().replace("\r", "")
    except OSError:
        return []
    return re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.DOTALL)


def _pip():
    home = os.path.expanduser("~")
    files = ["/etc/pip.conf", f"{home}/.pip/pip.conf", f"{home}/.config/pip/pip.conf"]
    parser = configparser.RawConfigParser()
    parser.read([*files, os.environ.get("PIP_CONFIG_FILE", os.devnull)], encoding="utf-8")
    found = {}
    for option in _PIP:
        name = "PIP_" + option.replace("-", "_").upper()
        value = os.environ.get(name) or parser.get("global", option, fallback=None)
        if value:
            found[name] = " ".join(value.split())
    return found


def _go():
    if not shutil.which("go"):
        return {}
    done = subprocess.run(["go", "env", "-json", *_GO], cwd="/", stdout=subprocess.PIPE, text=True)
    values = json.loads(done.stdout) if done.returncode == 0 else {}
    return {name: value for name, value in values.items() if value}


def _npm():
    if not shutil.which("npm"):
        return {}
    done = subprocess.run(["npm", "config", "get", "registry"], cwd="/", stdout=subprocess.PIPE, text=True)
    return {"npm_config_registry": done.stdout.strip()} if done.returncode == 0 else {}
