"""Every kind of bend, made for a field from what it held: `bends(field)`.

A bend changes an answer in place, and says whether it changed anything. Which bends there are for a field follows from the
type of what was seen there, so a field that the code begins to read gets its bends by itself.
"""

import datetime
import json
import re

from ipcert import limits
from tools.lib.bent.answer import Pairs, Raw, text
from tools.lib.bent.reading import ABSENT

KINDS = (
    "missing", "null", "wrong type", "other case", "relative", "repeated", "reordered", "empty", "another encoding", "early",
    "late", "long",
)  # fmt: skip
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.DOTALL)


class Bend:
    """kind (of KINDS), variant (words), edit(answer, now) -> whether it changed anything; times: how many answers meet it,
    None: all."""

    def __init__(self, kind, variant, edit, times=None):
        self.kind = kind
        self.variant = variant
        self.edit = edit
        self.times = times


def bends(field, later=ABSENT):
    """The Bends of a Field. `later`: a value that it takes in a later answer, or ABSENT."""
    make = {"json": _json, "header": _header, "body": _body, "chain": _chain}[field.part]
    return list(make(field, later))


# Members of JSON.


class _Slot:
    """One place in a tree: an object's member or a list's element."""

    def __init__(self, container, key):
        self._container = container
        self._key = key

    def _find(self):
        if isinstance(self._container, Pairs):
            names = [name for name, _ in self._container]
            return names.index(self._key) if self._key in names else None
        return self._key

    @property
    def value(self):
        at = self._find()
        if at is None:
            return ABSENT
        return self._container[at][1] if isinstance(self._container, Pairs) else self._container[at]

    def put(self, value):
        at = self._find()
        if not isinstance(self._container, Pairs):
            self._container[at] = value
        elif at is None:
            self._container.append([self._key, value])
        else:
            self._container[at][1] = value

    def remove(self):
        at = self._find()
        if at is not None:
            del self._container[at]

    def repeat(self):
        at = self._find()
        if at is not None:
            self._container.insert(at, self._container[at])


def _slots(tree, path):
    """The Slots at a path; those of a list from the back, so that elements can be taken away."""
    if not isinstance(tree, list):
        return
    if path[0] == "*":
        if isinstance(tree, Pairs):
            return
        for at in reversed(range(len(tree))):
            if len(path) == 1:
                yield _Slot(tree, at)
            else:
                yield from _slots(tree[at], path[1:])
    elif isinstance(tree, Pairs):
        slot = _Slot(tree, path[0])
        if len(path) == 1:
            yield slot
        else:
            yield from _slots(slot.value, path[1:])


def _member(path, change):
    """An edit: change(value) -> value, or None for nothing; "remove" and "repeat" are names of what a slot does."""

    def edit(answer, now):
        tree = answer.tree()
        before = text(tree)
        for slot in _slots(tree, path):
            if change == "remove":
                slot.remove()
            elif change == "repeat":
                slot.repeat()
            else:
                value = change(slot.value)
                if value is not ABSENT:
                    slot.put(value)
        after = text(tree)
        if after == before:
            return False
        answer.body = after.encode()
        return True

    return edit


def _is_url(value):
    return isinstance(value, str) and value.lower().startswith("https://")


def _on(kind, function):
    """A change of values of one type; others stay as they are."""
    return lambda value: (
        function(value) if isinstance(value, kind) and not isinstance(value, bool) else ABSENT
    )


def _path_of(url):
    return "/" + url.split("/", 3)[3] if url.count("/") > 2 else ABSENT


def _escaped(value):
    return Raw('"%s"' % "".join("\\u%04x" % ord(character) for character in value))


