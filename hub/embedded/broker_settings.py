"""Broker settings: ``server.properties`` and ``meta.properties`` of an embedded node."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from pathlib import Path

from hub.embedded.ports import HOST

NODE = 1

_FIXED: dict[str, str] = {
    "process.roles": "broker,controller",
    "node.id": str(NODE),
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # Topics are made by the hub from their declarations, never by a typing error.
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # One megabyte of body, and room for headers and batch overhead.
    "message.max.bytes": str((1 << 20) + (64 << 10)),
    "log.message.timestamp.type": "LogAppendTime",
    # A killed node may open its port again once its last session is over: 5 s instead of 11 s.
    # Shorter ones fence a live broker on a machine that stalls for a second.
    "broker.session.timeout.ms": "3500",
    "broker.heartbeat.interval.ms": "500",
    # A small disk and a small heap.
    "log.segment.bytes": str(64 << 20),
    "log.index.size.max.bytes": str(1 << 20),
    "log.segment.delete.delay.ms": "1000",
    "log.cleaner.threads": "1",
    "log.cleaner.dedupe.buffer.size": str(16 << 20),
    "metadata.log.segment.bytes": str(8 << 20),
    "metadata.max.retention.bytes": str(32 << 20),
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
}


def broker_properties(
    folder: Path, port: int, controller: int, extra: Mapping[str, str]
) -> dict[str, str]:
    """Every setting of the node.

    Args:
        folder: The folder of its logs.
        port: Where clients connect, on 127.0.0.1.
        controller: Where the node speaks to itself.
        extra: Settings that replace or join the fixed ones.
    """
    return {
        **_FIXED,
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.quorum.voters": f"{NODE}@{HOST}:{controller}",
        "log.dirs": str(folder),
        **extra,
    }


def properties_text(values: Mapping[str, str]) -> str:
    """A Java properties file; backslash and non-ASCII characters are escaped."""

    def escaped(value: str) -> str:
        plain = value.replace("\\", "\\\\")
        units = plain.encode("utf-16-be")
        codes = [int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2)]
        return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)

    return "".join(f"{key}={escaped(value)}\n" for key, value in values.items())


def format_logs(folder: Path, *, node: int = NODE, cluster: str = "") -> None:
    """Format the folder of logs once, as the format tool would, without its two Java starts.

    Args:
        folder: Where the logs will stand.
        node: Number of the node.
        cluster: Id of the cluster, the same at all its nodes; empty: a new one.
    """
    meta = folder / "meta.properties"
    if meta.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "version": "1",
        "cluster.id": cluster or kafka_uuid(),
        "node.id": str(node),
        "directory.id": kafka_uuid(),
    }
    draft = folder / "meta.properties.draft"
    draft.write_text(properties_text(values), encoding="ascii")
    draft.replace(meta)


def kafka_uuid() -> str:
    """22 characters of URL-safe base64, not beginning with a dash, which the tools refuse."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
