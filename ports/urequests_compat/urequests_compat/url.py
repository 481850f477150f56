"""Splitting an https URL: just what a client needs, strictly, without regular expressions."""


def split(url):
    """Return (host, port, target) of `url`.

    `host` has no brackets, `target` is path and query and starts with "/" (a fragment is cut off).
    Raises ValueError unless `url` is ASCII, begins with https://, has no user part and a port in 1..65535.
    """
    if url[:8].lower() != "https://":
        raise ValueError("only https:// URLs are requested")
    for c in url:
        if not "!" <= c <= "~" or c in '"<>\\^`{|}':
            raise ValueError("the URL has a character that does not belong in one")
    rest = url[8:].split("#", 1)[0]
    cut = len(rest)
    for mark in "/?":
        at = rest.find(mark)
        if 0 <= at < cut:
            cut = at
    authority, target = rest[:cut], rest[cut:]
    if "@" in authority:
        raise ValueError("the URL carries a user name")
    if authority[:1] == "[":
        end = authority.find("]")
        host, port = authority[1:end], authority[end + 1 :]
        if end < 0 or ":" not in host or "%" in host:
            raise ValueError("the URL's IPv6 address is malformed")
        if port and port[0] != ":":
            raise ValueError("the URL's port is malformed")
        port = port[1:]
    else:
        host, _, port = authority.partition(":")
        if "[" in host or "]" in host:
            raise ValueError("the URL's host is malformed")
    if not host:
        raise ValueError("the URL has no host")
    if port and not (port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise ValueError("the URL's port is malformed")
    if target[:1] != "/":
        target = "/" + target
    return host, int(port or 443), target


def join(host, port, always=False):
    """The text for a Host header: brackets round IPv6, no port when it is 443, unless it is `always` wanted."""
    text = "[" + host + "]" if ":" in host else host
    return text if port == 443 and not always else text + ":" + str(port)
