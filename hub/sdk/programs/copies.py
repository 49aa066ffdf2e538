"""Copies as a receiver holds them, the same whether they came by Kafka, webhook or pull."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hub.contracts.catalogues import catalogue
from hub.contracts.cloudevents import from_json, read_headers
from hub.contracts.codecs import decode_copy
from hub.contracts.renderings import plain
from hub.kernel.errors import DataError
from hub.sdk.programs.values import raw


class Copy(msgspec.Struct, frozen=True):
    """One delivered copy.

    Attributes:
        program: The receiver.
        id: ``ce_id``; the same copy sent again has the same id.
        type: E.g. ``referral.created``.
        sequence: Gapless number of the subscription within a generation, from 1.
        generation: Counts up when a subscription's numbers start anew.
        attributes: CloudEvents attributes by name without ``ce_``.
        data: ``envelope``, ``person_ref``, granted groups and bodies; dates as days since
            1970-01-01, instants as ms, money as fen.
    """

    program: str
    id: str
    type: str
    sequence: int
    generation: int
    attributes: dict[str, str]
    data: dict[str, Any]

    @property
    def envelope(self) -> dict[str, Any]:
        """Reason, deadline, referral, legal basis."""
        found: dict[str, Any] = self.data["envelope"]
        return found

    @property
    def referral_id(self) -> str | None:
        """The referral it tells of."""
        return self.envelope.get("referral_id")

    @property
    def person_ref(self) -> str | None:
        """The receiver's own pseudonym of the person."""
        return self.data.get("person_ref")

    def plain(self) -> dict[str, Any]:
        """The data for people: dates and instants as text, money in yuan."""
        found: dict[str, Any] = plain(_schema(self.program), self.data)
        return found


def from_record(program: str, value: bytes, headers: Iterable[tuple[str, bytes | None]]) -> Copy:
    """A copy out of a Kafka record.

    Raises:
        DataError: another program's schema, or headers without id or number.
    """
    return _copy(program, read_headers(headers).attributes, decode_copy(program, value))


def from_event(program: str, body: bytes) -> Copy:
    """A copy out of structured CloudEvents JSON, as webhooks and pull carry it.

    Raises:
        DataError: no CloudEvent, or one without number or data.
    """
    attributes, data = from_json(body)
    if not isinstance(data, dict):
        raise DataError("E-FIELD-MISSING", "data")
    texts = {name: str(value) for name, value in attributes.items()}
    return _copy(program, texts, raw(_schema(program), data))


def _copy(program: str, attributes: dict[str, str], data: dict[str, Any]) -> Copy:
    for name in ("id", "subscriptionseq", "subscriptiongen"):
        if name not in attributes:
            raise DataError("E-FIELD-MISSING", f"ce_{name}")
    return Copy(
        program=program,
        id=attributes["id"],
        type=data["envelope"]["type"],
        sequence=int(attributes["subscriptionseq"]),
        generation=int(attributes["subscriptiongen"]),
        attributes=attributes,
        data=data,
    )


def _schema(program: str) -> Any:
    place = catalogue()
    return place.schemas_by_id[place.schema_id(f"programs/{program}.avsc")]
