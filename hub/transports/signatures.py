"""Signatures of webhooks, after the public rules "Standard Webhooks".

A request carries three headers: ``webhook-id`` (the copy's id, the same at every try),
``webhook-timestamp`` (seconds since 1970) and ``webhook-signature``: one or more of
``v1,<base64>`` (HMAC-SHA-256) and ``v1a,<base64>`` (Ed25519), with spaces between, two while a
key is being changed.

To verify: join id, timestamp and body, as they came, with dots; check that any signature fits
these bytes; refuse a timestamp more than five minutes away; and treat an id that was seen
before as done already. :func:`verified` does the first three.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

TOLERANCE = 300
"""Seconds that the clocks of both sides may differ."""
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


class SigningKey(Protocol):
    """Signs requests."""

    def sign(self, message: bytes) -> str:
        """One signature with its kind."""


class VerifyingKey(Protocol):
    """Checks signatures."""

    def fits(self, message: bytes, signature: str) -> bool:
        """Whether a signature with its kind belongs to the message."""


class SharedKey:
    """A secret both sides hold, 24 bytes at least.

    Args:
        secret: Random bytes.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 24:
            raise ValueError("A webhook secret has at least 24 bytes.")
        self._secret = secret

    def sign(self, message: bytes) -> str:
        """``v1,…``."""
        return f"v1,{base64.b64encode(hmac.digest(self._secret, message, 'sha256')).decode()}"

    def fits(self, message: bytes, signature: str) -> bool:
        """Compared in constant time."""
        return hmac.compare_digest(self.sign(message).encode(), signature.encode())


class PrivateKey:
    """The hub's Ed25519 key; receivers hold the public half and can prove who signed.

    Args:
        seed: 32 random bytes.
    """

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    def sign(self, message: bytes) -> str:
        """``v1a,…``."""
        return f"v1a,{base64.b64encode(self._key.sign(message)).decode()}"

    @property
    def public(self) -> bytes:
        """32 bytes for receivers."""
        return self._key.public_key().public_bytes_raw()


class PublicKey:
    """The half that receivers hold.

    Args:
        public: 32 bytes.
    """

    def __init__(self, public: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(public)

    def fits(self, message: bytes, signature: str) -> bool:
        """Whether the hub signed the message."""
        kind, _, text = signature.partition(",")
        try:
            self._key.verify(base64.b64decode(text, validate=True), message)
        except (InvalidSignature, binascii.Error):
            return False
        return kind == "v1a"


def signed(keys: Sequence[SigningKey], copy_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The three headers.

    Args:
        keys: One, or two while a key is being changed.
        copy_id: Id of the copy.
        seconds: Time of this try.
        body: As sent.
    """
    message = _message(copy_id, str(seconds), body)
    signatures = " ".join(key.sign(message) for key in keys)
    return {ID: copy_id, TIMESTAMP: str(seconds), SIGNATURE: signatures}


def verified(key: VerifyingKey, headers: Mapping[str, str], body: bytes, now: int) -> bool:
    """Whether a request is the hub's and fresh; for receivers.

    Args:
        key: What the receiver holds.
        headers: Names in lower case.
        body: The bytes as they came, before any parsing.
        now: Seconds since 1970.
    """
    seconds = headers.get(TIMESTAMP, "")
    if not (seconds.isascii() and seconds.isdigit()) or abs(now - int(seconds)) > TOLERANCE:
        return False
    message = _message(headers.get(ID, ""), seconds, body)
    return any(key.fits(message, one) for one in headers.get(SIGNATURE, "").split())


def _message(copy_id: str, seconds: str, body: bytes) -> bytes:
    return b".".join([copy_id.encode(), seconds.encode(), body])
