"""How large the crowd is in which an owner hides, for `ipcert plan`: words for people, figures from tools/simulate."""

from __future__ import annotations

from ipcert import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config.reader import Config

# tools/simulate-result.json; tests/cpython/port/test_crowd.py compares them with it.
ORDINARY_AMONG = 1000  # homes
# The strongest attacker's bounds, from docs/privacy.md: homes off for more than four weeks that are found among 10,000.
WEEKS_IN_100 = 12  # with name certificates of 90 days
WEEKS_IN_100_SOON = 29  # of 45 days


def lines(config: Config) -> list[str]:
    """Sentences about this configuration's crowd; the first ones are about the beginning, the last about later years."""
    policy = config.policy
    names = [i for i in config.identifiers if not i.family]
    families = {i.family for i in config.identifiers if i.family} | set(config.address.families)
    if not names or not families:
        only = "names" if names else "addresses"
        return ["There is nothing to match: only %s are asked for." % only] + _families(families)
    if policy.setting == "public":
        return ['This is a public server (setting = "public"): nothing is hidden.']
    if policy.combined:
        return [
            "There is no crowd: one certificate names both, for ever. Set combined = false to be one of many."
        ]
    days = policy.first_delay / limits.DAY
    out = [
        "Your name and your address are both in the public log, apart. Somebody who wants to know which belong together "
        "has to tell you from all the other homes that do as you do: they are your crowd."
    ]
    if days < 0.5:
        out.append(
            "In the beginning there is next to none: the second certificate follows within %s, and whoever sees the two "
            "appear together may guess. Leave first_delay at 14 days if you can." % _hours(policy.first_delay)
        )
    else:
        out.append(
            "In the beginning it is every home that starts within the same %s: %s A small maker's crowd is small."
            % (_days(days), _starters(days, config.fleet[1]))
        )
    if policy.strict_ari:
        out.append(
            "In later years strict_ari makes it smaller: renewals in the CA's narrow window remember each other's hours."
        )
    else:
        out.append(
            "In later years, if the device is never off for more than a day, picking you out by the times of a year's "
            "renewals works hardly better than blind guessing: about once in %s times among %s homes."
            % (_thousands(ORDINARY_AMONG), _thousands(ORDINARY_AMONG))
        )
    out.append(
        "A device that was off for more than four weeks stands out: up to %d in 100 such homes can be found among "
        "10,000, because both certificates fall silent together and come back in the same weeks. With certificates of 45 "
        "days it is up to %d in 100." % (WEEKS_IN_100, WEEKS_IN_100_SOON)
    )
    return out + _families(families)


def _starters(days: float, per_week: int) -> str:
    if per_week:
        return "about %s with the %s devices a week that your maker told us." % (
            _count(days * per_week / 7), _thousands(per_week)
        )  # fmt: skip
    return "about %s if one home a day starts, about %s if a hundred do." % (_count(days), _count(100 * days))


def _families(families: set[int]) -> list[str]:
    if len(families) < 2:
        return []
    return [
        "An IPv4 and an IPv6 address of one home can be matched by their many renewals: ask for one of them if that will do."
    ]


def _hours(seconds: int) -> str:
    return "%d hours" % (seconds // 3600) if seconds >= 7200 else "%d minutes" % max(1, seconds // 60)


def _days(days: float) -> str:
    return "day" if days < 1.5 else "%d days" % round(days)


def _count(n: float) -> str:
    return "two" if n < 2.5 else _thousands(round(n))


def _thousands(n: int) -> str:
    return f"{n:,}"
