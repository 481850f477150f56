"""Why a plan is as it is, and what the owner can choose, in plain English: for people at a terminal.

A firmware that shows no plans leaves this file out (`tools/lib/build/files.py`); the codes are `plan`'s, and a maker who shows plans in
an app translates them there.
"""

# By the number of the reason, in the order in which `plan` has them.
_REASONS = (
    "Nothing is planned.",
    "You asked for this one first, so it goes at once.",
    "The first certificate waits a random time, so that it cannot be matched with the one that went at once.",
    "The ordinary renewal, at a random second of the renewal window.",
    "The renewal, at a random second of the window that the CA suggests.",
    "The planned time passed while we were off, or nothing got through: a new random second of what is left of the window.",
    "The planned time passed while we were off, or nothing got through: a random second while the certificate is still valid.",
    "The certificate expires soon, so it is renewed before that.",
    "The certificate expired, so a new one is fetched soon, but not at the moment we came back.",
    "The last attempt failed; this is the next one.",
    "The CA asked us to wait this long.",
    "Another order was under way at the planned second, so this one starts a random while later.",
    "The CA wants the certificate replaced early.",
    "We ask the CA whether the renewal window has moved.",
    "The address is new, so we wait to see whether it lasts.",
    "Revocations are kept apart, so that no list shows two at one moment.",
    "Another address is found in this one's place: the CA is to say whether this one is still ours.",
    "We were away too long for the ordinary renewal. This one waits a random time, as the first did, since both certificates"
    " coming back at once would show that they belong together.",
)


def reason_text(code):
    """One plain sentence for a plan's `why`."""
    return _REASONS[code]


def settings():
    """The owner's options: (name, default, one line), for `ipcert plan --explain`."""
    return (
        ("urgent", "ip", "Which certificate is fetched at once when you start: ip, domain or both."),
        (
            "first_delay",
            "14 days",
            "The other one waits a random time up to this, so that the two cannot be matched.",
        ),
        (
            "recovery",
            "balanced",
            "After a long absence the certificate that is not urgent is back within: fast 1 h, balanced 14 days, private 28 days.",
        ),
        (
            "strict_ari",
            "no",
            "Renew inside the window that the CA suggests. It hides less: the window is narrow.",
        ),
        (
            "min_ip_age",
            "24 h",
            "A new address must last this long first, where the last one lasted less than 72 h.",
        ),
    )
