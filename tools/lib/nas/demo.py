"""`tools/board QEMU_VIRT_ARM64 demo`: the emulated NAS gets two certificates from a real Pebble, and nginx serves them.

What was issued is asked from Pebble; what is served is looked at from the host's side, with OpenSSL. The NAS's own words
are used for its plans, and for what its users and its service can read.
"""

import json
import os
import re
import resource
import tempfile
import time

from tools.lib import needs
from tools.lib.board import outcome
from tools.lib.board.ca import HubPebble
from tools.lib.loopback import wait_until
from tools.lib.nas import image as nas_image
from tools.lib.nas import look, machine
from tools.lib.say import Stop

NAME = "nas.janet.example"
ADDRESS = "127.0.0.1"
COMPRESS = 302400  # 14 days become 4 seconds
EXPOSURE = 2.0
"""What `systemd-analyze security` may say of the service at most."""
_ISSUANCE = 900  # seconds, on a busy machine
_TRIES = 4
_LARGE = 24 << 20  # bytes of a download that a reload must not break off
_UNRECOGNIZED_NAME = 112
_TOKENS = "/.well-known/acme-challenge/"
PATHS = (
    "/",
    _TOKENS,
    _TOKENS + "A" * 43,
    _TOKENS + "../../../../../etc/ipcert.toml",
    "/var/lib/ipcert/state/journal.0",
    "/index.html",
)
"""What a neighbour tries on port 80."""
_SITE = """location / { root /srv/www; }
send_timeout 10m;
"""


def configuration(text, ca):
    """What 'ipcert init' has written on the NAS, with the settings that its owner would change for this CA."""
    settings = {
        ("ca", "directory"): f'"{ca.hub_directory}"',
        ("ca", "agree_terms"): "true",
        ("ca", "roots"): '"/etc/ipcert-roots.pem"',
        ("ca", "test"): "true",
        ("policy", "compress"): str(COMPRESS),
        ("challenge", "address"): '"tls-alpn-01"',
        ("tlsalpn", "listen"): '["127.0.0.1:8443"]',
    }
    for (section, key), value in settings.items():
        before, head, rest = text.partition(f"\n[{section}]\n")
        body, mark, after = rest.partition("\n[")
        body, found = re.subn(rf"^(# )?{key} = .*$", f"{key} = {value}", body, flags=re.MULTILINE)
        if found != 1:
            raise Stop(f"the example configuration must hold {key} once in [{section}]")
        text = before + head + body + mark + after
    return text


def job(say):
    """The whole demo; its result as a dict for --json."""
    check = outcome.Checks(say)
    needs.install("board QEMU_VIRT_ARM64 demo")
    image = nas_image.image()
    out = {"image": nas_image.sizes(image), "problems": check.problems}
    with tempfile.TemporaryDirectory(prefix="nas-") as folder, HubPebble(True, nonce_reject=5) as ca:
        forwards = {80: ca.http_port, 443: ca.tls_port}
        with machine.Machine(image, folder, forwards) as nas:
            say(f"The NAS is up after {nas.boots[0]:.0f} s")
            _provision(nas, ca)
            with look.Prober(ca.http_port, PATHS) as prober:
                latest = _issue(check, nas, ca)
            if latest is None:
                say(
                    nas.run(
                        "journalctl -b -u ipcert -u ipcert-nginx -u nginx --no-pager | tail -60", check=False
                    )[1]
                )
                return out
            _port_80(check, prober.answers, ca.http_port)
            _look(check, ca, latest, folder, "first")
            _other_users(check, nas)
            _sandbox(check, nas)
            out["exposure"] = _exposure(check, nas)
            _renew(check, nas, ca)
            plans, orders = _plans(nas), ca.new_orders()
            out["memory"] = _memory(nas)
            nas.cut()
            say("The power was cut")
            nas.start()
            say(f"The NAS is up again after {nas.boots[1]:.0f} s")
            _again(check, nas, ca, folder, plans, orders)
            _remove(check, nas)
            out["boots"] = [round(seconds) for seconds in nas.boots]
            issued = ca.issued()
            with open(ca.log, encoding="utf-8", errors="replace") as file:
                ca_log = file.read()
    _ways(check, ca_log)
    outcome.apart(check, issued)
    out["certificates"] = outcome.rows(issued)
    out["orders"] = orders
    return out


