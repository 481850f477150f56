"""The command `ipcert`. Each command is a module of its own, imported when it is asked for."""

import gc
import os
import signal
import sys
from types import SimpleNamespace

from ipcert.errors import Error

from .. import exit_codes

_CODES = """exit codes:
  0  what was due is there, or nothing was due
  1  a mistake in ipcert; please report it
  2  the command line or the configuration
  3  the CA refused, or could not validate; the plan has the next try
  4  a combined certificate waits for your consent
  5  the CA cannot be reached, what answers is not the CA, or this home's address is not found
  6  the state or deploy folder: permissions, a full disk, damage
  7  the clock cannot be trusted
  8  the certificate is in place, but the deploy hook failed
  9  another ipcert works on the same state
 10  'ipcert doctor' found something that is not ok
 11  all is done, but what was to be printed could not be written
130  interrupted
"""


def _common(parser):
    from ..config.reader import DEFAULT

    parser.add_argument("--config", metavar="FILE", default=DEFAULT, help="the configuration (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def _init_words(parser):
    parser.add_argument("--name", metavar="NAME", action="append", default=[], help="a name to certify")
    parser.add_argument(
        "--address",
        metavar="ADDRESS",
        action="append",
        default=[],
        help='an address to certify, or "ipv4" or "ipv6": it is found',
    )


def _issue_words(parser):
    import argparse

    from . import arguments

    parser.add_argument("--wait", action="store_true", help="stay until every certificate is there")
    parser.add_argument(
        "--now",
        metavar="NAME",
        action="append",
        default=[],
        help="fetch this one now, whatever its plan says",
    )
    arguments.issue(parser)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)  # how `run` calls


def _other(name):
    """The words of a command that is seldom used."""

    def add(parser):
        from . import arguments

        getattr(arguments, name)(parser)

    return add


def _plan_words(parser):
    parser.add_argument("--explain", action="store_true", help="say why, and what you can set")


def _consent_words(parser):
    parser.add_argument("answer", nargs="?", help="what the warning tells you to answer")


def _serve_words(parser):
    from ..config.options import instead

    parser.add_argument(
        "--listen", metavar="HOST:PORT", action="append", default=[], help=instead("serve.listen")
    )


def _demo_words(parser):
    parser.add_argument(
        "--root", metavar="FILE", required=True, help="the root that the test CA issues under, as PEM"
    )


def _service(argv):
    """`run --config FILE [--json]`, read without argparse, whose 2 MB would stay in the waiting service; None for other words."""
    if argv[:2] == ["run", "--config"] and argv[2:] and argv[2][:1] != "-" and argv[3:] in ([], ["--json"]):
        return SimpleNamespace(command="run", config=argv[2], json=len(argv) > 3)
    return None


def _parse(argv):
    args = _service(argv)
    if args is not None:
        return args
    import argparse

    if argv and argv[0] in _COMMANDS:
        # Only the parser that is needed: all of them take a megabyte.
        _, words, text = _COMMANDS[argv[0]]
        parser = argparse.ArgumentParser(
            prog="ipcert " + argv[0], description=text[0].upper() + text[1:] + "."
        )
        _common(parser)
        words(parser)
        args = parser.parse_args(argv[1:])
        args.command = argv[0]
        return args
    parser = argparse.ArgumentParser(
        prog="ipcert",
        usage="ipcert COMMAND [options]    ('ipcert COMMAND --help' lists them)",
        description="Certificates for this device's name and address that share nothing in the public record.\n\ncommands:\n"
        + "".join(["  %-8s %s\n" % (name, _COMMANDS[name][2]) for name in _COMMANDS]),
        epilog=_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version())
    if argv[:1] == ["help"]:
        return _parse([*argv[1:2], "--help"])
    parser.parse_known_args(argv[:1])
    if not argv:
        parser.print_help(sys.stderr)
        sys.exit(exit_codes.CONFIG)
    import difflib

    near = difflib.get_close_matches(argv[0], list(_COMMANDS), 1)
    advice = "did you mean '%s'?" % near[0] if near else "'ipcert --help' lists them."
    parser.error("there is no command '%s'; %s" % (argv[0], advice))


def _version():
    from ipcert import __version__

    return "ipcert " + __version__


def main(argv=None):
    """Run one command and exit with its code. No reader of stdout or stderr can hold it up or end it."""
    from .output import Output

    argv = sys.argv[1:] if argv is None else argv
    output = Output()
    if argv[:1] and argv[0] not in _READING:
        output.hurry()
    code = exit_codes.OK
    try:
        code = _main(argv)
    except SystemExit as e:  # argparse's
        code = e.code if isinstance(e.code, int) else exit_codes.OK
    if code == exit_codes.OK and output.lost():
        code = exit_codes.OUTPUT
    sys.exit(code)


