"""Event ids: the same fact gets the same UUIDv5, however often it is read.

Parts are joined with the length before each but the last, so two different tuples of parts
never give one text.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha1
from uuid import UUID, uuid5

from hub.kernel.errors import DataError
from hub.kernel.macs import Mac

SOURCES = UUID("6a1f0d6e-58c4-5c0e-9b52-0f3f5f0c7a11")
"""Namespace of the sources' own namespaces. Changing it changes every event id."""
CAUSED = UUID("0d9c3c0b-5f0e-5d55-8a6b-5a3b8b1d2f42")
"""Namespace of events that the hub itself makes."""
COPIES = UUID("c2f7a9de-21d3-5e0b-93c4-7e4f1f6f8d73")
"""Namespace of delivered copies."""

_CAUSED = sha1(CAUSED.bytes, usedforsecurity=False)
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


class EventIds:
    """Event ids of one source.

    Args:
        source: As in ``ce_source``, e.g. ``/gov/320682/medical-insurance``.
    """

    __slots__ = ("_state",)

    def __init__(self, source: str) -> None:
        self._state = sha1(uuid5(SOURCES, source).bytes, usedforsecurity=False)

    def of(self, record_key: str, event_type: str, version: str) -> str:
        """The id as canonical text of 36 characters.

        Args:
            record_key: Key of the record at the source; never holds an ID number.
            event_type: E.g. ``health.hospitalized``.
            version: Version at the source, or occurred_at where it counts none.

        Raises:
            DataError: ``E-ENCODING``, a part holds half a character (lone surrogate).
        """
        state = self._state.copy()
        try:
            state.update(
                f"{len(record_key)}:{record_key}{len(event_type)}:{event_type}{version}".encode()
            )
        except UnicodeEncodeError:
            raise DataError("E-ENCODING", "source_record_key") from None
        return _text(state.hexdigest())

    def of_type(self, event_type: str) -> Callable[[str, str | int], bytes]:
        """A function from record key and version to the id's bytes, for many of one type.

        It raises ``UnicodeEncodeError`` where a part holds half a character.
        """
        begin, variant = self._state.copy, _VARIANT
        middle = f"{len(event_type)}:{event_type}"

        def of(record_key: str, version: str | int) -> bytes:
            state = begin()
            state.update(f"{len(record_key)}:{record_key}{middle}{version}".encode())
            digest = state.hexdigest()
            # As _text, without the call.
            return (
                f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}"
                f"-{variant[digest[16]]}{digest[17:20]}-{digest[20:32]}"
            ).encode()

        return of


def joined(*parts: str) -> str:
    """Join parts so that no two different tuples of equal length give one text."""
    *heads, last = parts
    return "".join([f"{len(part)}:{part}" for part in heads]) + last


def three_joined(first: str, second: str, last: str) -> str:
    """:func:`joined` of three parts, at half the cost: nearly all ids are made of three."""
    return f"{len(first)}:{first}{len(second)}:{second}{last}"


def hub_event_id(cause: str, rule: str, ordinal: int) -> str:
    """Id of an event the hub makes.

    Args:
        cause: Id of the causing event.
        rule: Rule that made it.
        ordinal: Its number among the events of that rule and cause, from 0.
    """
    state = _CAUSED.copy()
    state.update(three_joined(cause.lower(), rule, str(ordinal)).encode())
    return _text(state.hexdigest())


class CopyIds:
    """Ids of delivered copies; keyed, so two recipients cannot join theirs.

    Args:
        key: ``K_copy``.
    """

    __slots__ = ("_mac", "_state")

    def __init__(self, key: bytes) -> None:
        self._mac = Mac(key)
        self._state = sha1(COPIES.bytes, usedforsecurity=False)

    def of(self, subscription: str, event_id: str) -> str:
        """The id of the copy of one event for one subscription, text of 36 characters."""
        state = self._state.copy()
        message = f"{len(subscription)}:{subscription}{event_id}".encode()
        state.update(self._mac.digest(message).hex().encode())
        return _text(state.hexdigest())


def copy_id(key: bytes, subscription: str, event_id: str) -> str:
    """One copy's id; where there are many, keep a :class:`CopyIds`."""
    return CopyIds(key).of(subscription, event_id)


def _text(digest: str) -> str:
    return (
        f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}"
        f"-{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"
    )


def id_text(sixteen: bytes) -> str:
    """The text of 36 characters of an id's 16 bytes."""
    digest = sixteen.hex()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
