"""What the code reads of each message: noted while it reads, so that a new field is known by itself.

The core reads JSON by `message.parse` and headers by `headers.get`. Both are given objects here that note each name that is
asked for, with the value that was there. Nothing is listed by hand.
"""

import contextlib

from ipcert.acme import message

ABSENT = object()
"""The value of a member that is asked for and was in no answer."""


class Field:
    """One thing that is read: message ("order"), part ("json" or "header"), path (names, "*" for each of a list's elements) and
    sample, a value that was there, or ABSENT."""

    def __init__(self, kind, part, path, sample):
        self.message = kind
        self.part = part
        self.path = path
        self.sample = sample

    def __str__(self):
        words = {"json": ".".join(self.path), "header": self.path[0] + ":" if self.path else ""}
        return "%s %s" % (self.message, words.get(self.part, self.part))


class Reading:
    """Notes what is read while a `with noting(reading)` block lasts; `message` is set to what is being answered.

    fields   (message, part, path) -> Field, in the order in which they were asked for first
    """

    def __init__(self):
        self.fields = {}
        self.message = ""

    def note(self, part, path, value):
        """Something was asked for."""
        key = (self.message, part, path)
        known = self.fields.get(key)
        if known is None:
            self.fields[key] = Field(self.message, part, path, value)
        elif known.sample is ABSENT or known.sample in (None, "", []):
            known.sample = value

    def headers(self, found):
        """A dict of headers that notes what is asked of it."""
        return _Headers(found, self)

    def wrap(self, value, path=()):
        """The value, so that what is asked of it is noted."""
        if isinstance(value, dict):
            return _Object(value, self, path)
        if isinstance(value, list):
            return _List(value, self, path)
        return value


class _Object(dict):
    def __init__(self, value, reading, path):
        super().__init__(value)
        self._reading = reading
        self._path = path

    def get(self, name, default=None):
        path = (*self._path, name)
        self._reading.note("json", path, dict.get(self, name, ABSENT))
        return self._reading.wrap(dict.get(self, name, default), path)

    def __getitem__(self, name):
        return self.get(name)


class _List(list):
    def __init__(self, value, reading, path):
        super().__init__(value)
        self._reading = reading
        self._path = (*path, "*")

    def __iter__(self):
        for value in list.__iter__(self):
            if not isinstance(value, (dict, list)):
                self._reading.note("json", self._path, value)
            yield self._reading.wrap(value, self._path)

    def __getitem__(self, index):
        value = list.__getitem__(self, index)
        if isinstance(index, slice):
            return self._reading.wrap(value, self._path[:-1])
        self._reading.note("json", self._path, value)
        return self._reading.wrap(value, self._path)


class _Headers(dict):
    def __init__(self, found, reading):
        super().__init__(found)
        self._reading = reading

    def get(self, name, default=None):
        self._reading.note("header", (name,), dict.get(self, name, ABSENT))
        return dict.get(self, name, default)


@contextlib.contextmanager
def noting(reading):
    """Have the core's reader of JSON note what is asked of what it read."""
    real = message.parse

    def parse(body):
        return reading.wrap(real(body))

    message.parse = parse
    try:
        yield reading
    finally:
        message.parse = real