def _main(argv):
    # One order and gone: collecting cycles while modules are loaded is a tenth of the whole CPU time.
    gc.disable()
    args = _parse(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code, out = _COMMANDS[args.command][0](args)
        if args.json and out is not None:
            _dump(out)
        sys.stdout.flush()
        return code
    except Error as e:
        from ..formatting import sentence

        code = exit_codes.code(e)
        if args.json:
            _dump({"error": {"code": e.code, "text": sentence(e)}, "exit": code})
        print("ipcert: " + sentence(e), file=sys.stderr, flush=True)
        return code
    except KeyboardInterrupt:
        print("ipcert: interrupted; the plans stay as they are.", file=sys.stderr, flush=True)
        return exit_codes.INTERRUPTED


def _interrupt(number, frame):
    raise KeyboardInterrupt


def _dump(obj):
    import json

    sys.stdout.write(json.dumps(obj, indent=2) + "\n")
    sys.stdout.flush()


def _config(args, look=False):
    """The configuration, with the addresses that it wants found; `look` as in `address.settle`."""
    from ..address.discovery import settle
    from ..config.reader import load

    config = load(args.config)
    settle(config, look, lambda sentence: print("ipcert: " + sentence, file=sys.stderr, flush=True))
    return config


def _progress(args):
    from .progress import choose

    return choose(args.json)


def _tell_daemon(config):
    """A running `ipcert run` reads the state again."""
    from ..port import lock

    pid = lock.holder(config.state)
    if pid:
        os.kill(pid, signal.SIGHUP)


def _issue(args):
    from .issue import run

    config = _config(args, True)
    gc.collect()  # what the parsers left makes room for the libraries that come now
    if args.profile is not None or args.challenge is not None or args.preferred_chain is not None:
        from .overrides import choose

        choose(config, args.now, args.profile, args.challenge, args.preferred_chain)
    try:
        return run(config, _progress(args), args.wait, args.now, args.child)
    finally:
        if not args.child:
            _tell_daemon(config)


def _account(args):
    from .account import run

    return _and_tell(
        args, lambda config: run(config, _progress(args), args.action, args.yes, args.key, args.name)
    )


def _revoke(args):
    from .revoke import run

    return _and_tell(args, lambda config: run(config, _progress(args), args.name, args.reason, args.by_key))


def _adopt(args):
    from .adopt import run

    return _and_tell(args, lambda config: run(config, _progress(args), args.path))


def _reset(args):
    from ..config.reader import load
    from .reset import run

    return run(load(args.config), _progress(args), args.yes)


def _and_tell(args, work):
    config = _config(args)
    try:
        return work(config)
    finally:
        _tell_daemon(config)


def _run(args):
    gc.enable()
    from .daemon import Daemon

    return Daemon(args.config, args.json).serve(), None


def _plan(args):
    from .plans import run

    return run(_config(args), _progress(args), args.explain)


def _status(args):
    from .status import run

    return run(_config(args, None), _progress(args))


def _consent(args):
    from .consent import run

    config = _config(args)
    code, out = run(config, _progress(args), args.answer)
    if args.answer is not None:
        _tell_daemon(config)
    return code, out


def _serve(args):
    gc.enable()
    from .serve import run

    return run(_config(args, None), args.listen, args.json), None


def _init(args):
    from .init import run

    return run(args.config, _progress(args), args.name, args.address)


def _doctor(args):
    from ..doctor.run import run

    return run(args.config, _progress(args))


def _demo(args):
    from .demo import run

    return run(_config(args), args.root, args.json)


def _no_words(parser):
    """This command has no words of its own."""


# What only looks waits for its reader, as `less` expects; with everything else a reader who does not read is left behind.
_READING = ("status", "plan", "doctor", "init", "help", "--help", "-h", "--version")
# command -> (what it does, its own words on the command line, one line for people)
_COMMANDS = {
    "init": (_init, _init_words, "write a first configuration"),
    "doctor": (_doctor, _no_words, "look for what would make an order fail, without making one"),
    "issue": (_issue, _issue_words, "fetch what is due now, and say when the rest comes"),
    "run": (_run, _no_words, "renew for ever: sleep to the second of each plan (the service)"),
    "plan": (_plan, _plan_words, "show what will happen when, and what becomes public"),
    "status": (_status, _no_words, "show what there is"),
    "revoke": (
        _revoke,
        _other("revoke"),
        "revoke a certificate and erase its key; two of them never at one moment",
    ),
    "account": (_account, _other("account"), "show the account, or change it"),
    "adopt": (_adopt, _other("adopt"), "plan the renewal of certificates that another client left"),
    "consent": (_consent, _consent_words, "read what a combined certificate gives away, or agree to it"),
    "reset": (_reset, _other("reset"), "forget everything: erase keys, certificates and plans"),
    "serve": (_serve, _serve_words, "serve a page over TLS with these certificates, to try them"),
    "demo": (
        _demo,
        _demo_words,
        "issue, serve and check certificates of a test CA (in a checkout: ./tools/demo)",
    ),
}
