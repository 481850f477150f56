"""The two kinds of error: ours (configuration, misuse, this machine) and theirs (anything from outside)."""


class Error(Exception):
    """Base of both. `code` is a short kebab-case word for programs; `str()` is one plain sentence for people."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code
        self.text = text

    def __str__(self):
        return self.text


class Ours(Error):
    """The configuration, the caller or this machine is at fault; the sentence says what to do."""


class Theirs(Error):
    """The outside sent garbage or refused; readers of outside bytes raise nothing else."""