def _json(field, later):
    path, sample = field.path, field.sample
    if sample is not ABSENT:
        yield Bend("missing", "", _member(path, "remove"))
        yield Bend("late", "after two answers", _member(path, "remove"), 2)
        yield Bend("repeated", "the member", _member(path, "repeat"))
    yield Bend("null", "", _member(path, lambda value: None))
    for wrong in (5, True, "text", ["text"], Pairs([["text", 1]]), 1.5e300):
        if not (isinstance(wrong, str) and isinstance(sample, str)):
            yield Bend("wrong type", text(wrong)[:20], _member(path, lambda value, wrong=wrong: wrong))
    for empty in ("", [], Pairs()):
        yield Bend("empty", text(empty), _member(path, lambda value, empty=empty: empty))
    if later is not ABSENT:
        yield Bend("early", text(_tree(later))[:40], _member(path, lambda value: _tree(later)))
    if sample is None or sample is ABSENT or isinstance(sample, bool):
        return
    if _is_url(sample):
        yield Bend("other case", "the scheme", _member(path, _on(str, lambda value: "HTTPS" + value[5:])))
        yield Bend("relative", "without host", _member(path, _on(str, _path_of)))
        yield Bend("relative", "without scheme", _member(path, _on(str, lambda value: value[6:])))
        yield Bend("relative", "http", _member(path, _on(str, lambda value: "http" + value[5:])))
        yield Bend("long", "400 characters", _member(path, _on(str, lambda value: value + "/" + "x" * 400)))
    elif isinstance(sample, str):
        yield Bend("other case", "capitals", _member(path, _on(str, str.upper)))
        yield Bend("other case", "with a dot", _member(path, _on(str, lambda value: value + ".")))
        yield Bend("long", "5000 characters", _member(path, _on(str, lambda value: value + "x" * 5000)))
    if isinstance(sample, str):
        yield Bend("another encoding", "escapes", _member(path, _on(str, _escaped)))
        yield Bend("another encoding", "half a pair", _member(path, lambda value: Raw('"\\ud800"')))
        yield Bend("another encoding", "blanks", _member(path, _on(str, lambda value: " " + value + "\n")))
    elif isinstance(sample, list):
        yield Bend("repeated", "its elements", _member(path, _on(list, lambda value: value + value)))
        yield Bend("reordered", "", _member(path, _on(list, lambda value: value[::-1])))
        yield Bend("long", "60 times", _member(path, _on(list, lambda value: value * 60)))
    elif isinstance(sample, dict):
        yield Bend("reordered", "", _member(path, _on(list, lambda value: Pairs(value[::-1]))))
        more = [["x%d" % number, "x"] for number in range(300)]
        yield Bend("long", "300 members more", _member(path, _on(list, lambda value: Pairs(more + value))))


def _tree(value):
    return json.loads(
        json.dumps(value), object_pairs_hook=lambda pairs: Pairs([list(pair) for pair in pairs])
    )


# Headers.


def _lines(name, change):
    """An edit of the header's lines: change(value) -> list of values."""

    def edit(answer, now):
        before = [list(pair) for pair in answer.headers]
        found = []
        for key, value in answer.headers:
            if key.lower() == name:
                found += [[key, new] for new in change(value)]
            else:
                found.append([key, value])
        answer.headers[:] = found
        return found != before

    return edit


def _added(name, value):
    def edit(answer, now):
        answer.headers[:] = [pair for pair in answer.headers if pair[0].lower() != name]
        answer.headers.append([name, value if isinstance(value, str) else value(now)])
        return True

    return edit


def _renamed(name):
    def edit(answer, now):
        for pair in answer.headers:
            if pair[0].lower() == name:
                pair[0] = "-".join(word.upper() for word in name.split("-"))
        return True

    return edit


def _turned(answer, now):
    answer.headers.reverse()
    return True


def _date(form, seconds):
    def value(now):
        moment = datetime.datetime(2020, 1, 1) + datetime.timedelta(seconds=now + seconds)
        return moment.strftime(form)

    return value


_DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y")


