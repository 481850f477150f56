"""Calendar dates (UTC) as core seconds: the one place that knows how long a month is.

Core time is whole seconds since 2020-01-01 (`limits.EPOCH_UNIX`), so that it fits MicroPython's small int until 2054.
Certificates and HTTP write dates from outside that span too; those are clamped to its ends.
"""

from .. import limits

FIRST_YEAR = 2020
LAST_YEAR = 2053
_MONTHS = b"\x1f\x1c\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f"  # days of each month of a common year


def seconds(year, month, day, hour, minute, second):
    """Core seconds, 0 before 2020 and `limits.NEVER` after 2053; -1 where there is no such moment. Allocates nothing.

    A leap second (60) counts as the second after it, as POSIX has it; whoever must refuse one does.
    """
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 60):
        return -1
    if not 1 <= day <= _MONTHS[month - 1] + (leap and month == 2):
        return -1
    if year < FIRST_YEAR:
        return 0
    if year > LAST_YEAR:
        return limits.NEVER
    # 2020 is a leap year, and no year of the span is a century.
    day += (year - FIRST_YEAR) * 365 + (year - FIRST_YEAR + 3) // 4 - 1 + (leap and month > 2)
    while month > 1:
        month -= 1
        day += _MONTHS[month - 1]
    return day * limits.DAY + hour * limits.HOUR + minute * limits.MINUTE + second
