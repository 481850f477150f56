"""Dates as the CA writes them, in core seconds: HTTP dates (RFC 9110 5.6.7) and RFC 3339."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)  # days of a common year before each month


def seconds(year, month, day, clock):
    """Core seconds of a UTC date and `clock` ("HH:MM:SS"). Raises ValueError outside 2020..2053 or for nonsense."""
    hour, minute, second = [int(part) for part in clock.split(":")]
    if not (2020 <= year <= 2053 and 1 <= month <= 12 and 1 <= day <= 31):
        raise ValueError
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 60):
        raise ValueError
    # 2020 is a leap year, and none of 2020..2053 is a century.
    days = (year - 2020) * 365 + (year - 2017) // 4 + _BEFORE[month - 1] + day - 1
    if month > 2 and year % 4 == 0:
        days += 1
    return days * 86400 + hour * 3600 + minute * 60 + second


def http_date(text):
    """Core seconds of "Sun, 06 Nov 2033 08:49:37 GMT", or 0; the two obsolete forms are not read."""
    parts = text.split()
    try:
        return (
            seconds(int(parts[3]), _MONTHS.index(parts[2]) + 1, int(parts[1]), parts[4])
            if len(parts) == 6
            else 0
        )
    except ValueError:
        return 0


def rfc3339(text):
    """Core seconds of "2033-11-06T08:49:37.5+01:00" (RFC 3339 5.6), or 0 for anything else."""
    try:
        if not isinstance(text, str) or not 20 <= len(text) <= 40 or text[10] not in "Tt ":
            return 0
        value = seconds(int(text[:4]), int(text[5:7]), int(text[8:10]), text[11:19])
        rest = text[19:]
        if rest[0] == ".":
            k = 1
            while "0" <= rest[k] <= "9":
                k += 1
            rest = rest[k:]
        if rest in ("Z", "z"):
            return value
        offset = int(rest[1:3]) * 3600 + int(rest[4:6]) * 60
        if len(rest) != 6 or rest[0] not in "+-" or rest[3] != ":":
            return 0
        return max(value - offset if rest[0] == "+" else value + offset, 0)
    except (ValueError, IndexError):
        return 0
