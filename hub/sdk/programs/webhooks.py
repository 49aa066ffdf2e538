"""Webhooks: how a receiver knows that a body comes from the hub and was not changed on its way.

Headers as in Standard Webhooks: ``webhook-id``, ``webhook-timestamp`` (seconds) and
``webhook-signature`` (``v1,`` and HMAC-SHA-256 over ``id.timestamp.body`` in base 64; several
signatures, e.g. during a change of keys, stand with spaces between).
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping

from hub.kernel.errors import DataError
from hub.kernel.macs import Mac, derive
from hub.kernel.person_keys import program_key
from hub.sdk.programs.copies import Copy, from_event

ID = "webhook-id"
TIMESTAMP = "webhook-timestamp"
SIGNATURE = "webhook-signature"
TOLERANCE = 300
"""Seconds that a signature stays good; a copy sent again is signed again."""


def key(master: bytes, program: str) -> bytes:
    """The secret the hub shares with one receiver, 32 bytes.

    Args:
        master: The master of program keys.
        program: The receiver.
    """
    return derive(program_key(master, program), "webhook")


def sign(secret: bytes, copy_id: str, body: bytes, *, now: int) -> dict[str, str]:
    """The three headers of a delivery.

    Args:
        secret: From :func:`key`.
        copy_id: ``ce_id`` of the copy.
        body: Exactly as sent.
        now: Seconds since 1970.
    """
    return {ID: copy_id, TIMESTAMP: str(now), SIGNATURE: _signature(secret, copy_id, now, body)}


def verify(
    program: str,
    secrets: Iterable[bytes],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: int,
) -> Copy:
    """The copy of a request, if the hub made it.

    Args:
        program: The receiver.
        secrets: The secret shared with the hub; two during a change of keys.
        headers: Of the request; names in any case.
        body: Exactly as received.
        now: Seconds since 1970.

    Raises:
        DataError: ``E-SENDER``: no signature, an old one or a wrong one, or the body's id is
            not the signed one; the codes of a body that cannot be read.
    """
    found = {name.lower(): value for name, value in headers.items()}
    copy_id, text = found.get(ID, ""), found.get(TIMESTAMP, "")
    if not copy_id or not (text.isascii() and text.isdigit()):
        raise DataError("E-SENDER", ID, "no signature")
    if abs(now - int(text)) > TOLERANCE:
        raise DataError("E-SENDER", TIMESTAMP, "too old or from the future")
    given = found.get(SIGNATURE, "").split()
    if not any(_matches(given, _signature(one, copy_id, int(text), body)) for one in secrets):
        raise DataError("E-SENDER", SIGNATURE, "wrong signature")
    copy = from_event(program, body)
    if copy.id != copy_id:
        raise DataError("E-SENDER", ID, "another id in the body")
    return copy


def _signature(secret: bytes, copy_id: str, now: int, body: bytes) -> str:
    digest = Mac(secret).digest(f"{copy_id}.{now}.".encode() + body)
    return f"v1,{b64encode(digest).decode()}"


def _matches(given: list[str], wanted: str) -> bool:
    return any(hmac.compare_digest(one.encode(), wanted.encode()) for one in given)
