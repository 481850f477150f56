"""An answer that can be bent: status, header lines in their order, and a body whose JSON keeps order and repetitions."""

import json

from urequests_compat import fields


class Raw(str):
    """JSON text that stands for itself."""


class Pairs(list):
    """A JSON object as [name, value] pairs, in order; a name may stand there twice."""


class Answer:
    """status, headers ([[name, value], ...]), body (bytes). `interim`: statuses that are sent before it, on a wire;
    `framing`: None for Content-Length, or a function of head and body that makes the bytes."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = [list(pair) for pair in headers]
        self.body = bytes(body)
        self.interim = ()
        self.framing = None

    def read(self):
        """The headers as both ports read them. Raises what `urequests_compat` raises for what is malformed."""
        found = {}
        for name, value in self.headers:
            fields.add(found, name, value)
        return found

    def tree(self):
        """The body's JSON in `Pairs`, lists and plain values, or None where it is none."""
        try:
            return json.loads(
                self.body, object_pairs_hook=lambda pairs: Pairs([list(pair) for pair in pairs])
            )
        except ValueError:
            return None

    def write(self, tree):
        """Make the body from a tree."""
        self.body = text(tree).encode()


def text(tree):
    """JSON of a tree."""
    if isinstance(tree, Raw):
        return str(tree)
    if isinstance(tree, Pairs):
        return "{%s}" % ",".join("%s:%s" % (json.dumps(name), text(value)) for name, value in tree)
    if isinstance(tree, list):
        return "[%s]" % ",".join(text(value) for value in tree)
    return json.dumps(tree)


def plain(tree):
    """A tree's value in dicts and lists; of a name that stands there twice the last counts, as for Python's reader."""
    return json.loads(text(tree))
