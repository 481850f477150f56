FIRST_YEAR: int
LAST_YEAR: int

def seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int: ...
