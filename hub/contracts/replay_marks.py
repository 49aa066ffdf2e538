"""Replay marks: headers on a record that the hub itself sends again, proven by a MAC.

A department may write any header. Without the proof, ``hub.dlq.*`` on a record says nothing: it
can neither stand for another record's dead letter nor hide a failure of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from hmac import compare_digest

import msgspec

from hub.kernel.macs import Mac, derive

Headers = Sequence[tuple[str, bytes]]

CONNECT = "__connect.errors."
OURS = "hub.dlq."
ERROR_PREFIXES = (
    CONNECT, OURS, "__streams.errors.", "__dlq.errors.", "kafka_dlt-", "retry_topic-",
)  # fmt: skip
"""Beginnings of the headers that tell of failures, of every family the hub can read."""

_MAC = f"{OURS}replay-mac"


class ReplayMark(msgspec.Struct, frozen=True):
    """What a redriven record carries of its past; all text.

    Attributes:
        of: Id of the dead letter.
        count: How often it has been redriven, this time included.
        by: The operation that sent it.
        first_failed_at: RFC 3339.
        first_code: Code of the first failure.
        first_topic: Where the record lay at its first failure, as the cluster calls it.
        first_partition: Partition there.
        first_offset: Offset there.
        first_message: Message of the first failure.
    """

    of: str
    count: int
    by: str
    first_failed_at: str
    first_code: str
    first_topic: str
    first_partition: int
    first_offset: int
    first_message: str = ""


_NAMES = {
    "of": "replay-of",
    "count": "replay-count",
    "by": "replay-by",
    **{name: name.replace("_", "-") for name in ReplayMark.__struct_fields__[3:]},
}


class ReplayKey:
    """Signs marks and tells the hub's own from others.

    Args:
        secret: ``K_uid``, which no department holds; a key of its own is derived from it.
    """

    __slots__ = ("_mac",)

    def __init__(self, secret: bytes) -> None:
        self._mac = Mac(derive(secret, "replay"))

    def sign(self, mark: ReplayMark, topic: str, value: bytes | None) -> list[tuple[str, bytes]]:
        """The headers of a mark.

        Args:
            mark: What to tell.
            topic: Where the record goes, as the cluster calls it.
            value: Its value; the mark holds for no other.
        """
        texts = {OURS + header: str(getattr(mark, name)) for name, header in _NAMES.items()}
        found = [(name, text.encode()) for name, text in texts.items()]
        return [*found, (_MAC, self._proof(texts, topic, value))]

    def read(self, headers: Headers, topic: str, value: bytes | None) -> ReplayMark | None:
        """The mark of a record; None: there is none, or it is not the hub's.

        Args:
            headers: Of the record.
            topic: Where it was read, as the cluster calls it.
            value: Its value.
        """
        told = {name: text for name, text in headers if name.startswith(OURS)}
        proof = told.get(_MAC)
        if proof is None:
            return None
        try:
            texts = {OURS + one: told[OURS + one].decode() for one in _NAMES.values()}
        except (KeyError, UnicodeDecodeError):
            return None
        if not compare_digest(proof, self._proof(texts, topic, value)):
            return None
        given = {name: texts[OURS + header] for name, header in _NAMES.items()}
        return msgspec.convert(given, ReplayMark, strict=False)

    def _proof(self, texts: dict[str, str], topic: str, value: bytes | None) -> bytes:
        digest = blake2b(value or b"", digest_size=16).hexdigest()
        parts = [*texts.values(), topic, digest]
        message = "".join(f"{len(part)}:{part}" for part in parts)
        return self._mac.digest(message.encode())[:16].hex().encode()


def without_errors(headers: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Headers without those that tell of failures."""
    return [pair for pair in headers if not pair[0].startswith(ERROR_PREFIXES)]
