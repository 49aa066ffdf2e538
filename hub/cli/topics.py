"""``hub topics``: the declared topics, and bringing the broker in line with them."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

import msgspec
import typer

from hub.cli.output import json_document, say, table
from hub.contracts.catalogues import catalogue
from hub.contracts.provisions import Change, actual_topics, apply, plan
from hub.contracts.topics import Topic
from hub.kernel.errors import ConfigurationError, HubError
from hub.kernel.settings import settings

DIFFERS = 3
"""Exit code of a plan that is not empty."""

app = typer.Typer(
    help="主题目录:列出、比对、创建 · Catalogue of topics: list, compare, create",
    no_args_is_help=True,
    add_completion=False,
)
Json = Annotated[bool, typer.Option("--json", help="输出 JSON · JSON output")]
Kafka = Annotated[
    str, typer.Option(help="Kafka 地址;默认取 HUB_KAFKA · Kafka's address; else HUB_KAFKA")
]


@app.command("list")
def list_topics(
    prefix: Annotated[str, typer.Argument(help="名称前缀 · Beginning of the name")] = "",
    *,
    as_json: Json = False,
) -> None:
    """列出已声明的主题 · List the declared topics."""
    found = [topic for topic in catalogue().topics.values() if topic.name.startswith(prefix)]
    if as_json:
        json_document([_row(topic) for topic in found])
        return
    columns = [("主题", "topic"), ("归属", "owner"), ("键", "key"), ("分区", "partitions")]
    columns += [("保留(天)", "days kept"), ("编码", "encoding"), ("名称", "name")]
    rows = [
        (
            topic.name,
            topic.owner,
            topic.key,
            topic.partitions or settings().partitions,
            topic.retention_ms // 86_400_000,
            topic.encoding,
            topic.zh,
        )
        for topic in found
    ]
    table(columns, rows, right=(3, 4))


@app.command("plan")
def show_plan(kafka: Kafka = "", *, as_json: Json = False) -> None:
    """比对 Kafka 与声明;有差异时退出码为 3 · Compare Kafka with the declarations (exit 3)."""
    address, topics = _address(kafka), _wired()
    actual = asyncio.run(actual_topics(address, [topic.name for topic in topics]))
    changes = plan(topics, actual, settings().partitions)
    _show(changes, as_json=as_json)
    if changes:
        raise typer.Exit(DIFFERS)


@app.command("apply")
def make(
    kafka: Kafka = "",
    wait: Annotated[
        int, typer.Option(help="等待 Kafka 就绪的秒数 · Seconds to wait for Kafka", min=0)
    ] = 0,
    *,
    as_json: Json = False,
) -> None:
    """创建缺少的主题并更正设置 · Create missing topics and correct settings."""
    changes = asyncio.run(_applied(_address(kafka), time.monotonic() + wait))
    _show(changes, as_json=as_json)
    if any(change.action == "manual" for change in changes):
        raise typer.Exit(DIFFERS)


async def _applied(kafka: str, until: float) -> list[Change]:
    """Apply; a broker that is still starting is asked again until the time is over."""
    chosen = settings()
    while True:
        try:
            return await apply(kafka, _wired(), chosen.partitions, chosen.replication)
        except HubError:
            if time.monotonic() >= until:
                raise
            await asyncio.sleep(1)


def _wired() -> list[Topic]:
    """The declared topics under their names on the cluster (``HUB_TOPIC_PREFIX``)."""
    return [
        msgspec.structs.replace(topic, name=settings().wire(topic.name))
        for topic in catalogue().topics.values()
    ]


def _address(kafka: str) -> str:
    found = kafka or settings().kafka
    if not found:
        raise ConfigurationError(
            "No Kafka address is given.",
            hint="Set HUB_KAFKA or use --kafka HOST:PORT; the embedded broker needs no apply.",
            message_zh="未给出 Kafka 地址。请设置 HUB_KAFKA 或使用 --kafka;内置 Kafka 无须此步。",
        )
    return found


def _show(changes: list[Change], *, as_json: bool) -> None:
    if as_json:
        json_document([_row(change) for change in changes])
    elif not changes:
        say("主题与声明一致。", "Topics are as declared.")
    else:
        columns = [("主题", "topic"), ("动作", "action"), ("说明", "what")]
        table(columns, [(c.topic, c.action, f"{c.zh} · {c.en}") for c in changes])


def _row(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__struct_fields__}
