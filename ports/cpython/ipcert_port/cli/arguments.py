"""The words on the command line of the commands that are not needed every day."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser


def issue(parser: ArgumentParser) -> None:
    """`ipcert issue`: the choices for one run."""
    from ..config.options import instead

    parser.add_argument("--profile", metavar="NAME", help=instead("policy.profile_name"))
    parser.add_argument("--challenge", metavar="TYPE", help=instead("challenge.name"))
    parser.add_argument("--preferred-chain", metavar="ISSUER", help=instead("policy.preferred_chain"))


def account(parser: ArgumentParser) -> None:
    """`ipcert account`."""
    parser.add_argument(
        "action",
        nargs="?",
        default="show",
        choices=("show", "update", "rollover", "deactivate", "recover", "deauthorize"),
        help="update: send the contacts; rollover: change its key; deactivate: end it; recover: find it by its key; "
        "deauthorize: have the CA forget what was proved for a name (%(default)s)",
    )
    parser.add_argument("--yes", action="store_true", help="really deactivate it")
    parser.add_argument(
        "--key", metavar="FILE", help="recover: the account's P-256 key (PEM, or certbot's private_key.json)"
    )
    parser.add_argument("--name", metavar="NAME", help="deauthorize: a name or address in the certificate")


def revoke(parser: ArgumentParser) -> None:
    """`ipcert revoke`."""
    parser.add_argument("name", metavar="NAME", help="a name or address in the certificate")
    parser.add_argument(
        "--reason",
        default="unspecified",
        choices=("unspecified", "keycompromise", "affiliationchanged", "superseded", "cessationofoperation"),
        help="what the CA publishes as the reason (%(default)s)",
    )
    parser.add_argument(
        "--by-key", action="store_true", help="sign with the certificate's own key: where the account is lost"
    )


def adopt(parser: ArgumentParser) -> None:
    """`ipcert adopt`."""
    parser.add_argument(
        "path", nargs="+", metavar="PATH", help="a chain, its folder, or a folder of those (certbot, acme.sh)"
    )


def reset(parser: ArgumentParser) -> None:
    """`ipcert reset`"""
    parser.add_argument("--yes", action="store_true", help="do not ask")
