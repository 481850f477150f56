"""The two kinds of error, told apart by who has to change something.

`LocalError`: the configuration, the caller or this machine. Trying again changes nothing until somebody acts.
`RemoteError`: everything that came from outside, the network included. Whatever reads bytes that another machine has
written may raise this and nothing else, however they are bent (`tests/cpython/core/test_fuzz.py`): an IndexError or a
LocalError there would let a stranger choose how the device fails.

A refusal that the CA words itself is a value and no error: `acme.problem.Problem` (RFC 8555 6.7).
"""


class Error(Exception):
    """Base of both. `code` is a short kebab-case word for programs; `str()` is one plain sentence for people."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code
        self.text = text

    def __str__(self):
        return self.text


class LocalError(Error):
    """The configuration, the caller or this machine is at fault; the sentence says what to do."""


class RemoteError(Error):
    """The outside sent garbage or refused; readers of outside bytes raise nothing else."""
