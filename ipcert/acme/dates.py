"""Dates as the CA writes them, in core seconds: HTTP dates (RFC 9110 5.6.7) and RFC 3339.

Both readers answer 0 for what they cannot read, and for years outside 2020..2053: a date from the CA is advice, and
nothing is refused because one of them is odd.
"""

from ..encoding import calendar

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _seconds(year, month, day, clock):
    """Core seconds of a UTC date and `clock` ("HH:MM:SS"). Raises ValueError outside 2020..2053 or for nonsense."""
    hour, minute, second = [int(part) for part in clock.split(":")]
    moment = calendar.seconds(year, month, day, hour, minute, second)
    if moment < 0 or not calendar.FIRST_YEAR <= year <= calendar.LAST_YEAR:
        raise ValueError
    return moment


def http_date(text):
    """Core seconds of an HTTP date in any of its three forms, or 0."""
    parts = text.replace("-", " ").split()
    try:
        if len(parts) == 5:  # asctime: Sun Nov  6 08:49:37 2033
            _, month, day, clock, year = parts
        else:  # Sun, 06 Nov 2033 08:49:37 GMT, and with Sunday, 06-Nov-33
            _, day, month, year, clock, _ = parts
        # The obsolete form has two digits; no date that means anything here is of another century.
        return _seconds(
            int(year) + (2000 if len(year) == 2 else 0), _MONTHS.index(month) + 1, int(day), clock
        )
    except ValueError:
        return 0


def rfc3339(text):
    """Core seconds of "2033-11-06T08:49:37.5+01:00" (RFC 3339 5.6), or 0 for anything else."""
    try:
        if not isinstance(text, str) or not 20 <= len(text) <= 40 or text[10] not in "Tt ":
            return 0
        moment = _seconds(int(text[:4]), int(text[5:7]), int(text[8:10]), text[11:19])
        rest = text[19:]
        if rest[0] == ".":  # fractions of a second are dropped
            end = 1
            while "0" <= rest[end] <= "9":
                end += 1
            rest = rest[end:]
        if rest in ("Z", "z"):
            return moment
        offset = int(rest[1:3]) * 3600 + int(rest[4:6]) * 60
        if len(rest) != 6 or rest[0] not in "+-" or rest[3] != ":":
            return 0
        return max(moment - offset if rest[0] == "+" else moment + offset, 0)
    except (ValueError, IndexError):
        return 0
