"""Webhooks: how a receiver knows that a body comes from the hub and was not changed on its way.

Headers as in Standard Webhooks: ``webhook-id``, ``webhook-timestamp`` (seconds) and
``webhook-signature``: ``v1,<base64>`` (HMAC-SHA-256 under the shared secret) or ``v1a,<base64>``
(Ed25519) over ``id.timestamp.body``, several with spaces between while keys are changed.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping

from hub.kernel.errors import DataError
from hub.sdk.programs.copies import Copy, from_event

ID = "webhook-id"
TIMESTAMP = "webhook-timestamp"
SIGNATURE = "webhook-signature"
TOLERANCE = 300
"""Seconds that the clocks of both sides may differ; a copy sent again is signed again."""


def verify(
    program: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: int,
    secrets: Collection[bytes] = (),
    public_keys: Collection[bytes] = (),
) -> Copy:
    """The copy of a request, if the hub made it. One that was seen before has the same id.

    Args:
        program: The receiver.
        headers: Of the request; names in any case.
        body: Exactly as received.
        now: Seconds since 1970.
        secrets: Shared with the hub; two during a change of keys.
        public_keys: The hub's Ed25519 keys, 32 bytes each.

    Raises:
        DataError: ``E-SENDER``: no signature, an old one or a wrong one, or the body's id is
            not the signed one; the codes of a body that cannot be read.
    """
    found = {name.lower(): value for name, value in headers.items()}
    copy_id, seconds = found.get(ID, ""), found.get(TIMESTAMP, "")
    if not copy_id or not (seconds.isascii() and seconds.isdigit()):
        raise DataError("E-SENDER", ID, "no signature")
    if abs(now - int(seconds)) > TOLERANCE:
        raise DataError("E-SENDER", TIMESTAMP, "too old or from the future")
    message = b".".join([copy_id.encode(), seconds.encode(), body])
    given = found.get(SIGNATURE, "").split()
    if not any(
        _shared(one, message, secrets) or _public(one, message, public_keys) for one in given
    ):
        raise DataError("E-SENDER", SIGNATURE, "wrong signature")
    copy = from_event(program, body)
    if copy.id != copy_id:
        raise DataError("E-SENDER", ID, "another id in the body")
    return copy


def _shared(given: str, message: bytes, secrets: Collection[bytes]) -> bool:
    return any(
        hmac.compare_digest(
            given.encode(), b"v1," + b64encode(hmac.digest(secret, message, "sha256"))
        )
        for secret in secrets
    )


def _public(given: str, message: bytes, public_keys: Collection[bytes]) -> bool:
    kind, _, text = given.partition(",")
    if kind != "v1a" or not public_keys:
        return False
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    for key in public_keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(b64decode(text, validate=True), message)
        except (InvalidSignature, binascii.Error):
            continue
        return True
    return False
