"""Clients: Kafka consumers and producers with the settings the stages rely on."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import Any

import aiokafka
from aiokafka.errors import KafkaError

from hub.runtime.quiet_logs import install

SESSION_MS = 6_000
_NEVER_MS = 2**31 - 1
_STOP_SECONDS = 2.0


def consumer(bootstrap: str, group: str, instance: str | None) -> Any:
    """A consumer whose Kafka offsets are only a mirror.

    ``earliest`` is safe because every partition is paused until it was sought to its claim.

    Args:
        bootstrap: Broker addresses.
        group: Group id, with prefix.
        instance: Static member id; None for a dynamic member.
    """
    install()
    return aiokafka.AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        group_instance_id=instance,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        session_timeout_ms=SESSION_MS,
        heartbeat_interval_ms=1_500,
        # A member that polls nothing for so long leaves and joins no more before it polls, which
        # the lanes do not do without claims. Whether work goes on is the watchdog's to judge.
        max_poll_interval_ms=_NEVER_MS,
        rebalance_timeout_ms=15_000,
        # Data end the wait at once; without any, each fetch names all partitions again.
        fetch_max_wait_ms=500,
        max_partition_fetch_bytes=1 << 20,
        metadata_max_age_ms=30_000,
    )


def producer(bootstrap: str) -> Any:
    """An idempotent producer that waits for all replicas."""
    install()
    made = aiokafka.AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=1 << 20,
        max_request_size=(1 << 20) + (1 << 17),
        request_timeout_ms=20_000,
    )
    # Else a batch is given up where its partition has had no leader for 20 s, and the batch behind
    # it is sent once there is one: order would be lost, and every later number refused.
    made._message_accumulator._batch_ttl = math.inf  # noqa: SLF001 - there is no public setting
    return made


async def renewed(old: Any, error: BaseException) -> Any:
    """The producer to go on with after a fault.

    After a gap in its numbers, or once it was fenced, a producer refuses everything; a new one
    counts anew.
    """
    if not isinstance(error, KafkaError) or error.retriable:
        return old
    made = producer(old.client._bootstrap_servers)  # noqa: SLF001 - it keeps them nowhere else
    try:
        await made.start()
    except KafkaError:
        return old
    with suppress(TimeoutError, KafkaError):
        await asyncio.wait_for(old.stop(), _STOP_SECONDS)
    return made


def is_broker_fault(error: BaseException) -> bool:
    """Whether the broker or the way to it failed, so that trying again is right."""
    if isinstance(error, KafkaError):
        return bool(error.retriable) or type(error).__name__ in _RIDDEN_OUT
    return isinstance(error, ConnectionError | TimeoutError)


_RIDDEN_OUT = frozenset(
    {
        "IllegalStateError",  # a partition was revoked between two lines
        "KafkaConnectionError",
        "KafkaTimeoutError",
        "NodeNotReadyError",
        "CommitFailedError",
        "UnknownMemberIdError",
        "OutOfOrderSequenceNumber",
    }
)