def _provision(nas, ca):
    """What its owner does: the settings, what to serve, and the service switched on."""
    with open(ca.tls_root, "rb") as file:
        nas.write("/etc/ipcert-roots.pem", file.read())
    nas.run("ipcert", "init", "--name", NAME, "--address", ADDRESS)
    text = nas.run("cat", "/etc/ipcert.toml")[1]
    nas.write("/etc/ipcert.toml", configuration(text, ca).encode())
    nas.run("mkdir", "-p", "/etc/nginx/ipcert")
    for kind in ("name", "address"):
        nas.write(f"/etc/nginx/ipcert/site-{kind}.conf", _SITE.encode())
    nas.run(
        f"install -d -m 755 /srv/www && echo hello >/srv/www/index.html && truncate -s {_LARGE} /srv/www/large"
    )
    # Readable by everybody, and no business of the service.
    nas.run("install", "-d", "-m", "755", "/srv/share", "/opt/other", "/mnt/usb", _GUEST)
    nas.run(f"for file in {' '.join(_PRIVATE)}; do echo a letter >$file; chmod 644 $file; done")
    # As docs/nas.md says.
    nas.run("ipcert-nginx", "--write")
    nas.run("ln", "-s", "/etc/nginx/ipcert/stream.conf", "/etc/nginx/modules-enabled/90-ipcert.conf")
    nas.run("ln", "-s", "/etc/nginx/ipcert/http.conf", "/etc/nginx/conf.d/ipcert.conf")
    nas.run("ipcert-nginx", "--reload")
    nas.run("systemctl", "enable", "--now", "ipcert.service")


def _issue(check, nas, ca):
    """Wait until both are issued and served; {identifier: certificate}, or None."""

    def both():
        latest = outcome.latest(ca)
        return latest if {NAME, ADDRESS} <= set(latest) else None

    latest = wait_until(both, _ISSUANCE, 0.5)
    check(latest, "Pebble has issued a certificate for the name and one for the address")
    if not latest:
        return None
    served = wait_until(lambda: _serves(nas, ca, latest), 600, 1)
    check(served, "nginx serves both")
    return latest


def _serves(nas, ca, latest):
    port = nas.forwards[443]
    seen = look.look(port, ca.root(), None, ADDRESS), look.look(port, ca.root(), NAME, NAME)
    return [one.certificate for one in seen] == [latest[ADDRESS], latest[NAME]]


def _look(check, ca, latest, folder, when):
    """P11, from outside."""
    port = ca.tls_port
    kept = {}
    for sni, host in ((None, ADDRESS), (NAME, NAME)):
        kept[host] = f"{folder}/session-{host}"
        seen = look.look(port, ca.root(), sni, host, keep=kept[host])
        good = seen.certificate == latest[host] and seen.verified and seen.status == 200
        check(
            good,
            f"{when}, server name {sni or 'none'}: the certificate that Pebble issued for {host}, chain verified "
            f"(HTTP {seen.status}{'' if seen.verified else ', not verified'})",
        )
        again = look.look(port, ca.root(), sni, host, offer=kept[host])
        check(again.reused, f"{when}, {host}: a session is resumed by its ticket")
    for sni, host, foreign in ((None, ADDRESS, NAME), (NAME, NAME, ADDRESS)):
        seen = look.look(port, ca.root(), sni, host, offer=kept[foreign])
        check(
            seen.certificate == latest[host] and not seen.reused,
            f"{when}: {host} does not take a ticket of {foreign}",
        )
    seen = look.look(port, ca.root(), ADDRESS, ADDRESS)
    check(
        seen.certificate == latest[ADDRESS], f"{when}, the address as server name: the address's certificate"
    )
    for version in ("-tls1_3", "-tls1_2"):
        seen = look.look(port, ca.root(), "neighbour.janet.example", NAME, version=version)
        check(
            seen.certificate is None and seen.alert == _UNRECOGNIZED_NAME,
            f"{when}, a wrong server name ({version[1:]}): the alert unrecognized_name (seen: {seen.alert})",
        )
    for sni, host in ((None, NAME), (NAME, ADDRESS), (NAME, "neighbour.janet.example")):
        seen = look.look(port, ca.root(), sni, host)
        check(
            seen.status == 421,
            f"{when}, server name {sni or 'none'} and Host {host}: {seen.status}, not served",
        )


def _port_80(check, answers, port):
    """What a neighbour got from port 80 while challenges were published, and that it is closed now."""
    wrong = sorted({path for path, answer in answers if not answer.startswith(b"HTTP/1.1 404 ")})
    check(answers and not wrong, f"port 80 while it was open: {len(answers)} answers, all 404 {wrong or ''}")
    bodies = {answer.partition(b"\r\n\r\n")[2] for _, answer in answers}
    check(bodies <= {b""}, "none of them said anything")
    closed = wait_until(lambda: not look.ask(port, "/"), 300, 1)
    check(closed, "port 80 is closed when no validation is under way")


_READABLE = """
cd /
for place in /var /etc /run /srv /home /root /tmp /opt /dev/shm; do
    grep -rlsI 'PRIVATE KEY' $place 2>/dev/null
done
find /var/lib/ipcert -type f -exec sh -c 'cat "$1" >/dev/null 2>&1 && echo "$1"' - {} \\; 2>/dev/null
true
"""


