"""Topics on a real broker: planned, created, corrected, and what is left to people."""

import asyncio
import json
from uuid import uuid4

import msgspec
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from hub.cli import topics as command
from hub.cli.main import main
from hub.contracts.catalogues import catalogue
from hub.contracts.provisions import Actual, actual_topics, apply, plan
from hub.kernel.errors import HubError

SOME = [catalogue().topics[name] for name in ("in.police.deaths", "program.dibao.inbox")]


def test_a_plan_against_an_empty_broker_creates_everything():
    changes = plan(SOME, {}, 4)
    assert [(c.topic, c.action) for c in changes] == [
        ("in.police.deaths", "create"),
        ("program.dibao.inbox", "create"),
    ]
    assert "4" in changes[0].en
    assert "1" in changes[1].en


def test_a_broker_as_declared_needs_nothing():
    actual = {topic.name: Actual(topic.partitions or 4, topic.settings()) for topic in SOME}
    assert plan(SOME, actual, 4) == []


def test_another_partition_count_is_work_for_people():
    actual = {SOME[0].name: Actual(8, SOME[0].settings())}
    assert [c.action for c in plan(SOME[:1], actual, 4)] == ["manual"]


@pytest.mark.embedded
async def test_topics_are_created_once_corrected_and_other_settings_kept(kafka):
    mark = uuid4().hex[:8]
    topics = catalogue().topics.values()
    declared = [msgspec.structs.replace(topic, name=f"{mark}.{topic.name}") for topic in topics]
    first = declared[0]
    made = await apply(kafka, declared, 2, 1)
    assert {c.action for c in made} == {"create"}
    assert len(made) == len(declared)
    assert await apply(kafka, declared, 2, 1) == []
    actual = await actual_topics(kafka, [first.name])
    assert actual[first.name].settings["message.timestamp.type"] == "LogAppendTime"
    assert actual[first.name].partitions == 2

    await _set(kafka, first.name, {"retention.ms": "1", "segment.ms": "60000"})
    for _ in range(100):
        if "segment.ms" in (await actual_topics(kafka, [first.name]))[first.name].settings:
            break
        await asyncio.sleep(0.1)
    changes = await apply(kafka, declared, 2, 1)
    assert [(c.topic, c.action) for c in changes] == [(first.name, "settings")]
    after = (await actual_topics(kafka, [first.name]))[first.name].settings
    assert after["retention.ms"] == str(first.retention_ms)
    assert after["segment.ms"] == "60000"

    longer = msgspec.structs.replace(first, partitions=3)
    assert [c.action for c in await apply(kafka, [longer], 2, 1)] == ["manual"]


async def _set(bootstrap, topic, values):
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        await client.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic, configs=values)]
        )
    finally:
        await client.close()


async def test_a_broker_that_does_not_answer_is_told_in_two_languages():
    with pytest.raises(HubError) as refused:
        await actual_topics("127.0.0.1:1", ["a"])
    assert "HUB_KAFKA" in refused.value.message_zh
    assert "HUB_KAFKA" in refused.value.hint


def test_the_list_of_topics_is_json_for_programs(capsys):
    assert main(["topics", "list", "in.police", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == [
        "in.police.deaths",
        "in.police.households",
    ]


def test_a_plan_without_an_address_says_what_to_set(capsys, monkeypatch):
    monkeypatch.setattr(command, "settings", type("None", (), {"kafka": ""}))
    assert main(["topics", "plan"]) == 2
    assert "HUB_KAFKA" in capsys.readouterr().err


def test_schema_commands_answer(capsys):
    assert main(["schemas", "build", "--check"]) == 0
    assert main(["schemas", "check"]) == 0
    assert main(["schemas", "show", "health.hospitalized"]) == 0
    assert "admitted_on" in capsys.readouterr().out
    assert main(["schemas", "show", "nothing"]) == 2
    assert main(["schemas", "check", "--mode", "SIDEWAYS"]) == 2
