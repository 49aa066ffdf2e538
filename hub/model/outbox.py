"""Outbox: copies and hub facts as they lie in the database until the relay takes them."""

from __future__ import annotations

import msgspec

Headers = list[tuple[str, bytes]]
"""Kafka record headers, in order."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Headers)


class OutboxRow(msgspec.Struct, gc=False):
    """One record to be sent, frozen: what a program is granted was decided when it was made.

    Attributes:
        subscription: Whose numbering it joins, e.g. ``medical-aid``; for a hub fact its topic.
        topic: Topic without prefix, e.g. ``program.medical-aid.inbox`` or ``event.category``.
        copy_id: ``ce_id`` of the record.
        key: Text of the person ref as bytes (uid for hub facts), ``b""`` for none.
        headers: :func:`pack` of the headers, without the sequence number.
        body: Value of the record.
        person_key: What keeps the order of a person at a webhook; None: no person.
        event_id: The causing event.
        type: Type of the copy.
        created: ms since 1970, by the hub's clock.
        referral_id: The referral it tells of.
        fields: Field paths that leave, e.g. ``id.name``.
        occurred: ms since 1970.
    """

    subscription: str
    topic: str
    copy_id: str
    key: bytes
    headers: bytes
    body: bytes
    person_key: bytes | None
    event_id: str
    type: str
    created: int
    referral_id: str | None = None
    fields: list[str] = []
    occurred: int = 0


def pack(headers: Headers) -> bytes:
    """Headers as bytes (MessagePack)."""
    return _ENCODER.encode(headers)


def unpack(packed: bytes) -> Headers:
    """Headers of :func:`pack`.

    Raises:
        msgspec.ValidationError: other bytes.
    """
    return _DECODER.decode(packed)
