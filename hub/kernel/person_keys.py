"""Keys that stand for a person: uid, routing key and pairwise pseudonym, and their partition.

An unkeyed hash would be no protection: one county has some 36 million possible ID numbers.
"""

from __future__ import annotations

from functools import cache
from struct import Struct

from hub.kernel.macs import Mac, derive

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""

_PAIRS = tuple(high + low for high in CROCKFORD for low in CROCKFORD)
_FOUR_WORDS = Struct("<4I").unpack
_SIXTY = (1 << 60) - 1
_MASK = 0xFFFFFFFF
_MIX = 0x5BD1E995
_SEED = 0x9747B28C


class UidKey:
    """Makes uids, the person key inside the hub; known to intake alone.

    Args:
        secret: ``K_uid``.
    """

    __slots__ = ("_secret", "resident")

    def __init__(self, secret: bytes) -> None:
        self._secret = Mac(secret)
        self.resident = Mac(secret, b"resident|").first(16)
        """The uid of a normalised ID number's bytes."""

    def uid(self, number: str, id_type: str = "resident") -> bytes:
        """16 bytes: HMAC-SHA-256 of ``id_type|number``, cut.

        Args:
            number: Normalised number.
            id_type: ``resident`` or another kind of document; without ``|``.

        Raises:
            ValueError: ``id_type`` holds a ``|``, so that two pairs could meet in one text.
        """
        if id_type == "resident":
            return self.resident(number.encode())
        if "|" in id_type:
            raise ValueError("An id_type holds no '|'.")
        return self._secret.digest(f"{id_type}|{number}".encode())[:16]


class RouteKey:
    """Makes the record keys of ``in.*``; it spreads people over partitions and nothing else.

    Args:
        secret: ``K_route``.
    """

    __slots__ = ("_numbers", "_records")

    def __init__(self, secret: bytes) -> None:
        self._numbers = Mac(secret, b"number|")
        self._records = Mac(secret, b"record|")

    def route(self, number: str) -> bytes:
        """16 bytes for a normalised ID number."""
        return self._numbers.digest(number.encode())[:16]

    def fallback(self, source: str, record_key: str) -> bytes:
        """16 bytes for a record that names no person."""
        return self._records.digest(f"{len(source)}:{source}{record_key}".encode())[:16]


class PairwiseKey:
    """Makes the pseudonyms of one program; two programs cannot join theirs.

    Args:
        secret: ``K_program`` of that program, see :func:`program_key`.
    """

    __slots__ = ("_mac",)

    def __init__(self, secret: bytes) -> None:
        self._mac = Mac(secret)

    def person_ref(self, uid: bytes) -> str:
        """26 characters of Crockford base 32: 128 bits of HMAC-SHA-256 of the uid."""
        return crockford(self._mac.digest(uid)[:16])


def program_key(master: bytes, program: str, version: int = 1) -> bytes:
    """``K_program``: 32 bytes of its own for each program and key version."""
    return derive(master, f"program|{version}|{program}")


def crockford(sixteen: bytes) -> str:
    """128 bits as 26 characters, zero bits filled in on the left as in a ULID."""
    value = int.from_bytes(sixteen, "big")
    low = value & _SIXTY
    middle = (value >> 60) & _SIXTY
    pairs = _PAIRS
    return (
        pairs[value >> 120]
        + pairs[(middle >> 50) & 1023]
        + pairs[(middle >> 40) & 1023]
        + pairs[(middle >> 30) & 1023]
        + pairs[(middle >> 20) & 1023]
        + pairs[(middle >> 10) & 1023]
        + pairs[middle & 1023]
        + pairs[(low >> 50) & 1023]
        + pairs[(low >> 40) & 1023]
        + pairs[(low >> 30) & 1023]
        + pairs[(low >> 20) & 1023]
        + pairs[(low >> 10) & 1023]
        + pairs[low & 1023]
    )


def murmur2(key: bytes) -> int:
    """Kafka's murmur2 of a record key, as an unsigned 32-bit number."""
    size = len(key)
    whole = size & ~3
    value = _SEED ^ size
    words = _FOUR_WORDS(key) if size == 16 else _words(whole).unpack_from(key)
    for word in words:
        word = word * _MIX & _MASK  # noqa: PLW2901 - three names would cost a third more time
        value = (value * _MIX ^ (word ^ word >> 24) * _MIX) & _MASK
    if whole != size:
        value = (value ^ int.from_bytes(key[whole:], "little")) * _MIX & _MASK
    value = (value ^ value >> 13) * _MIX & _MASK
    return value ^ value >> 15


@cache
def _words(size: int) -> Struct:
    return Struct(f"<{size >> 2}I")


def partition_of(key: bytes, n: int) -> int:
    """The partition of ``n`` in which Kafka's default partitioner puts this key."""
    return (murmur2(key) & 0x7FFFFFFF) % n
