"""Families of dead-letter headers, read as one: Kafka Connect, Kafka Streams, share groups, Spring.

Whatever wrote a dead letter, it is told where the record lay and why it failed. Numbers are text
in all families but Spring's, which writes them as big-endian integers of four or eight bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from hub.contracts.replay_marks import CONNECT, OURS

Headers = Sequence[tuple[str, bytes]]

_STREAMS = "__streams.errors."
_SHARE = "__dlq.errors."
_SPRING = "kafka_dlt-"
_RETRY = "retry_topic-"


class Failure(msgspec.Struct, frozen=True):
    """Why a record became a dead letter.

    Attributes:
        family: ``connect``, ``streams``, ``share``, ``spring``; empty: no header tells.
        topic: Where the record lay; empty: not told.
        partition: Partition there; -1: not told.
        offset: Offset there; -1: not told.
        group: Consumer group that failed.
        stage: Connect's stage.
        exception: Class of the exception.
        message: Its message.
        stacktrace: Its trace.
        attempts: How often it was tried; 0: not told.
        timestamp: Of the record, ms since 1970; None: not told.
        id: The hub's id of the dead letter.
        code: The hub's code.
        replays: How often the hub sent it again.
    """

    family: str = ""
    topic: str = ""
    partition: int = -1
    offset: int = -1
    group: str = ""
    stage: str = ""
    exception: str = ""
    message: str = ""
    stacktrace: str = ""
    attempts: int = 0
    timestamp: int | None = None
    id: str = ""
    code: str = ""
    replays: int = 0


class _Told:
    """Headers by name; where one is repeated, the first one counts: the first failure wins."""

    def __init__(self, headers: Headers) -> None:
        self._values: dict[str, bytes] = {}
        for name, value in headers:
            self._values.setdefault(name, value or b"")

    def has(self, prefix: str) -> bool:
        return any(name.startswith(prefix) for name in self._values)

    def text(self, name: str) -> str:
        return self._values.get(name, b"").decode("utf-8", "replace")

    def number(self, name: str) -> int | None:
        text = self.text(name)
        return int(text) if text.isascii() and text.removeprefix("-").isdigit() else None

    def binary(self, name: str) -> int | None:
        value = self._values.get(name, b"")
        if len(value) not in {4, 8}:
            return self.number(name)
        return int.from_bytes(value, "big", signed=True)


def failure_of(headers: Headers) -> Failure:
    """What the headers of a dead letter tell, whichever family wrote them; never raises."""
    told = _Told(headers)
    for prefix, read in _READERS.items():
        if told.has(prefix):
            return read(told)
    return Failure()


def _place(told: _Told, prefix: str) -> Mapping[str, str | int]:
    return {
        "topic": told.text(f"{prefix}topic"),
        "partition": _or(told.number(f"{prefix}partition"), -1),
        "offset": _or(told.number(f"{prefix}offset"), -1),
    }


def _connect(told: _Told) -> Failure:
    return Failure(
        family="connect",
        **_place(told, CONNECT),  # type: ignore[arg-type] # three names of two types
        group=told.text(f"{OURS}group") or told.text(f"{CONNECT}connector.name"),
        stage=told.text(f"{CONNECT}stage"),
        exception=told.text(f"{CONNECT}exception.class.name"),
        message=told.text(f"{CONNECT}exception.message"),
        stacktrace=told.text(f"{CONNECT}exception.stacktrace"),
        attempts=_or(told.number(f"{OURS}attempts"), 0),
        timestamp=told.number(f"{OURS}original-timestamp"),
        id=told.text(f"{OURS}id"),
        code=told.text(f"{OURS}code"),
        replays=_or(told.number(f"{OURS}replay-count"), 0),
    )


def _streams(told: _Told) -> Failure:
    return Failure(
        family="streams",
        **_place(told, _STREAMS),  # type: ignore[arg-type] # three names of two types
        exception=told.text(f"{_STREAMS}exception"),
        message=told.text(f"{_STREAMS}message"),
        stacktrace=told.text(f"{_STREAMS}stacktrace"),
    )


def _share(told: _Told) -> Failure:
    return Failure(
        family="share",
        **_place(told, _SHARE),  # type: ignore[arg-type] # three names of two types
        group=told.text(f"{_SHARE}group"),
        message=told.text(f"{_SHARE}message"),
        attempts=_or(told.number(f"{_SHARE}delivery.count"), 0),
    )


def _spring(told: _Told) -> Failure:
    # A record whose key could not be read has the names of the key instead.
    key = "" if told.has(f"{_SPRING}exception-") else "key-"
    cause = told.text(f"{_SPRING}exception-cause-fqcn") or told.text(
        f"{_SPRING}{key}exception-fqcn"
    )
    return Failure(
        family="spring",
        topic=told.text(f"{_SPRING}original-topic"),
        partition=_or(told.binary(f"{_SPRING}original-partition"), -1),
        offset=_or(told.binary(f"{_SPRING}original-offset"), -1),
        group=told.text(f"{_SPRING}original-consumer-group"),
        exception=cause,
        message=told.text(f"{_SPRING}{key}exception-message"),
        stacktrace=told.text(f"{_SPRING}{key}exception-stacktrace"),
        attempts=_or(told.binary(f"{_RETRY}attempts"), 0),
        timestamp=_first(
            told.binary(f"{_RETRY}original-timestamp"),
            told.binary(f"{_SPRING}original-timestamp"),
        ),
    )


def _or(found: int | None, otherwise: int) -> int:
    return otherwise if found is None else found


def _first(*found: int | None) -> int | None:
    return next((one for one in found if one is not None), None)


_READERS: Mapping[str, Callable[[_Told], Failure]] = {
    CONNECT: _connect,
    _STREAMS: _streams,
    _SHARE: _share,
    _SPRING: _spring,
}
