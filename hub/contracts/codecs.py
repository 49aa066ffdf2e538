"""Canonical events and copies to bytes and back: Confluent framing around Avro.

``0x00``, the schema id as four bytes big-endian, the Avro body. Codecs are compiled once per
schema and, for events, once per set of groups that comes along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from hub.contracts.catalogues import Catalogue, catalogue
from hub.contracts.decoders import compile_decoder, compile_event, whole
from hub.contracts.encoders import STUMBLES, compile_copy, compile_encoder, compile_variant
from hub.contracts.events import CanonicalEvent, Groups
from hub.contracts.interpreters import names_of, write
from hub.contracts.schemas import ENVELOPE, SEALED
from hub.contracts.vocabularies import EventType
from hub.contracts.wires import HEAD, MAGIC
from hub.kernel.errors import DataError

Encoder = Callable[[CanonicalEvent], bytes]
Decoder = Callable[[bytes], Any]

_VARIANTS = 256
_ATTRIBUTES = tuple(name for name, *_ in ENVELOPE)


def frame(schema_id: int) -> bytes:
    """The five bytes before an Avro body."""
    return bytes((MAGIC,)) + schema_id.to_bytes(4, "big")


def schema_id_of(value: bytes | None) -> int:
    """The schema id of a framed record.

    Raises:
        DataError: ``E-SCHEMA-ID``, no frame.
    """
    if value is None or len(value) < HEAD or value[0] != MAGIC:
        raise DataError("E-SCHEMA-ID", "", "no schema id")
    return int.from_bytes(value[1:HEAD], "big")


class _Variants(dict[tuple[str, ...], Encoder]):
    """Set of groups → encoder of one event type, compiled when first met."""

    def __init__(self, declared: EventType, place: Catalogue) -> None:
        super().__init__()
        self.declared = declared
        self.id = place.schema_id(declared.type)
        self.schema = place.schemas_by_id[self.id]
        self.names = names_of(self.schema)

    def __missing__(self, present: tuple[str, ...]) -> Encoder:
        if len(self) >= _VARIANTS:
            return self.slowly
        head, required = frame(self.id), self.declared.required
        made = compile_variant(self.schema, present, head, required)
        self[present] = made
        return made

    def slowly(self, event: CanonicalEvent) -> bytes:
        """The event written by the interpreter, or refused with the field's path."""
        if event.lifecycle != "annulled":
            for name in self.declared.required:
                if not event.groups.get(name):
                    raise DataError("E-FIELD-MISSING", name)
        record: dict[str, Any] = {"envelope": {name: getattr(event, name) for name in _ATTRIBUTES}}
        for name, group in event.groups.items():
            record[name] = group.get("sealed") if name.endswith(SEALED) else group
        return frame(self.id) + write(self.schema, record, self.names)


@cache
def event_encoder(event_type: str) -> Encoder:
    """The encoder of one event type, for callers that write many.

    The encoder raises ``DataError``: ``E-SCHEMA-BODY`` with the path of a field or group that
    does not fit or is not declared, ``E-FIELD-MISSING`` where a required group is missing and
    the event annuls nothing.

    Raises:
        DataError: ``E-TYPE-UNKNOWN``, not declared or travelling as copies only.
    """
    place = catalogue()
    variants = _Variants(place.event(event_type), place)
    slowly = variants.slowly

    def encode(event: CanonicalEvent) -> bytes:
        try:
            return variants[tuple(event.groups)](event)
        except STUMBLES:
            return slowly(event)

    return encode


def encode_event(event: CanonicalEvent) -> bytes:
    """A canonical event as framed Avro; errors as :func:`event_encoder`."""
    return event_encoder(event.type)(event)


class _EventDecoders(dict[int, Decoder]):
    """Schema id → decoder of events."""

    def __missing__(self, schema_id: int) -> Decoder:
        place = catalogue()
        file = place.files_by_id.get(schema_id, "")
        if not file.startswith("events/"):
            raise DataError("E-SCHEMA-ID", "", f"id {schema_id}")
        event_type = file.removeprefix("events/").removesuffix(".avsc")
        made = _event_decoder(place.schemas_by_id[schema_id], event_type)
        self[schema_id] = made
        return made


