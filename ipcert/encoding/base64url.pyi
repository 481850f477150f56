def write_url(
    buffer: bytearray | memoryview, offset: int, source: bytes | bytearray | memoryview, start: int, end: int
) -> int: ...
def is_url(text: str | bytes | bytearray | memoryview, least: int, most: int) -> bool: ...
def write_pem(
    buffer: bytearray | memoryview, offset: int, source: bytes | bytearray | memoryview, start: int, end: int
) -> int: ...
def read_pem(
    out: bytearray | memoryview,
    offset: int,
    source: bytes | bytearray | memoryview,
    start: int,
    end: int,
) -> int: ...
