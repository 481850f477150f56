"""What must happen: the table that the bench holds each case to.

    G   it goes on as if nothing were bent
    P   it goes on after asking once more: another poll, or a request for a nonce
    R   it is refused in words, and tried again by the plan; nothing is lost

Each field has a class (FIELDS), and each class says for each kind of bend, or for a variant of one ("kind: variant"), which of the
three may be ("GP": the first or the second; what is before a slash holds where one answer is bent, what is behind it where all are).
The rules: what is not needed now is not missed; what is needed and is not there, or is something else, is refused; another
spelling of the same is the same. A field that stands in no row is held to the least: one of the three, no hang, nothing lost.
"""

import fnmatch

from tools.lib.bent.core import GOES_ON, POLLS_AGAIN, REFUSED

_OUTCOMES = {"G": GOES_ON, "P": POLLS_AGAIN, "R": REFUSED}
_ANY = "GPR"

# Of other spellings of a text, these are no longer the same text.
_SPELLING = {
    "another encoding: half a pair": "R", "another encoding: blanks": "R", "other case: with a dot": "R", "long": "R",
    "relative: http": "R",
}  # fmt: skip

CLASSES = {
    # Nothing depends on it, or what cannot be read of it counts as missing.
    "optional": {"*": "GP"},
    "needed": {
        "*": "GP", "missing": "R", "late": "R", "null": "R", "empty": "R", "wrong type": "R", **_SPELLING,
    },
    # An earlier answer said it; what is missing stays known, what is wrong is not passed over.
    "known": {"*": "GP", "wrong type": "R", **_SPELLING},
    "known element": {"*": "GP", "wrong type": "R", "null": "R", "empty": "R", **_SPELLING},
    "status of an order": {
        "*": "GP", "missing": "GP/GPR", "null": "GP/GPR", "wrong type": "R", "empty": "GP/GPR", "early": _ANY, **_SPELLING,
    },
    "certificate": {
        # A wrong one that comes too early is passed over, since an order that is not valid has none.
        **_SPELLING, "*": "GP", "missing": "GP/R", "null": "GP/R", "empty": "GP/R", "wrong type": _ANY, "early": _ANY,
        "another encoding: half a pair": _ANY,
    },
    "token": {"*": "R", "repeated": "GP", "another encoding: escapes": "GP"},
    "type": {**{"*": "GP", "missing": "R", "late": "R", "null": "R", "empty": "R", "wrong type": "R"}, **_SPELLING},
    "identifier": {
        "*": "GP", "missing": "R", "late": "R", "null": "R", "empty": "R", "wrong type": "R",
        "another encoding: half a pair": "R", "another encoding: blanks": "R", "other case: with a dot": "R", "long": "R",
    },
    "object with an identifier": {
        "*": "GP", "missing": "R", "late": "R", "null": "R", "empty": "R", "wrong type": "R",
    },
    "flag": {"*": "GP", "wrong type: true": "R"},
    "challenges": {
        "*": "GP", "missing": "R", "late": "R", "null": "R", "empty": "R", "wrong type": "R",
    },
    "list of URLs": {
        "*": "GP", "missing": "R", "late": "R", "null": "R", "empty": "R", "wrong type": "R", "long": "R", "missing: ": "R",
        'wrong type: ["text"]': _ANY,
    },
    "known list of URLs": {"*": "GP", "wrong type": "R", "long": "R", 'wrong type: ["text"]': _ANY},
    "profiles": {"*": "GP", 'wrong type: {"text": 1}': _ANY, 'wrong type: {"text":1}': _ANY},
    "location": {
        "*": "GP", "missing": "R", "late": "R", "repeated": "R", "null": _ANY, "empty": "R", "wrong type": "R", "long": "R",
        "another encoding: beyond ASCII": _ANY, "another encoding: quoted": "R", "relative: http": "R",
        "early: also": _ANY,  # before a CA of another name it leads elsewhere
    },
    "nonce": {"*": "GP"},
    "only nonce": {
        "*": "GP", "missing": "R", "late": "R", "repeated": "R", "empty": "R", "wrong type": "R", "another encoding": "R",
        "long": "R",
    },
    "window": {
        "*": "GP", "missing": "R", "late": "R", "null": "R", "empty": "R", "wrong type": "R", "other case: with a dot": "R",
        "long": "R", "another encoding: half a pair": "R", "another encoding: blanks": "R",
    },
    "window's object": {
        "*": "GP", "missing": "R", "late": "R", "null": "R", "empty": "R", "wrong type": "R",
    },
    # The order failed in any case; the bend is in the reason.
    "reason": {"*": "R"},
    "body": {
        "*": "R", "reordered": "GP", "another encoding": "GP", "another encoding: UTF-16": "GPR", "other case": _ANY,
        "another encoding: Latin-1": "GPR", "long: 12 KB": "GP",
    },
    # An empty one is asked for again.
    "body of a poll": {
        "*": "R", "missing": "GP/GPR", "late": "GP", "empty: {}": "GP/GPR", "reordered": "GP", "another encoding": "GP",
        "another encoding: UTF-16": "GPR", "another encoding: Latin-1": "GPR", "other case": _ANY, "long: 12 KB": "GP",
    },
    "body of an authorization": {
        "*": "R", "reordered": "GP", "another encoding": "GP", "another encoding: UTF-16": "GPR",
        "another encoding: Latin-1": "GPR", "long: 12 KB": "GP",
    },
    "body of an account": {
        "*": "R", "missing": "GP", "late": "GP", "empty: {}": "GP", "reordered": "GP", "another encoding": "GP",
        "another encoding: UTF-16": "GPR", "another encoding: Latin-1": "GPR", "other case": "GP", "long: 12 KB": "GP",
    },
    "body of a new order": {
        "*": "R", "empty: {}": "GP", "reordered": "GP", "another encoding": "GP", "another encoding: UTF-16": "GPR",
        "another encoding: Latin-1": "GPR", "other case": "GP", "long: 12 KB": "GP",
    },
    "body that is not read": {"*": "GP", "long: blanks beyond": "R"},
    "body of a refused nonce": {
        "*": "R", "reordered": "GP", "another encoding": "GP", "another encoding: UTF-16": "GPR",
        "another encoding: Latin-1": "GPR", "long: 12 KB": "GP",
    },
    "type of a refused nonce": {"*": "R", "repeated": "GP", "another encoding: escapes": "GP"},
    "busy until": {
        "*": "R", "reordered": "GP", "another encoding: a date": "GP", "wrong type: 1 s": "GP", "other case": "GP",
        "early: also": "GP",
    },
    "chain": {
        "*": "GP", "missing: all": "R", "missing: the leaf": "R", "missing: padding": "R", "late": "R", "null": "R", "wrong type": "R",
        "other case": "R", "empty": "R", "early: before": "R", "long: beyond": "R", "another encoding: UTF-16": "R",
        "another encoding: DER": "R", "another encoding: base64url": "GPR",
    },
}  # fmt: skip