def _event_decoder(schema: Any, event_type: str) -> Decoder:
    known = set(CanonicalEvent.__struct_fields__)
    names = names_of(schema)
    fast = compile_event(schema, CanonicalEvent, CanonicalEvent.__struct_fields__, event_type)

    def decode(value: bytes) -> CanonicalEvent:
        try:
            found: CanonicalEvent = fast(value, HEAD)
        except STUMBLES:
            return slowly(value)
        return found

    def slowly(value: bytes) -> CanonicalEvent:
        record = whole(schema, value, HEAD, names)
        envelope = {name: held for name, held in record.pop("envelope").items() if name in known}
        groups: Groups = {
            name: {"sealed": group} if name.endswith(SEALED) else group
            for name, group in record.items()
        }
        return CanonicalEvent(type=event_type, groups=groups, **envelope)

    return decode


_EVENT_DECODERS = _EventDecoders()


def decode_event(value: bytes) -> CanonicalEvent:
    """A canonical event out of framed Avro, whichever version of the schema wrote it.

    Null fields of groups are left out.

    Raises:
        DataError: ``E-SCHEMA-ID``: no frame, or no event's schema; ``E-SCHEMA-BODY``.
    """
    decoded: CanonicalEvent = _EVENT_DECODERS[schema_id_of(value)](value)
    return decoded


@cache
def _copy_encoder(program: str) -> Callable[[dict[str, Any]], bytes]:
    place = catalogue()
    schema_id = place.schema_id(f"programs/{program}.avsc")
    head, encode = frame(schema_id), compile_encoder(place.schemas_by_id[schema_id])
    return lambda copy: head + encode(copy)


def encode_copy(program: str, copy: dict[str, Any]) -> bytes:
    """A copy for a program or roster recipient as framed Avro.

    Args:
        program: Its id.
        copy: ``envelope``, ``person_ref``, ``household_ref``, granted groups and bodies by name.

    Raises:
        DataError: ``E-TYPE-UNKNOWN`` without a grant; ``E-SCHEMA-BODY`` with the path of a
            field that does not fit or is not granted.
    """
    return _copy_encoder(program)(copy)


class CopyEncoder(dict[tuple[str, ...], Callable[[Any], bytes]]):
    """:func:`encode_copy` for many copies of one receiver: compiled once for each set of parts.

    Args:
        program: The receiver's id.
        constants: Attributes of the envelope that all its copies have in common.
    """

    def __init__(self, program: str, constants: Mapping[str, Any]) -> None:
        super().__init__()
        self._program = program
        self._constants = constants

    def __missing__(self, present: tuple[str, ...]) -> Callable[[Any], bytes]:
        place = catalogue()
        schema_id = place.schema_id(f"programs/{self._program}.avsc")
        made = compile_copy(
            place.schemas_by_id[schema_id], present, frame(schema_id), self._constants
        )
        if len(self) < _VARIANTS:
            self[present] = made
        return made

    def encode(self, copy: dict[str, Any]) -> bytes:
        """As :func:`encode_copy`, errors too."""
        try:
            return self[tuple(copy)](copy)
        except STUMBLES:
            return encode_copy(self._program, copy)


@cache
def _copy_decoder(program: str, schema_id: int) -> Callable[[bytes, int], dict[str, Any]]:
    place = catalogue()
    if place.files_by_id.get(schema_id) != f"programs/{program}.avsc":
        raise DataError("E-SCHEMA-ID", "", f"id {schema_id}")
    return compile_decoder(place.schemas_by_id[schema_id])


def decode_copy(program: str, value: bytes) -> dict[str, Any]:
    """A copy out of framed Avro; null fields and groups are left out.

    Raises:
        DataError: ``E-SCHEMA-ID``: no frame, or another program's schema; ``E-SCHEMA-BODY``.
    """
    return _copy_decoder(program, schema_id_of(value))(value, HEAD)
