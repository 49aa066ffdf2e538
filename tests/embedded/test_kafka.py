"""The node comes back on its port after a kill, and keeps its settings."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaTimeoutError, UnknownTopicOrPartitionError

from hub.embedded import kafka as kafka_module
from hub.embedded.broker_settings import properties_text
from hub.embedded.kafka import KafkaNode
from hub.embedded.ports import all_free, free_ports
from hub.embedded.processes import command_line


async def test_a_killed_node_comes_back_on_the_same_port_and_then_faster(data_dir, monkeypatch):
    monkeypatch.setattr(kafka_module, "_ARCHIVE_DELAY", 0.0)
    node = KafkaNode(data_dir, archive_folder=data_dir / "archives")
    await node.start()
    before = node.bootstrap, node.pid
    assert await node._archiving
    await node.kill()
    assert node.pid is None
    await node.start()
    try:
        assert node.bootstrap == before[0]
        assert node.pid != before[1]
        assert str(data_dir / "archives" / "classes-") in command_line(node.pid)
    finally:
        await node.stop()


async def test_another_program_on_the_stored_port_only_moves_the_node(data_dir):
    taken = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    (data_dir / "kafka").mkdir()
    (data_dir / "kafka" / "ports").write_text(f"{port} {free_ports(1)[0]}\n")
    node = KafkaNode(data_dir, extra={"num.io.threads": "1"})
    await node.start()
    try:
        assert node.bootstrap != f"127.0.0.1:{port}"
        assert "num.io.threads=1\n" in (data_dir / "kafka" / "server.properties").read_text()
    finally:
        await node.stop()
        taken.close()


async def test_the_broker_has_the_settings_the_hub_counts_on(kafka):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, "1")])
    finally:
        await admin.close()
    found = {entry[0]: entry[1] for answer in answers for entry in answer.resources[0][4]}
    assert found["auto.create.topics.enable"] == "false"
    assert found["log.message.timestamp.type"] == "LogAppendTime"
    assert int(found["message.max.bytes"]) == 1_048_576 + 65_536
    assert found["group.initial.rebalance.delay.ms"] == "0"
    assert found["offsets.topic.num.partitions"] == "1"
    assert found["broker.session.timeout.ms"] == "3500"


async def test_a_topic_nobody_declared_is_not_made(kafka):
    producer = AIOKafkaProducer(bootstrap_servers=kafka, request_timeout_ms=1000)
    await producer.start()
    try:
        with pytest.raises((UnknownTopicOrPartitionError, KafkaTimeoutError)):
            await producer.send_and_wait("typing-error", b"x")
    finally:
        await producer.stop()


def test_ports_are_distinct_and_outside_the_range_of_outgoing_connections():
    found = free_ports(4)
    assert len(set(found)) == 4
    assert all(20000 <= port < 32000 for port in found)
    assert all_free(found)


def test_a_properties_file_escapes_what_java_would_misread():
    assert properties_text({"a": "/数据\\x"}) == "a=/\\u6570\\u636e\\\\x\n"
