"""Topics on the broker: what differs from the declarations, and making it so.

Missing topics are created and settings corrected. Partition counts are never changed: a person
would move to another partition; that is work for people, and the plan says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from hub.contracts.topics import Topic
from hub.kernel.errors import HubError

_OVERRIDES = {1, "TOPIC_CONFIG"}
_EXISTS = 36
_LOOKS = 100
_PAUSE = 0.1


class Actual(msgspec.Struct, frozen=True):
    """A topic as the broker has it; ``settings`` are those set on the topic itself."""

    partitions: int
    settings: dict[str, str]


class Change(msgspec.Struct, frozen=True):
    """One difference. ``action``: ``create``, ``settings``, or ``manual`` (work for people)."""

    topic: str
    action: str
    zh: str
    en: str


def plan(topics: Iterable[Topic], actual: Mapping[str, Actual], partitions: int) -> list[Change]:
    """What must change so that the broker has the declared topics.

    Args:
        topics: Declared topics.
        actual: What the broker has, by name.
        partitions: Partitions of topics that leave it to the installation.
    """
    found = []
    for topic in topics:
        wanted = topic.partitions or partitions
        there = actual.get(topic.name)
        if there is None:
            zh, en = f"新建,{wanted} 个分区", f"create with {wanted} partitions"
            found.append(Change(topic.name, "create", zh, en))
            continue
        if there.partitions != wanted:
            zh = f"分区数为 {there.partitions},声明为 {wanted};须停机迁移,不自动更改"
            en = f"{there.partitions} partitions, declared {wanted}: migrate by hand"
            found.append(Change(topic.name, "manual", zh, en))
        wrong = {
            name: f"{name} {there.settings.get(name, '-')} → {value}"
            for name, value in topic.settings().items()
            if there.settings.get(name) != value
        }
        if wrong:
            text = ", ".join(wrong.values())
            found.append(Change(topic.name, "settings", f"更正设置 {text}", f"set {text}"))
    return found


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[Any]:
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await client.start()
        yield client
    except (KafkaError, OSError) as error:
        raise HubError(
            f"Kafka at {bootstrap} does not answer or refused: {type(error).__name__}.",
            hint="Start it, or set HUB_KAFKA to its address.",
            message_zh=f"Kafka({bootstrap})无应答或拒绝:{type(error).__name__}。"
            "请启动它,或用 HUB_KAFKA 指定地址。",
        ) from error
    finally:
        await client.close()


async def actual_topics(bootstrap: str, names: Iterable[str]) -> dict[str, Actual]:
    """Those of the named topics that the broker has.

    Raises:
        HubError: the broker does not answer.
    """
    async with _admin(bootstrap) as client:
        return await _actual(client, set(names))


async def _actual(client: Any, names: set[str]) -> dict[str, Actual]:
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

    there = sorted(names & set(await client.list_topics()))
    if not there:
        return {}
    described = await client.describe_topics(there)
    counts = {entry["topic"]: len(entry["partitions"]) for entry in described}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
    settings: dict[str, dict[str, str]] = {}
    for response in await client.describe_configs(resources):
        for _, _, _, name, entries in response.resources:
            settings[name] = {entry[0]: entry[1] for entry in entries if entry[3] in _OVERRIDES}
    return {name: Actual(counts[name], settings.get(name, {})) for name in there}


async def apply(
    bootstrap: str, topics: Iterable[Topic], partitions: int, replication: int
) -> list[Change]:
    """Create missing topics and correct settings.

    Args:
        bootstrap: Kafka's address.
        topics: Declared topics.
        partitions: Partitions of topics that leave it to the installation.
        replication: Replication factor of new topics.

    Returns:
        What was found before; ``manual`` changes remain.

    Raises:
        HubError: the broker does not answer or refused.
    """
    declared = {topic.name: topic for topic in topics}
    async with _admin(bootstrap) as client:
        actual = await _actual(client, set(declared))
        changes = plan(declared.values(), actual, partitions)
        create = [declared[c.topic] for c in changes if c.action == "create"]
        await _create(client, create, partitions, replication)
        correct = [declared[c.topic] for c in changes if c.action == "settings"]
        await _correct(client, correct, actual)
        if create or correct:
            await _visible(client, declared, partitions)
    return changes


async def _visible(client: Any, declared: Mapping[str, Topic], partitions: int) -> None:
    # A broker answers from its image of the metadata, which follows the controller.
    for _ in range(_LOOKS):
        left = plan(declared.values(), await _actual(client, set(declared)), partitions)
        if all(change.action == "manual" for change in left):
            return
        await asyncio.sleep(_PAUSE)
    raise HubError(
        "Kafka took the changes but does not show them.",
        hint="Run 'hub topics plan' again in a minute and look at the broker's log.",
        message_zh="Kafka 已接受更改但尚未生效。请稍后再运行 hub topics plan,并查看其日志。",
    )


async def _create(client: Any, topics: list[Topic], partitions: int, replication: int) -> None:
    from aiokafka.admin import NewTopic

    if not topics:
        return
    response = await client.create_topics(
        [
            NewTopic(
                name=topic.name,
                num_partitions=topic.partitions or partitions,
                replication_factor=replication,
                topic_configs=topic.settings(),
            )
            for topic in topics
        ]
    )
    for name, code, *message in response.topic_errors:
        # Another process may create the same topics at the same time.
        if code not in {0, _EXISTS}:
            raise _refused(name, code, message)


async def _correct(client: Any, topics: list[Topic], actual: Mapping[str, Actual]) -> None:
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

    if not topics:
        return
    # The request replaces every setting of a topic, so those not declared go along.
    resources = [
        ConfigResource(
            ConfigResourceType.TOPIC,
            topic.name,
            configs=actual[topic.name].settings | topic.settings(),
        )
        for topic in topics
    ]
    for response in await client.alter_configs(resources):
        for code, message, _, name in response.resources:
            if code:
                raise _refused(name, code, [message])


def _refused(topic: str, code: int, message: list[Any]) -> HubError:
    detail = next((str(text) for text in message if text), f"code {code}")
    return HubError(
        f"Kafka refused the topic {topic}: {detail}",
        hint="Check replication (HUB_REPLICATION) and permissions.",
        message_zh=f"Kafka 拒绝了主题 {topic}:{detail}。请检查副本数(HUB_REPLICATION)与权限。",
    )
