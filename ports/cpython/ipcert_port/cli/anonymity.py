"""How large the crowd is in which an owner hides, for `ipcert plan`: words for people, figures from tools/simulate."""

from __future__ import annotations

from ipcert import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config.reader import Config

# From tools/simulate-figures.json; tests/cpython/port/test_crowd.py compares them with it.
AMONG = 10000  # homes
GUESSING = 0.01  # of 100 homes
# By the lifetime of the name's certificates, days: how many of 100 such homes are found in a year, one-sided 95 % bound, where
# nothing but outages happens.
BOUNDS = {
    90: (0.0, 0.0, 0.0, 0.0, 0.0),
    64: (0.0, 0.0, 0.0, 0.0, 0.0),
    45: (0.0, 0.0, 0.0, 0.0, 0.0),
}
KEYS = ("none of these", "off 1-7 d", "off 7-14 d", "off 14-28 d", "off over 28 d")  # of BOUNDS
_HOMES = (
    "never off for more than a day", "off for 1 to 7 days in a row", "off for 7 to 14 days in a row",
    "off for 14 to 28 days in a row", "off for more than 28 days in a row",
)  # fmt: skip
SHOWN = 5  # of 100: what is found more often is said to be


def lines(config: Config, lifetime: int = 90 * limits.DAY) -> list[str]:
    """Sentences about this configuration's crowd; the first ones are about the beginning, the others about later years with name
    certificates of `lifetime` seconds."""
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
    return out + _later(lifetime, policy.recovery) + _families(families)


def _later(lifetime: int, recovery: int) -> list[str]:
    """Sentences about later years, a line for each class of homes."""
    days = min(BOUNDS, key=lambda one: abs(one - lifetime / limits.DAY))
    bounds = BOUNDS[days]
    out = [
        "In later years the times of a year's renewals can be compared. Of 100 homes at most so many are found among %s, with "
        "name certificates of %d days (guessing finds %s):" % (_thousands(AMONG), days, GUESSING)
    ]
    out += ["%s: %s" % (homes, _bound(bound)) for homes, bound in zip(_HOMES, bounds)]
    if bounds[-1] >= SHOWN:
        text = (
            "A device that was off for weeks stands out, because both certificates fall silent together. Leave it on when "
            "you can"
        )
        if recovery < 28 * limits.DAY:
            text += ', or set recovery = "private"'
        out.append(text + ". Being reset or replaced, or losing port forwarding for weeks, shows too.")
    return out


def _bound(bound: float) -> str:
    return "%.2g" % bound if bound < 10 else "%d" % round(bound)


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
