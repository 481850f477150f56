"""A maker's fleet: what many devices under one domain meet at the CA, said before it hurts.

Let's Encrypt issues 50 certificates for one registered domain in seven days. Renewals that say what they replace (ARI) are
exempt, so it is the devices that enrol in a week that count.
"""

from __future__ import annotations

from ipcert import notices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..config.reader import Config

LIMIT = 50  # certificates for one registered domain in seven days
NEAR = 40  # from here on it is worth a word

OVER = (
    "%d devices a week enrol under %s, but the CA issues %d certificates for a registered domain in seven days: the others would be "
    "refused (rateLimited). Ask the CA for a higher limit, have the domain put on the public suffix list, or use several domains."
)
CLOSE = "%d devices a week enrol under %s; the CA's limit is %d certificates for a registered domain in seven days."
UNKNOWN = (
    "Names under %s may share the CA's limit of %d certificates for a registered domain in seven days. Install the Python package "
    "publicsuffixlist, or set fleet.domain, to know what the CA counts."
)


def registered_domain(name: str, override: str = "") -> str | None:
    """The domain that the CA counts `name` under, or None where nothing here knows. A public suffix counts as itself.

    `override` is the owner's word, for what the list does not have yet.
    """
    name = name[2:] if name.startswith("*.") else name
    if override and (name == override or name.endswith("." + override)):
        return override
    try:
        from publicsuffixlist import PublicSuffixList
    except ImportError:
        return None
    return PublicSuffixList().privatesuffix(name) or name


def warnings(config: Config) -> list[dict[str, Any]]:
    """What to tell the maker, as dicts like those of `plans.published`; nothing where no fleet is configured."""
    override, devices = config.fleet
    names = [i.value for i in config.identifiers if not i.family]
    if not devices or not names:
        return []
    domains = {registered_domain(n, override) or "" for n in names}
    if "" in domains:
        return [_dict(notices.WARNING, UNKNOWN % (names[0].partition(".")[2], LIMIT))]
    out = []
    for domain in sorted(domains):
        if devices > LIMIT:
            out.append(_dict(notices.ALERT, OVER % (devices, domain, LIMIT)))
        elif devices >= NEAR:
            out.append(_dict(notices.WARNING, CLOSE % (devices, domain, LIMIT)))
    return out


def _dict(severity: int, text: str) -> dict[str, Any]:
    return {"code": "fleet-limit", "severity": notices.SEVERITY[severity], "text": text}