def _other_users(check, nas):
    """No other user of the NAS can read a key or the state."""
    everything = set(nas.run(_READABLE)[1].split())
    theirs = set(nas.run("runuser", "-u", "guest", "--", "sh", "-c", _READABLE)[1].split())
    keys = {path for path in everything if path.endswith("privkey.pem")}
    copies = {path for path in keys if path.startswith("/var/lib/ipcert-nginx/")}
    check(
        len(keys) == 4 and len(copies) == 2, f"root finds {len(keys)} keys: the service's, and nginx's copies"
    )
    state = {path for path in everything if path.startswith("/var/lib/ipcert/state/")}
    check(len(state) >= 3, f"and {len(state)} files of state")
    public = re.compile(r"/var/lib/ipcert/live/\.[^/]+/(fullchain|chain|cert)\.pem$")
    secret = sorted(path for path in theirs if not public.match(path))
    check(
        not secret and theirs,
        f"a second user reads {len(theirs)} files of certificates and no key or state {secret or ''}",
    )
    pid = _main_pid(nas)
    status, _ = nas.run(f"runuser -u guest -- cat /proc/{pid}/environ /proc/{pid}/mem", check=False)
    check(status, "nor the service's memory or environment")


_GUEST = os.path.join("/home", "guest")
_PRIVATE = (
    _GUEST + "/letter",
    "/srv/share/photo",
    "/opt/other/settings",
    "/mnt/usb/backup",
    "/etc/ssl/private/site.key",
)
"""Files that everybody may read by their mode."""


_VISIBLE = set("bin dev etc lib lib32 lib64 proc run sbin sys tmp usr var".split())


def _main_pid(nas):
    return nas.run("systemctl", "show", "-P", "MainPID", "ipcert.service")[1].strip()


def _sandbox(check, nas):
    """What the service's user can read and write from inside the service's name space."""
    inside = ["nsenter", "-m", "-t", _main_pid(nas), "--"]
    user = [
        "setpriv",
        "--reuid=ipcert",
        "--regid=ipcert",
        "--clear-groups",
        "--no-new-privs",
        "--bounding-set=-all",
    ]
    nas.run("chmod 755 /etc/ssl/private")
    try:
        read = ["sh", "-c", 'for file; do cat "$file" >/dev/null 2>&1 && echo "$file"; done; true', "sh"]
        outside = nas.run(*user, *read, *_PRIVATE)[1].split()
        within = nas.run(*inside, *user, *read, *_PRIVATE)[1].split()
        for path in _PRIVATE:
            check(
                path in outside and path not in within,
                f"the service does not see {path}, which everybody may read",
            )
    finally:
        nas.run("chmod 700 /etc/ssl/private")
    seen = set(nas.run(*inside, "ls", "/")[1].split())
    check(
        seen <= _VISIBLE,
        f"it sees {' '.join(sorted(seen & _VISIBLE))} and nothing else of the machine {seen - _VISIBLE or ''}",
    )
    seen = set(nas.run(*inside, "ls", "/var", "/var/lib", "/run")[1].split()) - {
        "/var:",
        "/var/lib:",
        "/run:",
    }
    check(seen <= {"lib", "tmp", "ipcert", "systemd"}, f"below /var and /run: {' '.join(sorted(seen))}")
    status, _ = nas.run(*inside, *user, "cat", "/etc/nginx/nginx.conf", check=False)
    check(status, "nor nginx's settings")
    status, _ = nas.run(*inside, *user, "cat", "/etc/ipcert.toml", "/etc/resolv.conf", check=False)
    check(status == 0, "the service can read its settings and the resolver's")
    line = "find / -writable ! -type l ! -path '/proc/*' ! -path '/dev/*' ! -path '/sys/*' ! -path '/var/lib/ipcert/*' 2>/dev/null; true"
    seen = nas.run(*inside, *user, "sh", "-c", line)[1].split()
    own = {"/var/lib/ipcert", "/run/ipcert", "/tmp", "/var/tmp"}
    check(set(seen) == own, f"it can write to its own folders only: {' '.join(seen)}")
    status, _ = nas.run(*inside, *user, "ls", "/proc/1", check=False)
    check(status, "and does not see other users' processes")


def _exposure(check, nas):
    """`systemd-analyze security` of the unit as it runs."""
    text = nas.run("systemd-analyze", "security", "--no-pager", "ipcert.service")[1]
    found = re.search(r"Overall exposure level for ipcert\.service: ([0-9.]+)", text)
    exposure = float(found[1]) if found else 10.0
    check(exposure <= EXPOSURE, f"systemd-analyze security: {exposure} (10 is worst; at most {EXPOSURE})")
    return exposure