# scenario, field -> class; the first row that matches counts. "*" stands for anything, as in file names.
FIELDS = (
    ("*", "directory new*", "needed"),
    ("*", "directory meta.externalAccountRequired", "flag"),
    ("*", "directory meta.profiles", "profiles"),
    ("*", "directory body", "body"),
    ("*", "directory [rkm]*", "optional"),
    ("*", "new-nonce replay-nonce:", "only nonce"),
    ("refused nonce", "problem replay-nonce:", None),
    ("limited", "problem replay-nonce:", None),
    ("refused nonce", "problem type", "type of a refused nonce"),
    ("refused nonce", "problem body", "body of a refused nonce"),
    ("refused nonce", "problem *", "optional"),
    ("limited", "problem retry-after:", "busy until"),
    ("limited", "problem body", "body that is not read"),
    ("limited", "problem *", "optional"),
    ("*", "problem *", "reason"),
    ("*", "*retry-after:", "optional"),
    ("*", "*replay-nonce:", "nonce"),
    ("*", "new-account location:", "location"),
    ("*", "new-order location:", "location"),
    ("*", "new-account status", "known"),
    ("*", "new-account body", "body of an account"),
    ("*", "new-order status", "status of an order"),
    ("*", "new-order authorizations", "list of URLs"),
    ("*", "new-order authorizations.[*]", "needed"),
    ("*", "new-order finalize", "needed"),
    ("*", "new-order body", "body of a new order"),
    ("*", "*[re] error", "optional"),
    ("*", "authorization status", "status of an order"),
    ("*", "authorization identifier", "object with an identifier"),
    ("*", "authorization identifier.value", "identifier"),
    ("*", "authorization wildcard", "flag"),
    ("*", "authorization challenges", "challenges"),
    ("*", "authorization challenges.[*].error.*", "reason"),
    ("*", "authorization challenges.[*].error", "optional"),
    ("*", "authorization challenges.[*].status", "optional"),
    ("*", "authorization challenges.[*].token", "token"),
    ("*", "authorization challenges.[*].type", "type"),
    ("*", "authorization challenges.[*].url", "needed"),
    ("*", "authorization body", "body of an authorization"),
    ("*", "challenge body", "body that is not read"),
    ("*", "account body", "body that is not read"),
    ("*", "key-change body", "body that is not read"),
    ("*", "revoke body", "body that is not read"),
    ("*", "finalize body", "body of a poll"),
    ("*", "order body", "body of a poll"),
    ("*", "finalize status", "status of an order"),
    ("*", "order status", "status of an order"),
    ("*", "order certificate", "certificate"),
    ("*", "order finalize", "known"),
    ("*", "finalize finalize", "known"),
    ("*", "order authorizations", "known list of URLs"),
    ("*", "finalize authorizations", "known list of URLs"),
    ("*", "order authorizations.[*]", "known element"),
    ("*", "finalize authorizations.[*]", "known element"),
    ("*", "certificate link:", "optional"),
    ("*", "certificate chain", "chain"),
    ("*", "renewal-info suggestedWindow.*", "window"),
    ("*", "renewal-info suggestedWindow", "window's object"),
    ("*", "renewal-info explanationURL", "optional"),
    ("*", "renewal-info body", "body"),
)


def find(scenario, field):
    """The class of a field, None where it has no row."""
    for wanted, pattern, name in FIELDS:
        if fnmatch.fnmatchcase(scenario, wanted) and fnmatch.fnmatchcase(field, pattern):
            return name
    return None


def outcomes(scenario, field, kind, variant, always):
    """The set of outcomes that are right."""
    name = find(scenario, field)
    if name is None:
        return set(_OUTCOMES.values())
    rows = CLASSES[name]
    text = "%s: %s" % (kind, variant)
    keys = [key for key in rows if ":" in key and text.startswith(key)]
    letters = rows[max(keys, key=len)] if keys else rows.get(kind, rows["*"])
    once, _, all_of_them = letters.partition("/")
    return {_OUTCOMES[letter] for letter in (all_of_them or once if always else once)}
