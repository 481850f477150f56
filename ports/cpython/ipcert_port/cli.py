"""The command `ipcert`. Each command is a module of its own, imported when it is asked for."""

import os
import signal
import sys

from ipcert.errors import Error

from . import exits

_CODES = """exit codes:
  0  what was due is there, or nothing was due
  1  a mistake in ipcert; please report it
  2  the command line or the configuration
  3  the CA refused, or could not validate; the plan has the next try
  4  a combined certificate waits for your consent
  5  the CA cannot be reached, or what answers is not the CA
  6  the state or deploy folder: permissions, a full disk, damage
  7  the clock cannot be trusted
  8  the certificate is in place, but the deploy hook failed
  9  another ipcert works on the same state
130  interrupted
"""


def _parser():
    import argparse

    from .config import DEFAULT

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", metavar="FILE", default=DEFAULT, help="the configuration (%(default)s)")
    common.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser = argparse.ArgumentParser(
        prog="ipcert",
        description="Certificates for this device's name and address that share nothing in the public record.",
        epilog=_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name, help):
        return commands.add_parser(name, parents=[common], help=help, description=help[0].upper() + help[1:] + ".")

    issue = command("issue", "fetch what is due now, and say when the rest comes")
    issue.add_argument("--wait", action="store_true", help="stay until every certificate is there")
    issue.add_argument("--now", metavar="NAME", action="append", default=[], help="fetch this one now, whatever its plan says")
    issue.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    command("run", "renew for ever: sleep to the second of each plan (the service)")
    plan = command("plan", "show what will happen when, and what becomes public; changes nothing but a missing plan")
    plan.add_argument("--explain", action="store_true", help="say why, and what you can set")
    command("status", "show what there is")
    consent = command("consent", "read what a combined certificate gives away, or agree to it")
    consent.add_argument("answer", nargs="?", help="what the warning tells you to answer")
    serve = command("serve", "serve a page over TLS with these certificates, to try them")
    serve.add_argument("--listen", metavar="HOST:PORT", action="append", default=[], help="instead of serve.listen")
    demo = command("demo", "issue, serve and check certificates of a test CA (in a checkout: ./tools/demo)")
    demo.add_argument("--root", metavar="FILE", required=True, help="the root that the test CA issues under, as PEM")
    return parser


def _version():
    from ipcert import __version__

    return "ipcert " + __version__


def main(argv=None):
    """Run one command and exit with its code."""
    sys.exit(_main(sys.argv[1:] if argv is None else argv))


def _main(argv):
    args = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code, out = _COMMANDS[args.command](args)
        if args.json and out is not None:
            _dump(out)
        sys.stdout.flush()
        return code
    except Error as e:
        from .show import sentence

        code = exits.code(e)
        if args.json:
            _dump({"error": {"code": e.code, "text": sentence(e)}, "exit": code})
        print("ipcert: " + sentence(e), file=sys.stderr, flush=True)
        return code
    except KeyboardInterrupt:
        print("ipcert: interrupted; the plans stay as they are.", file=sys.stderr, flush=True)
        return exits.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever read our output left: nothing to complain about
        return exits.OK


def _interrupt(number, frame):
    raise KeyboardInterrupt


def _dump(obj):
    import json

    sys.stdout.write(json.dumps(obj, indent=2) + "\n")
    sys.stdout.flush()


def _config(args):
    from .config import load

    return load(args.config)


def _progress(args):
    from .progress import choose

    return choose(args.json)


def _tell_daemon(config):
    """A running `ipcert run` reads the state again."""
    from . import lock

    pid = lock.holder(config.state)
    if pid:
        os.kill(pid, signal.SIGHUP)


def _issue(args):
    from .issue import run

    config = _config(args)
    try:
        return run(config, _progress(args), args.wait, args.now, args.child)
    finally:
        if not args.child:
            _tell_daemon(config)


def _run(args):
    from .daemon import Daemon

    return Daemon(args.config, args.json).serve(), None


def _plan(args):
    from .plans import run_plan

    return run_plan(_config(args), _progress(args), args.explain)


def _status(args):
    from .plans import run_status

    return run_status(_config(args), _progress(args))


def _consent(args):
    from .plans import run_consent

    config = _config(args)
    code, out = run_consent(config, _progress(args), args.answer)
    if args.answer is not None:
        _tell_daemon(config)
    return code, out


def _serve(args):
    from .serve import run

    return run(_config(args), args.listen, args.json), None


def _demo(args):
    from .demo import run

    return run(_config(args), args.root, args.json)


_COMMANDS = {
    "issue": _issue,
    "run": _run,
    "plan": _plan,
    "status": _status,
    "consent": _consent,
    "serve": _serve,
    "demo": _demo,
}
