"""Tables of what repeats in a stream, each looked up by value: days, instants, places, groups.

An entry holds what a writer needs of a value: its Avro bytes, its packed bytes for the digest,
and what the checks ask. No table holds a name, an ID number or anything else of one person.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from hub.contracts.cloudevents import EventHeaders, Header
from hub.contracts.digests import pack
from hub.contracts.wires import INT, LONG, SOME, zigzag
from hub.intake.areas import Areas
from hub.intake.people import SEXES
from hub.kernel import dates
from hub.sdk.instants import DAY, ZONE, day_of

K = TypeVar("K")
V = TypeVar("V")

_KEPT = 20_000
_SHORT = 512
Both = tuple[bytes, bytes]
"""Avro bytes and packed bytes of one value."""


class Learned(dict[K, V]):
    """Key → what is made of it, learned as keys come; when full it begins anew.

    Equal keys are one key, so ``True`` and ``1.0`` find the entry of ``1``: who asks for numbers
    makes sure of their type.

    Args:
        make: From the key to its entry; its errors are the caller's.
    """

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, key: K) -> V:
        found = self.make(key)
        if len(self) >= _KEPT:
            self.clear()
        self[key] = found
        return found


class Groups(dict[tuple[Any, ...], Both]):
    """Names and values of a group (and what else counts) → its bytes.

    Args:
        make: From the key to the bytes.
    """

    def __init__(self, make: Callable[[tuple[Any, ...]], Both]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, key: tuple[Any, ...]) -> Both:
        found = self.make(key)
        if len(found[0]) < _SHORT:
            if len(self) >= _KEPT:
                self.clear()
            self[key] = found
        return found


class Recording(NamedTuple):
    """When a record was made: its day, the same as ``YYYYMMDD``, and the instant's Avro bytes."""

    day: int
    latest: str
    avro: bytes


def recording(recorded: int) -> Recording:
    """The entry of a recording, ms since 1970."""
    day = day_of(recorded)
    try:
        latest = f"{dates.date_of(day):%Y%m%d}" if day < dates.FAR else ""
    except (ValueError, OverflowError):
        # Everybody was born after it, so that the general way judges.
        latest = ""
    return Recording(day, latest, _long(recorded))


def instant(value: int) -> tuple[int, bytes, bytes]:
    """Day, Avro bytes and packed bytes of an instant, ms since 1970."""
    return (value + ZONE) // DAY, _long(value), pack(value)


def moment(value: int) -> bytes:
    """Avro bytes of an instant that may be null and is not."""
    return SOME + _long(value)


def day(value: int) -> Both:
    """Avro and packed bytes of days since 1970-01-01."""
    if type(value) is not int or not -INT <= value < INT:
        raise TypeError("no day")
    return zigzag(value), pack(value)


def birth(digits: str) -> Both:
    """Bytes of the birth date in an ID number that was checked; Avro's are of ``["null", T]``."""
    avro, packed = day(dates.days(digits))
    return SOME + avro, packed


def sexes() -> dict[str, Both]:
    """The 17th digit of an ID number → bytes of the sex."""
    return {digit: (nullable(sex), pack(sex)) for digit, sex in SEXES.items()}


def place(
    areas: Areas, headers: EventHeaders
) -> Callable[[tuple[str, int]], tuple[bytes, tuple[Header, ...]]]:
    """A function from code and day to the Avro bytes of the division and the headers there."""

    def made(key: tuple[str, int]) -> tuple[bytes, tuple[Header, ...]]:
        code, on = key
        found = areas.resolve(code, on, "jurisdiction")
        return text(found), headers[found]

    return made


def group(encode: Callable[[dict[str, Any]], bytes]) -> Callable[[tuple[Any, ...]], Both]:
    """A function from the names and values of a group to its bytes."""

    def made(key: tuple[Any, ...]) -> Both:
        fields = _fields(key)
        return encode(fields), pack(fields)

    return made


def settled(
    areas: Areas, name: str, encode: Callable[[dict[str, Any]], bytes]
) -> Callable[[tuple[Any, ...]], Both]:
    """As :func:`group` for a group with division codes; the key's last part is the day."""

    def made(key: tuple[Any, ...]) -> Both:
        fields = _fields(key[:-1])
        areas.settle(name, fields, key[-1])
        return encode(fields), pack(fields)

    return made


def text(value: str) -> bytes:
    """Avro bytes of a text."""
    data = value.encode()
    return zigzag(len(data)) + data


def nullable(value: str) -> bytes:
    """Avro bytes of a text that may be null and is not."""
    return SOME + text(value)


def _fields(key: tuple[Any, ...]) -> dict[str, Any]:
    half = len(key) // 2
    return dict(zip(key[:half], key[half:], strict=True))


def _long(value: int) -> bytes:
    if type(value) is not int or not -LONG <= value < LONG:
        raise TypeError("no instant")
    return zigzag(value)
