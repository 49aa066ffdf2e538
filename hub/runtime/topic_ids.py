"""Topic ids: what tells a topic from another of the same name made after it was deleted.

The broker tells them in its metadata from version 10 on, which the client library does not speak.
"""

from __future__ import annotations

from collections.abc import Collection
from io import BytesIO
from typing import Any
from uuid import UUID

from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_METADATA = 3
_VERSION = 10


class _Uuid(AbstractType[UUID]):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


class _Metadata(Response):  # type: ignore[misc]
    API_KEY = _METADATA
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("authorized", Int32),
        ("tags", TaggedFields),
    )


class _MetadataRequest(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = _VERSION
    RESPONSE_TYPE = _Metadata
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)
            ),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("cluster_authorized", Boolean),
        ("topic_authorized", Boolean),
        ("tags", TaggedFields),
    )


class _TopicRequest(Request[_MetadataRequest]):  # type: ignore[misc]
    API_KEY = _METADATA

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def build(self, request_struct_class: type[_MetadataRequest]) -> _MetadataRequest:
        unnamed = UUID(int=0)
        topics: list[tuple[UUID, str, dict[int, bytes]]] = [
            (unnamed, name, {}) for name in self._names
        ]
        return request_struct_class(topics, False, False, False, {})  # noqa: FBT003 - by the protocol


async def topic_ids(consumer: Any, names: Collection[str]) -> dict[str, str]:
    """Ids of those topics that are there, by name; empty where the broker is too old to tell.

    Args:
        consumer: A started consumer; its connections are used.
        names: With prefix.

    Raises:
        aiokafka.errors.KafkaError: no broker answers.
    """
    client = consumer._client  # noqa: SLF001 - the library has no public way to send a request
    try:
        found = await client.send(client.get_random_node(), _TopicRequest(names))
    except (IncompatibleBrokerVersion, NotImplementedError):
        return {}
    return {name: str(topic_id) for error, name, topic_id, *_ in found.topics if not error}
