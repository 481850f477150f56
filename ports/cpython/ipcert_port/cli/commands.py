"""The command `ipcert`. Each command is a module of its own, imported when it is asked for."""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import SimpleNamespace

from ipcert.errors import Error

from .. import exit_codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, NoReturn, Optional, Union

    from ..config.reader import Config
    from .progress import Quiet

    Words = Union[Namespace, SimpleNamespace]
    Answer = tuple[int, Optional[dict[str, Any]]]  # the exit code, and the object for --json

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


def _common(parser: ArgumentParser) -> None:
    from ..config.reader import DEFAULT

    parser.add_argument("--config", metavar="FILE", default=DEFAULT, help="the configuration (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def _init_words(parser: ArgumentParser) -> None:
    parser.add_argument("--name", metavar="NAME", action="append", default=[], help="a name to certify")
    parser.add_argument(
        "--address",
        metavar="ADDRESS",
        action="append",
        default=[],
        help='an address to certify, or "ipv4" or "ipv6": it is found',
    )


def _issue_words(parser: ArgumentParser) -> None:
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


def _other(name: str) -> Callable[[ArgumentParser], None]:
    """The words of a command that is seldom used."""

    def add(parser: ArgumentParser) -> None:
        from . import arguments

        getattr(arguments, name)(parser)

    return add


def _plan_words(parser: ArgumentParser) -> None:
    parser.add_argument("--explain", action="store_true", help="say why, and what you can set")


def _consent_words(parser: ArgumentParser) -> None:
    parser.add_argument("answer", nargs="?", help="what the warning tells you to answer")


def _serve_words(parser: ArgumentParser) -> None:
    from ..config.options import instead

    parser.add_argument(
        "--listen", metavar="HOST:PORT", action="append", default=[], help=instead("serve.listen")
    )


def _demo_words(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--root", metavar="FILE", required=True, help="the root that the test CA issues under, as PEM"
    )


# What services and timers call, and the defaults of the words that they leave out. tests/cpython/port/test_cli.py compares
# them with what argparse makes of the same words.
_USUAL: dict[str, dict[str, Any]] = {
    "run": {},
    "issue": {
        "wait": False, "now": [], "child": False, "profile": None, "challenge": None, "preferred_chain": None,
    },
}  # fmt: skip
_FLAGS = {"--json": "json", "--child": "child", "--wait": "wait"}


def _usual(argv: list[str]) -> SimpleNamespace | None:
    """The arguments of a usual call, read without argparse, whose 2 MB would stay in the waiting service; None for others."""
    if argv[:1] != ["run"] and argv[:1] != ["issue"] or "--config" not in argv:
        return None
    found = dict(_USUAL[argv[0]], command=argv[0], json=False)
    words = argv[1:]
    while words:
        word = words.pop(0)
        if word == "--config" and words and words[0][:1] != "-":
            found["config"] = words.pop(0)
        elif _FLAGS.get(word) in found:
            found[_FLAGS[word]] = True
        else:
            return None
    return SimpleNamespace(**found)


def _parse(argv: list[str]) -> Words:
    usual = _usual(argv)
    if usual is not None:
        return usual
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


def _version() -> str:
    from ipcert import __version__

    return "ipcert " + __version__


def main(argv: list[str] | None = None) -> NoReturn:
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


def _main(argv: list[str]) -> int:
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


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _dump(obj: object) -> None:
    import json

    sys.stdout.write(json.dumps(obj, indent=2) + "\n")
    sys.stdout.flush()


def _config(args: Words, look: bool | None = False) -> Config:
    """The configuration, with the addresses that it wants found; `look` as in `address.settle`."""
    from ..address.discovery import settle
    from ..config.reader import load

    config = load(args.config)
    settle(config, look, lambda sentence: print("ipcert: " + sentence, file=sys.stderr, flush=True))
    return config


def _progress(args: Words) -> Quiet:
    from .progress import choose

    return choose(args.json)


def _tell_daemon(config: Config) -> None:
    """A running `ipcert run` reads the state again."""
    from ..port import lock

    pid = lock.holder(config.state)
    if pid:
        os.kill(pid, signal.SIGHUP)


def _issue(args: Words) -> Answer:
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


def _account(args: Words) -> Answer:
    from .account import run

    return _and_tell(
        args, lambda config: run(config, _progress(args), args.action, args.yes, args.key, args.name)
    )


def _revoke(args: Words) -> Answer:
    from .revoke import run

    return _and_tell(args, lambda config: run(config, _progress(args), args.name, args.reason, args.by_key))


def _adopt(args: Words) -> Answer:
    from .adopt import run

    return _and_tell(args, lambda config: run(config, _progress(args), args.path))


def _reset(args: Words) -> Answer:
    from ..config.reader import load
    from .reset import run

    return run(load(args.config), _progress(args), args.yes)


def _and_tell(args: Words, work: Callable[[Config], Answer]) -> Answer:
    config = _config(args)
    try:
        return work(config)
    finally:
        _tell_daemon(config)


def _run(args: Words) -> Answer:
    gc.enable()
    from .daemon import Daemon

    return Daemon(args.config, args.json).serve(), None


def _plan(args: Words) -> Answer:
    from .plans import run

    return run(_config(args), _progress(args), args.explain)


def _status(args: Words) -> Answer:
    from .status import run

    return run(_config(args, None), _progress(args))


def _consent(args: Words) -> Answer:
    from .consent import run

    config = _config(args)
    code, out = run(config, _progress(args), args.answer)
    if args.answer is not None:
        _tell_daemon(config)
    return code, out


def _serve(args: Words) -> Answer:
    gc.enable()
    from .serve import run

    return run(_config(args, None), args.listen, args.json), None


def _init(args: Words) -> Answer:
    from .init import run

    return run(args.config, _progress(args), args.name, args.address)


def _doctor(args: Words) -> Answer:
    from ..doctor.run import run

    return run(args.config, _progress(args))


def _demo(args: Words) -> Answer:
    from .demo import run

    return run(_config(args), args.root, args.json)


def _no_words(parser: ArgumentParser) -> None:
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