def _renew(check, nas, ca):
    """Renew both while visitors come and a download is under way."""
    before = outcome.latest(ca)
    port = nas.forwards[443]
    download = look.Download(port, ca.root(), NAME, "/large")
    with look.Visitors(port, ca.root(), NAME) as visitors:
        for _ in range(_TRIES):
            old = [ids for ids in (ADDRESS, NAME) if outcome.latest(ca)[ids] == before[ids]]
            if not old:
                break
            # On a starved machine the CA may lose patience with it; what it issued is what counts.
            words = [word for ids in old for word in ("--now", ids)]
            nas.run("ipcert", "issue", *words, timeout=_ISSUANCE, check=False)
        after = outcome.latest(ca)
        new = all(after[ids] != before[ids] for ids in (ADDRESS, NAME))
        check(new, "both were renewed by 'ipcert issue --now', which root may call")
        check(wait_until(lambda: _serves(nas, ca, after), 600, 1), "nginx serves the new ones")
        wait_until(lambda: visitors.serials[-1:] == [after[NAME].serial_number], 300, 0.5)
    old_and_new = [before[NAME].serial_number, after[NAME].serial_number]
    check(
        # While old workers end, one of them may still take a visitor after a new one did.
        not visitors.failures
        and visitors.serials[:1] == old_and_new[:1]
        and set(visitors.serials) == set(old_and_new),
        f"{visitors.count} visitors meanwhile, first with the old and then with the new certificate, and not one was turned away "
        f"{visitors.failures[:3] or ''}",
    )
    try:
        length = download.finish()
    except OSError as error:
        length = str(error)
    check(length == _LARGE, f"a download that was under way came to its end: {length} bytes")
    owners = nas.run("find /var/lib/ipcert ! -user ipcert")[1].split()
    check(not owners, f"every file is still the service's own {owners or ''}")


def _plans(nas):
    """The plans as `ipcert status` tells them."""
    return json.loads(nas.run("ipcert", "status", "--json")[1])["plans"]


def _again(check, nas, ca, folder, plans, orders):
    """After the power cut: the same plans, the same certificates, no order."""
    latest = outcome.latest(ca)
    nas.wait_for("systemctl is-active --quiet ipcert nginx")
    check(wait_until(lambda: _serves(nas, ca, latest), 600, 1), "nginx serves both again")
    check(_plans(nas) == plans, "the plans are the same to the second")
    _look(check, ca, latest, folder, "rebooted")
    check(ca.new_orders() == orders, f"the reboot cost no order; there were {orders} in all")


def _remove(check, nas):
    """The package purged: no key is left, and nginx goes on without it."""
    nas.run("dpkg", "--purge", "ipcert")
    left = nas.run(r"find / -xdev -type f \( -name privkey.pem -o -path '*/ipcert/*' \)")[1]
    check(not left.split(), f"the package is purged, and no key or state is left {left.split() or ''}")
    status, words = nas.run("nginx -t && systemctl restart nginx && systemctl is-active nginx", check=False)
    check(status == 0, f"and nginx starts without it {words.strip() if status else ''}")


def _memory(nas):
    """Bytes: of the service (its cgroup), of everything on the machine, of the image's files, and of QEMU on the host."""
    current = nas.run("systemctl", "show", "-P", "MemoryCurrent", "ipcert.service")[1].strip()
    pid = _main_pid(nas)
    resident = nas.run(f"awk '/^Pss:/ {{s += $2}} END {{print s}}' /proc/{pid}/smaps_rollup")[1].strip()
    table = dict(re.findall(r"^(\w+):\s+(\d+) kB", nas.run("cat /proc/meminfo")[1], re.MULTILINE))
    return {
        "service_cgroup": int(current) if current.isdigit() else 0,
        "service_pss": int(resident or 0) * 1024,
        "machine_used": (int(table["MemTotal"]) - int(table["MemAvailable"])) * 1024,
        "machine": int(table["MemTotal"]) * 1024,
        "qemu": nas.memory(),
    }


def _ways(check, ca_log):
    """How the CA validated, by its own log."""
    asked = set(re.findall(r"Attempting to validate w/ HTTP: http://([^/:]+)", ca_log))
    check(
        asked == {NAME},
        "the name was proved by http-01; the address by tls-alpn-01, through nginx on port 443",
    )


def run(args):
    """Returns an exit status: 0 only when everything was as it should be."""
    begin = time.monotonic()
    out = job(outcome.speaker(args))
    out["seconds"] = round(time.monotonic() - begin)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    out["cpu_seconds"] = round(children.ru_utime + children.ru_stime)
    return outcome.show(args, "demo", out, ())
