"""Debian packages: installed when they are missing and we may."""

import os
import re
import shutil
import subprocess

from tools.lib import cache
from tools.lib.run import failure, quiet
from tools.lib.say import Stop, note


def is_debian():
    """True where apt is the package manager."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg-query"))


def suite():
    """The name of this machine's release, "bookworm" for Debian 12; "" where it has none."""
    try:
        with open("/etc/os-release") as file:
            found = re.search(r"^VERSION_CODENAME=(\w+)", file.read(), re.MULTILINE)
    except OSError:
        return ""
    return found.group(1) if found else ""


def missing(packages):
    """Those of `packages` that are not installed."""
    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n", *packages]
    text = subprocess.run(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    there = {line.split()[0] for line in text.splitlines() if line.split()[1:2] == ["ii"]}
    return [package for package in packages if package not in there]


def candidate(package):
    """The version apt would install, or None."""
    done = subprocess.run(
        ["apt-cache", "policy", package], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    for line in done.stdout.splitlines():
        if line.strip().startswith("Candidate:"):
            version = line.split(":", 1)[1].strip()
            return None if version == "(none)" else version
    return None


def installed(package):
    """The installed version of a package, or ""."""
    query = ["dpkg-query", "-W", "-f", "${Version}", package]
    return subprocess.run(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()


def mirror():
    """The URL of the Debian mirror that this machine's apt uses, or what IPCERT_DEBIAN says. Raises `Stop`."""
    if os.environ.get("IPCERT_DEBIAN"):
        return os.environ["IPCERT_DEBIAN"]
    if not is_debian():
        raise Stop("Sources come from Debian: run this on a Debian machine.")
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    for site in done.stdout.split():
        if site.rstrip("/").endswith("debian"):
            return site.rstrip("/")
    raise Stop(
        "There is no Debian mirror in this machine's apt sources: set IPCERT_DEBIAN to a mirror's URL."
    )


def root():
    """The words to put before a command that needs root: [] as root, ["sudo", "-n"] where that works, else None."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        if (
            subprocess.run(
                ["sudo", "-n", "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ).returncode
            == 0
        ):
            return ["sudo", "-n"]
    return None


def need(*packages):
    """Install those of `packages` that are missing. Raises `Stop` when that cannot be done.

    On other systems it only says what is needed: what is not there is missed where it is used.
    """
    if not is_debian():
        if packages:
            note(f"needed, by the names that Debian gives them: {' '.join(packages)}")
        return
    if not packages or not missing(packages):
        return
    with cache.lock("apt"):
        wanted = missing(packages)
        if not wanted:
            return
        before = root()
        if before is None:
            raise Stop(
                f"Debian packages are missing and this user may not install them: run "
                f"`sudo apt-get install {' '.join(wanted)}` and then this again."
            )
        note(f"installing Debian packages: {' '.join(wanted)}")
        if _install(before, wanted).returncode:
            # An installation that was cut short stops every later one until this is said.
            subprocess.run(
                [*before, "env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--configure", "-a"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            # Package lists of a fresh machine are empty or old. A third party's broken source must not stop us.
            updated = _apt(before, ["update"])
            done = _install(before, wanted)
            if done.returncode:
                raise failure(f"apt-get could not install {' '.join(wanted)}.", updated.stdout + done.stdout)


def unpacked(*packages):
    """The directory of these packages' files, unpacked into the cache and not installed: nothing of them starts by itself.

    Their dependencies must be on the machine. Raises `Stop`.
    """
    if not is_debian():
        raise Stop(f"These Debian packages are needed: {' '.join(packages)}.")
    versions = [candidate(package) for package in packages]
    if None in versions:
        with cache.lock("apt"):
            before = root()
            if before is not None:
                _apt(before, ["update"])
        versions = [candidate(package) for package in packages]
    wanted = [f"{package}={version}" for package, version in zip(packages, versions)]

    def make(target):
        note(f"fetching Debian packages: {' '.join(packages)}")
        quiet(
            ["apt-get", "-q", "download", *wanted],
            f"apt-get could not download {' '.join(wanted)}.",
            cwd=target,
        )
        for name in sorted(os.listdir(target)):
            if name.endswith(".deb"):
                path = os.path.join(target, name)
                quiet(["dpkg", "-x", path, target], f"{name} could not be unpacked.")
                os.unlink(path)

    return cache.once(cache.path(f"unpacked-{packages[0]}-{cache.key(*wanted)}"), make)


def _install(before, packages):
    return _apt(before, ["install", "-y", "--no-install-recommends", *packages])


def _apt(before, arguments):
    command = [
        *before,
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-q",
        "-o",
        "DPkg::Lock::Timeout=300",
        *arguments,
    ]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
