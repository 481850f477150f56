def write_url(
    buffer: bytearray | memoryview, offset: int, source: bytes | bytearray | memoryview, start: int, end: int
) -> int: ...
def is_url(text: str | bytes | bytearray | memoryview, least: int, most: int) -> bool: ...
def read_pem(
    out: bytearray | memoryview,
    offset: int,
    source: bytes | bytearray | memoryview,
    start: int,
    end: int,
) -> int: ...