def _header(field, later):
    name, sample = field.path[0], field.sample
    if sample is ABSENT:
        sample = ""
    else:
        yield Bend("missing", "", _lines(name, lambda value: []))
        yield Bend("late", "after two answers", _lines(name, lambda value: []), 2)
        yield Bend("repeated", "the line", _lines(name, lambda value: [value, value]))
        yield Bend("repeated", "in the line", _lines(name, lambda value: [value + ", " + value]))
        yield Bend("early", "also where it is not needed", _added(name, sample))
    yield Bend("null", "", _added(name, "null"))
    yield Bend("wrong type", "JSON", _added(name, '["x", 5]'))
    yield Bend("empty", "", _added(name, ""))
    yield Bend("other case", "the name", _renamed(name))
    yield Bend("reordered", "all of them", _turned)
    yield Bend("another encoding", "beyond ASCII", _added(name, sample + "\u00e9"))
    yield Bend("another encoding", "quoted", _added(name, '"%s"' % sample))
    yield Bend("long", "7000 characters", _added(name, sample + "x" * 7000))
    if sample.isdigit():
        for form in _DATES:
            yield Bend("another encoding", "a date: " + form[:8], _added(name, _date(form, 3)))
            yield Bend("early", "a date in the past: " + form[:8], _added(name, _date(form, -90)))
        for seconds in ("0", "1", "-5", "1.5", "86400", "9" * 12, "9" * 60):
            yield Bend("wrong type", seconds[:12] + " s", _added(name, seconds))
    elif "://" in sample:
        yield Bend(
            "other case", "capitals", _lines(name, lambda value: [value.replace("https://", "HTTPS://")])
        )
        yield Bend(
            "relative", "without host", _lines(name, lambda value: [re.sub("https://[^/]*", "", value)])
        )
        yield Bend(
            "relative", "without scheme", _lines(name, lambda value: [value.replace("https://", "//")])
        )
        yield Bend("relative", "http", _lines(name, lambda value: [value.replace("https://", "http://")]))
    else:
        yield Bend("other case", "capitals", _lines(name, lambda value: [value.upper()]))


# Whole bodies of JSON.


def _whole(make):
    def edit(answer, now):
        before = answer.body
        answer.body = make(before)
        return answer.body != before

    return edit


def _rewritten(change):
    def edit(answer, now):
        tree = answer.tree()
        if tree is None:
            return False
        answer.body = change(tree)
        return True

    return edit


def _ascii(data):
    # All strings as escapes, which is the same JSON.
    return re.sub(rb'"((?:[^"\\]|\\.)*)"', lambda found: _escaped(json.loads(found[0])).encode(), data)


