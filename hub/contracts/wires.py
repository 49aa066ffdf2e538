"""Avro's bytes: variable-length numbers, and the tables that the compiled codecs look them up in.

Values are raw: money is int fen, a date is days and an instant is ms since 1970-01-01, an enum
is its symbol. Nothing becomes a ``datetime`` or a ``Decimal`` on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.kernel.errors import DataError

NULL = b"\x00"
SOME = b"\x02"
"""Index of the second branch of ``["null", T]``."""
MAGIC = 0
"""First byte of a framed record; the schema id follows as four bytes, big-endian."""
HEAD = 5
"""Bytes before the Avro body."""

INT = 1 << 31
LONG = 1 << 63
_CACHED = 65_536
_LENGTHS = 4096
_LEARNED = 20_000
_SHORT = 256


def zigzag(value: int) -> bytes:
    """A number as Avro writes it (int and long alike)."""
    rest = value << 1 if value >= 0 else (-value << 1) - 1
    out = bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def number(data: bytes, place: int) -> tuple[int, int]:
    """Read a number of at most 64 bits.

    Returns:
        The number and the place after it.

    Raises:
        IndexError: the data end.
        ValueError: more than 64 bits.
    """
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
        if shift > 63:
            raise ValueError("more than 64 bits")
    if value >= LONG << 1:
        raise ValueError("more than 64 bits")
    return (value >> 1) ^ -(value & 1), place


def span(data: bytes, place: int) -> tuple[int, int]:
    """Read a length: begin and end of the bytes that follow it.

    Raises:
        IndexError: the data end.
        ValueError: a negative length.
    """
    size, begin = number(data, place)
    if size < 0:
        raise ValueError("a negative length")
    return begin, begin + size


def lengths(prefix: bytes = b"") -> tuple[bytes, ...]:
    """Length → its bytes, for lengths below 4096, with a fixed beginning."""
    return tuple(prefix + zigzag(size) for size in range(_LENGTHS))


class Numbers(dict[Any, bytes]):
    """Number → bytes, learned as they come; numbers that are far away are not kept.

    Args:
        limit: Numbers run from ``-limit`` to below ``limit``.
        prefix: Bytes before each; with them None maps to Avro's null.
    """

    def __init__(self, limit: int, prefix: bytes = b"") -> None:
        super().__init__()
        self.limit = limit
        self.prefix = prefix
        if prefix:
            self[None] = NULL

    def __missing__(self, value: Any) -> bytes:
        """The bytes of a number not seen before.

        Raises:
            TypeError: not a whole number.
            ValueError: out of bounds.
        """
        if type(value) is not int:
            raise TypeError("not a whole number")
        if not -self.limit <= value < self.limit:
            raise ValueError("out of bounds")
        found = self.prefix + zigzag(value)
        if -_CACHED < value < _CACHED and len(self) < 2 * _CACHED:
            self[value] = found
        return found


class Texts(dict[Any, bytes]):
    """Text that repeats → its bytes with their length before them, learned up to a limit.

    Args:
        prefix: Bytes before each; with them None maps to Avro's null.
    """

    def __init__(self, prefix: bytes = b"") -> None:
        super().__init__()
        self.prefix = prefix
        if prefix:
            self[None] = NULL

    def __missing__(self, value: str) -> bytes:
        """The bytes of a text not seen before.

        Raises:
            AttributeError: not text.
            UnicodeEncodeError: half a character.
        """
        data = value.encode()
        found = self.prefix + zigzag(len(data)) + data
        if len(data) < _SHORT and len(self) < _LEARNED:
            self[value] = found
        return found


class Pieces(dict[tuple[Any, ...], bytes]):
    """Names and values of a group that repeats → its bytes, learned up to a limit.

    Args:
        encode: From the group as a dict to its bytes.
    """

    def __init__(self, encode: Callable[[dict[str, Any]], bytes]) -> None:
        super().__init__()
        self.encode = encode

    def __missing__(self, key: tuple[Any, ...]) -> bytes:
        """The bytes of a group not seen before; errors are the encoder's."""
        half = len(key) // 2
        found = self.encode(dict(zip(key[:half], key[half:], strict=True)))
        if len(found) < _SHORT and len(self) < _LEARNED:
            self[key] = found
        return found


class Words(dict[bytes, str]):
    """Bytes of text that repeats → the text, learned up to a limit."""

    def __missing__(self, data: bytes) -> str:
        """The text of bytes not seen before.

        Raises:
            UnicodeDecodeError: not UTF-8.
        """
        found = data.decode()
        if len(data) < _SHORT and len(self) < _LEARNED:
            self[data] = found
        return found


class Instants(dict[bytes, int]):
    """The last four of an instant's six bytes → its share of the ms, learned up to a limit.

    One entry covers eight seconds.
    """

    def __missing__(self, data: bytes) -> int:
        """The share of four bytes not seen before.

        Raises:
            IndexError: the data end, or the instant has other than six bytes.
        """
        one, two, three, four = data
        if not (one > 127 < two and three > 127 >= four > 0):
            raise IndexError("not six bytes")
        found = (one & 127 | (two & 127) << 7 | (three & 127) << 14 | four << 21) << 13
        if len(self) < _CACHED:
            self[data] = found
        return found


class Dates(dict[bytes, tuple[int, int]]):
    """Three bytes → (days, bytes used), learned as they come."""

    def __missing__(self, data: bytes) -> tuple[int, int]:
        """A date of at most three bytes.

        Raises:
            IndexError: longer ones, left to the interpreter.
        """
        found = number(data, 0)
        if len(self) < _CACHED:
            self[data] = found
        return found


def refused(path: str, detail: str = "") -> DataError:
    """The error of a body that does not fit its schema.

    Args:
        path: The field, e.g. ``stay.admitted_on``.
        detail: Short text without any value.
    """
    return DataError("E-SCHEMA-BODY", path, detail)
