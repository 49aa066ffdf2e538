"""Edits: the changed value of a dead letter, checked before anybody is asked to approve it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec

from hub.contracts.codecs import decode_event, encode_event
from hub.contracts.digests import content_digest
from hub.kernel.errors import DataError
from hub.kernel.settings import Settings
from hub.runtime.wirings import Wiring
from hub.store.dead_letter_index import Letter

_OBJECT = msgspec.json.Decoder(dict[str, Any])


class Change(NamedTuple):
    """A changed value, ready to be sent, and which fields differ (names, never values)."""

    value: bytes
    fields: tuple[str, ...]


class Editor:
    """Checks changed values.

    Args:
        wiring: Pipelines of raw records.
        settings: Names of topics.
    """

    def __init__(self, wiring: Wiring, settings: Settings) -> None:
        self._wiring = wiring
        self._settings = settings

    def checked(self, letter: Letter, before: bytes, given: bytes) -> Change:
        """The value to be sent.

        Args:
            letter: The dead letter.
            before: Its value.
            given: JSON; for a raw record the whole of it, for an event those groups that change.

        Raises:
            DataError: not JSON; or it would fail again; or it would be another record.
        """
        try:
            wanted = _OBJECT.decode(given)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise DataError("E-JSON") from None
        topic = self._settings.plain(letter.topic)
        if topic.startswith("in."):
            return self._raw(letter, topic, before, wanted, given)
        return _event(before, wanted)

    def _raw(
        self, letter: Letter, topic: str, before: bytes, wanted: dict[str, Any], given: bytes
    ) -> Change:
        record = SimpleNamespace(
            topic=self._settings.wire(topic), partition=letter.part, offset=letter.off,
            timestamp=letter.recorded_at or letter.first_failed_at, key=None, value=given,
            headers=[],
        )  # fmt: skip
        for to, _key, value, headers in self._wiring.pipelines[topic](record):
            if to.startswith("dlq."):
                told = dict(headers)
                field = told["__connect.errors.exception.message"].decode()
                raise DataError(told["hub.dlq.code"].decode(), field)
            key = decode_event(value).source_record_key
            if key != letter.record_key and not letter.record_key.startswith("digest:"):
                raise DataError("E-FIELD-TYPE", "", "the key of the record differs")
        return Change(given, _differing(_fields(before), wanted))


def _event(before: bytes, wanted: dict[str, Any]) -> Change:
    event = decode_event(before)
    groups = {**event.groups}
    for name, fields in wanted.items():
        if not isinstance(fields, dict):
            raise DataError("E-FIELD-TYPE", name)
        groups[name] = {**groups.get(name, {}), **fields}
    changed = msgspec.structs.replace(event, groups=groups, digest=content_digest(groups))
    return Change(encode_event(changed), _differing(event.groups, groups))


def _fields(value: bytes) -> dict[str, Any]:
    try:
        return _OBJECT.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _differing(before: Any, after: Any, path: str = "") -> tuple[str, ...]:
    """Paths of what differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        return tuple(
            place
            for name in sorted(before.keys() | after.keys())
            for place in _differing(
                before.get(name), after.get(name), f"{path}.{name}" if path else name
            )
        )
    return () if before == after else (path,)
