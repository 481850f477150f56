"""What a request returns."""

import json


class Response:
    """A whole answer, read and bounded before it is handed over.

    `status_code` is an int, `headers` a dict of lower-case str to str (lines of one name joined with ", "),
    `content` the bytes-like body. Nothing stays open behind it.
    """

    def __init__(self, status_code, headers, content):
        self.status_code = status_code
        self.headers = headers
        self.content = content

    @property
    def text(self):
        """The body as UTF-8 text. Raises UnicodeError."""
        return str(self.content, "utf-8")

    def json(self):
        """The body read as JSON. Raises ValueError."""
        return json.loads(self.content)

    def close(self):
        """Nothing to do; here for code written for other request libraries."""
