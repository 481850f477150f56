"""Reads a UCI file, such as OpenWrt's `uci` writes them: sections with options and lists."""

from ipcert.errors import LocalError

_SIZE = 65536  # bytes; a configuration is a page


class Section:
    """`kind` and `name` ("" for none), and `values`: option -> str, or a list of str for a `list`."""

    def __init__(self, kind, name):
        self.kind = kind
        self.name = name
        self.values = {}


def _words(line):
    """The words of a line; None where a quote is left open. Backslashes count outside single quotes, # begins a comment."""
    words = []
    word = quote = None
    k = 0
    while k < len(line):
        c = line[k]
        if c == "\\" and quote != "'":
            k += 1
            word = (word or "") + line[k : k + 1]
        elif quote:
            if c == quote:
                quote = None
            else:
                word += c
        elif c in "'\"":
            quote = c
            word = word or ""
        elif c in " \t\r":
            if word is not None:
                words.append(word)
            word = None
        elif c == "#" and word is None:
            break
        else:
            word = (word or "") + c
        k += 1
    if word is not None:
        words.append(word)
    return None if quote else words


def parse(text):
    """The Sections in `text`, in order. Raises LocalError("config") with the number of the line that is wrong."""
    found = []
    number = 0
    for line in text.split("\n"):
        number += 1
        words = _words(line)
        if words is None:
            raise LocalError("config", "line %d: a quote is not closed." % number)
        if not words or words[0] == "package":
            continue
        if words[0] == "config" and len(words) in (2, 3):
            found.append(Section(words[1], words[2] if len(words) == 3 else ""))
        elif words[0] in ("option", "list") and len(words) == 3:
            if not found:
                raise LocalError("config", "line %d: it belongs to no section; begin with 'config'." % number)
            values = found[-1].values
            if words[0] == "option":
                values[words[1]] = words[2]
            elif isinstance(values.setdefault(words[1], []), list):
                values[words[1]].append(words[2])
            else:
                raise LocalError("config", "line %d: %s is an option and a list." % (number, words[1]))
        else:
            raise LocalError(
                "config", "line %d: write config TYPE NAME, option NAME VALUE or list NAME VALUE." % number
            )
    return found


def load(path):
    """The Sections in the file `path`. Raises LocalError("config")."""
    try:
        with open(path, "rb") as file:
            data = file.read(_SIZE + 1)
    except OSError as e:
        raise LocalError("config", "Cannot read %s (error %s)." % (path, e.errno))
    if len(data) > _SIZE:
        raise LocalError("config", "%s is larger than %d bytes; is it the right file?" % (path, _SIZE))
    try:
        return parse(data.decode())
    except UnicodeError:
        raise LocalError("config", "%s is not UTF-8 text; is it the right file?" % path)
    except LocalError as e:
        raise LocalError("config", "%s, %s" % (path, e.text))
