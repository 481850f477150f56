"""The actions of `tools/board QEMU_VIRT_ARM64`: the NAS board."""

import argparse
import os

from tools.lib import cache, venv
from tools.lib.nas import image as nas_image


def _build(args):
    place = nas_image.image()
    print(place)
    return 0


def _run(args):
    from tools.lib.nas import machine

    disk = args.disk or cache.path(nas_image.BOARD + ".disk")
    pairs = [pair.split(":") for pair in args.forward]
    forwards = {int(guest): int(host) for guest, host in pairs}
    image = nas_image.image()
    for guest, host in forwards.items():
        print(f"the NAS's port {guest} is 127.0.0.1:{host}")
    print(f"disk: {disk}; Ctrl-A X switches it off")
    return machine.interactive(image, disk, forwards)


def _demo(args):
    venv.enter()
    from tools.lib.nas import demo

    return demo.run(args)


def _armhf(args):
    from tools.lib.nas import armhf

    return armhf.main(args.words)


def main(argv):
    """Returns an exit status. Raises `Stop`."""
    parser = argparse.ArgumentParser(prog="tools/board " + nas_image.BOARD)
    actions = parser.add_subparsers(dest="action", required=True)
    one = actions.add_parser("build", help="make the image if it is not there yet; print where it is")
    one.set_defaults(action=_build)
    one = actions.add_parser("run", help="boot it here, with its console; Ctrl-A X switches it off")
    one.add_argument("--disk", help="the file that is its disk (default: in the cache; made when missing)")
    one.add_argument("--forward", nargs="*", default=["80:8080", "443:8443"], metavar="GUEST:HOST")
    one.set_defaults(action=_run)
    one = actions.add_parser("demo", help="two certificates from a real Pebble, nginx, renewals, a power cut")
    one.add_argument("--json", action="store_true", help="print one JSON object")
    one.set_defaults(action=_demo)
    one = actions.add_parser(
        "armhf", help="the portable tests and the port's on Debian's 32-bit ARM userland"
    )
    one.add_argument("words", nargs="*", help="pytest's paths and options (default: everything)")
    one.set_defaults(action=_armhf)
    args, more = parser.parse_known_args(argv)
    if args.action is _armhf:
        args.words += more
    elif more:
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    return args.action(args)
