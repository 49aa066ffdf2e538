"""Pushed records: what the gateway checks of a request before it answers "accepted".

Only the form is judged here, as the mapping in intake judges the rest; a caller gets its answer
in a few microseconds.
"""

from __future__ import annotations

from typing import NamedTuple

import orjson

from hub.kernel.errors import DataError
from hub.transports.records import RawRecord, RecordMaker, text_at

STATUS = {"E-TOO-LARGE": 413, "E-JSON": 400, "E-ENCODING": 400}
"""HTTP status by code; every other code answers 422."""


class Principal(NamedTuple):
    """Who sent it.

    Attributes:
        kind: ``ce_authtype``: ``user``, ``app_user``, ``service_account`` or ``api_key``.
        account: ``ce_authid``: id of the account, no personal name.
    """

    kind: str
    account: str


def accept(maker: RecordMaker, body: bytes, principal: Principal) -> RawRecord:
    """The raw record of a request's body.

    Args:
        maker: Of the item that the address names.
        body: Unchanged, as it came.
        principal: Goes into the record's headers.

    Returns:
        A record to publish. With ``refused`` it is the dead letter of a body over the limit,
        which is published too while the caller gets 413.

    Raises:
        DataError: ``E-ENCODING``, ``E-JSON`` (also where it is no object), ``E-FIELD-MISSING``
            naming a key field; nothing is published, the caller corrects the request.
    """
    extra = (
        ("ce_authtype", principal.kind.encode()),
        ("ce_authid", principal.account.encode()),
    )
    if len(body) > maker.feed.maximum:
        return maker.of_body(body, extra)
    row = _object(body)
    for name in maker.feed.keys:
        if not text_at(row, name):
            raise DataError("E-FIELD-MISSING", name)
    return maker.of_body(body, extra)


def _object(body: bytes) -> dict[str, object]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise DataError(_wrong_bytes(body)) from None
    if not isinstance(found, dict):
        raise DataError("E-JSON", detail="not an object")
    return found


def _wrong_bytes(body: bytes) -> str:
    try:
        body.decode()
    except UnicodeDecodeError:
        return "E-ENCODING"
    return "E-JSON"


def status_of(code: str) -> int:
    """HTTP status of a refusal."""
    return STATUS.get(code, 422)