def _body(field, later):
    yield Bend("missing", "", _whole(lambda data: b""))
    yield Bend("late", "after two answers", _whole(lambda data: b""), 2)
    yield Bend("null", "", _whole(lambda data: b"null"))
    for wrong in (b"[]", b"5", b'"text"', b"OK\n", b"<html><body>Please log in</body></html>"):
        yield Bend("wrong type", wrong[:12].decode().strip(), _whole(lambda data, wrong=wrong: wrong))
    yield Bend("empty", "{}", _whole(lambda data: b"{}"))
    yield Bend("empty", "blanks", _whole(lambda data: b" \r\n"))
    yield Bend("repeated", "the body", _whole(lambda data: data + data))
    yield Bend("reordered", "its members", _rewritten(lambda tree: text(Pairs(tree[::-1])).encode()))
    yield Bend("another encoding", "a byte order mark", _whole(lambda data: b"\xef\xbb\xbf" + data))
    yield Bend("another encoding", "UTF-16", _whole(lambda data: data.decode().encode("utf-16")))
    yield Bend("another encoding", "escapes", _whole(_ascii))
    yield Bend("another encoding", "indented", _rewritten(lambda tree: _indented(tree)))
    yield Bend("another encoding", "Latin-1", _whole(lambda data: data[:-1] + b',"\xe9":"\xe9"}'))
    yield Bend("other case", "names of members", _rewritten(lambda tree: text(_upper(tree)).encode()))
    yield Bend("early", "before its end", _whole(lambda data: data[: len(data) // 2]))
    yield Bend("long", "12 KB more", _whole(lambda data: data[:-1] + b"," + b'"x":"' + b"x" * 12000 + b'"}'))
    yield Bend("long", "blanks beyond the bound", _whole(lambda data: data + b" " * limits.BODY))
    for kind in (
        "",
        "text/plain",
        "Application/JSON; Charset=UTF-8",
        "application/problem+json",
        "text/html",
    ):
        yield Bend("another encoding", "as " + (kind or "no type"), _added("content-type", kind))


def _indented(tree):
    return json.dumps(json.loads(text(tree)), indent=8).replace("\n", "\r\n").encode()


def _upper(tree):
    if isinstance(tree, Pairs):
        return Pairs([[name.upper(), _upper(value)] for name, value in tree])
    return [_upper(value) for value in tree] if isinstance(tree, list) else tree


# Chains.


def _blocks(make):
    def edit(answer, now):
        found = _BLOCK.findall(answer.body)
        if len(found) < 2:
            return False
        answer.body = make(found)
        return True

    return edit


def _der(data):
    import ssl

    return ssl.PEM_cert_to_DER_cert(_BLOCK.findall(data)[0].decode())


def _one_line(data):
    return re.sub(rb"(?<=[^-])\n(?=[^-])", b"", data)


def _chain(field, later):
    root = field.sample.encode()
    yield Bend("missing", "all", _whole(lambda data: b""))
    yield Bend("missing", "the leaf", _blocks(lambda found: b"".join(found[1:])))
    yield Bend("missing", "those above it", _blocks(lambda found: found[0]))
    yield Bend("missing", "the last line's end", _whole(lambda data: data.rstrip()))
    yield Bend(
        "missing", "line ends between", _whole(lambda data: data.replace(b"-----\n-----", b"----------"))
    )
    yield Bend("missing", "padding", _whole(lambda data: data.replace(b"=", b"")))
    yield Bend("late", "after two answers", _whole(lambda data: b""), 2)
    yield Bend("null", "", _whole(lambda data: b"null"))
    for wrong in (b"[]", b"<html><body>Please log in</body></html>"):
        yield Bend("wrong type", wrong[:8].decode(), _whole(lambda data, wrong=wrong: wrong))
    yield Bend("wrong type", "a private key too", _blocks(lambda found: b"".join(found) + _key(found[0])))
    yield Bend("wrong type", "X509 CERTIFICATE", _whole(lambda data: data.replace(b" CERT", b" X509 CERT")))
    yield Bend("other case", "the marks", _whole(lambda data: data.replace(b"CERTIFICATE", b"certificate")))
    yield Bend("repeated", "each", _blocks(lambda found: b"".join(block * 2 for block in found)))
    yield Bend("repeated", "the chain", _whole(lambda data: data * 2))
    yield Bend("repeated", "the leaf, five times", _blocks(lambda found: found[0] * 5 + b"".join(found[1:])))
    yield Bend("reordered", "", _blocks(lambda found: b"".join(found[::-1])))
    yield Bend("reordered", "a root in front", _whole(lambda data: root + data))
    yield Bend("empty", "a block", _whole(lambda data: re.sub(rb"(?<=-----\n)[A-Za-z0-9+/=\n]+", b"", data)))
    for words, make in (
        ("CRLF", lambda data: data.replace(b"\n", b"\r\n")),
        ("CR", lambda data: data.replace(b"\n", b"\r")),
        ("a byte order mark", lambda data: b"\xef\xbb\xbf" + data),
        ("UTF-16", lambda data: data.decode().encode("utf-16")),
        ("DER", _der),
        ("one line", _one_line),
        ("blank lines", lambda data: data.replace(b"\n", b"\n\n")),
        ("blanks", lambda data: data.replace(b"\n", b" \n\t")),
        ("base64url", lambda data: data.replace(b"+", b"-").replace(b"/", b"_")),
        (
            "text between",
            lambda data: data.replace(b"-----BEGIN", b"subject=CN = A-B\nissuer=C\n-----BEGIN") + b"end",
        ),
    ):
        yield Bend("another encoding", words, _whole(make))
    for kind in ("", "text/plain", "application/x-pem-file; charset=utf-8"):
        yield Bend("another encoding", "as " + (kind or "no type"), _added("content-type", kind))
    yield Bend("early", "the root sent along", _whole(lambda data: data + root))
    yield Bend("early", "before its end", _whole(lambda data: data[: len(data) * 2 // 3]))
    yield Bend("long", "7 KB of text", _whole(lambda data: b"text\n" * 1400 + data))
    yield Bend("long", "beyond the bound", _whole(lambda data: data + b"\n" * limits.CHAIN))
    yield Bend("long", "long lines of text", _whole(lambda data: data + b"x" * 5000 + b"\n"))


def _key(block):
    return block.replace(b"CERTIFICATE", b"PRIVATE KEY")
