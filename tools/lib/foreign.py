"""Programs and whole systems of another processor, run here by qemu-user."""

import os
import shutil
import subprocess

from tools.lib import cache, debian, needs
from tools.lib.run import quiet
from tools.lib.say import Stop

_BINFMT = "/proc/sys/fs/binfmt_misc"
_RULES = ("/usr/lib/binfmt.d", "/usr/share/qemu/binfmt.d")
"""Where qemu-user's packages have the kernel's rules (binfmt.d(5)): up to Debian 12, and since."""
QEMU = {"arm64": "aarch64", "armhf": "arm"}
"""Debian's name of an architecture, and QEMU's."""
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def ready(architecture):
    """Have the kernel start programs of `architecture` (Debian's name) under qemu-user. Raises `Stop`."""
    needs.install("foreign")
    name = "qemu-" + QEMU[architecture]
    if os.path.exists(os.path.join(_BINFMT, name)):
        return
    with cache.lock("binfmt"):
        if not os.path.exists(os.path.join(_BINFMT, "register")):
            as_root(
                ["mount", "-t", "binfmt_misc", "binfmt_misc", _BINFMT], "binfmt_misc could not be mounted."
            )
        as_root(registration(name), "qemu-user could not be registered with the kernel.")
    if not os.path.exists(os.path.join(_BINFMT, name)):
        raise Stop(
            f"This kernel does not start {architecture} programs by itself: {_BINFMT}/{name} is missing; "
            "run this where binfmt_misc may be used."
        )


def program(processor):
    """The name of the qemu-user program that runs programs of `processor` (QEMU's name)."""
    static = f"qemu-{processor}-static"  # up to Debian 12; since then there is but one, and it is static
    return static if shutil.which(static) else f"qemu-{processor}"


def registration(name):
    """The command that registers the rule `name` with the kernel until the next boot. Raises `Stop`."""
    for folder in _RULES:
        rule = os.path.join(folder, name + ".conf")
        if os.path.exists(rule):
            return ["sh", "-c", 'grep "^:" "$1" >"$2"', "sh", rule, os.path.join(_BINFMT, "register")]
    raise Stop(f"There is no {name}.conf in {' or '.join(_RULES)}, where Debian's qemu-user has it.")


def as_root(command, sentence):
    """Run `command` as root; its output as text. Raises `Stop` with `sentence` and its last line if it fails."""
    before = debian.root()
    if before is None:
        raise Stop(f"Making a system image takes root, or sudo without a password. {sentence}")
    return quiet([*before, *command], sentence)


def sources(suite, security):
    """The apt source lines of a stable suite of Debian; `security`: with its security updates."""
    base = debian.mirror()
    lines = [f"deb [signed-by={_KEYRING}] {base} {suite} main"]
    if security:
        lines.append(f"deb [signed-by={_KEYRING}] {base}-security {suite}-security main")
    return lines


def bootstrap(
    architecture, variant, packages, target, suite="bookworm", options=(), security=True, lines=None
):
    """A Debian system as the tar archive `target`, with `packages`, by mmdebstrap. Raises `Stop`.

    variant   mmdebstrap's: "extract" only unpacks, at this machine's own speed; others configure, under qemu-user
    security  with Debian's security updates
    lines     apt's source lines, if not those of `sources(suite, security)`
    """
    if variant != "extract" and architecture in QEMU:
        ready(architecture)
    else:
        needs.install("mmdebstrap")
    before = debian.root()
    if before is None:
        raise Stop("Making a system image takes root, or sudo without a password.")
    command = [*before, "mmdebstrap", f"--architectures={architecture}", f"--variant={variant}"]
    command += [f"--include={','.join(packages)}", "--format=tar", '--aptopt=Acquire::Retries "3"']
    command += [*options, suite, "-", *(lines or sources(suite, security))]
    with open(target, "wb") as file, open(target + ".log", "wb") as log:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=log).returncode
    if status:
        with open(target + ".log", encoding="utf-8", errors="replace") as log:
            words = [line.strip() for line in log if line.startswith("E:")] or ["see " + target + ".log"]
        raise Stop(f"mmdebstrap could not make a {architecture} system: {words[0]}")
