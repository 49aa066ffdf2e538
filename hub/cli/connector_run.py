"""``hub connectors run``: read one department's sources and publish its raw records."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.output import json_document, say, table
from hub.kernel.clocks import clock_from
from hub.kernel.errors import ConfigurationError, HubError
from hub.kernel.person_keys import RouteKey
from hub.kernel.secrets import Secrets
from hub.kernel.settings import Settings, settings
from hub.sdk.durations import duration_ms
from hub.sdk.manifests import Manifest, load_manifests

if TYPE_CHECKING:
    from hub.transports.switches import Switch

Counters = list[tuple[str, str, str, int]]
"""Item, way, name and number."""


def run(
    connector: Annotated[str, typer.Argument(help="连接器编号 · Connector id", metavar="ID")],
    *,
    database: Annotated[
        str,
        typer.Option(
            envvar="HUB_SOURCE_DATABASE",
            help="部门交换库(只读账号) · The department's database, by an account that only reads",
        ),
    ] = "",
    folder: Annotated[
        Path | None,
        typer.Option(envvar="HUB_SOURCE_FOLDER", help="文件投放文件夹 · Drop folder"),
    ] = None,
    queue: Annotated[
        str,
        typer.Option(
            "--brokers", envvar="HUB_SOURCE_KAFKA", help="部门 Kafka · The department's brokers"
        ),
    ] = "",
    every: Annotated[
        str, typer.Option(help="轮询间隔,如 PT30S;默认按清单 · Pause between polls")
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="每项读一次后退出 · Read once")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON · JSON output")] = False,
) -> None:
    """运行连接器:读取部门数据并发布 · Run a connector: read and publish."""
    chosen = settings()
    _log_to_stderr(chosen)
    manifest = _manifest(connector)
    drop = folder or _own_folder(chosen, manifest)
    work = _run(chosen, manifest, (database, queue, drop), once=once, every=_seconds(every))
    rows = asyncio.run(work)
    if as_json:
        json_document(
            [
                {"item": item, "way": way, "counter": name, "value": number}
                for item, way, name, number in rows
            ]
        )
        return
    columns = [("数据项", "item"), ("方式", "way"), ("计数", "counter"), ("数值", "value")]
    table(columns, rows, right=(3,))
    if any(name in {"rejected", "refused_files"} for _, _, name, _ in rows):
        say(
            f"有需要更正的行或文件,见 {drop}/rejects。",
            f"Rows or files to correct are in {drop}/rejects.",
        )


def _log_to_stderr(chosen: Settings) -> None:
    # Standard output is the counters'; a program may read them there.
    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(ensure_ascii=False)
            if chosen.log_json
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(chosen.log_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _manifest(connector: str) -> Manifest:
    manifests = load_manifests()
    if connector not in manifests:
        raise ConfigurationError(
            f"There is no connector {connector}.",
            hint=f"Known: {', '.join(manifests)}.",
            message_zh=f"没有连接器 {connector}。",
        )
    return manifests[connector]


def _own_folder(chosen: Settings, manifest: Manifest) -> Path | None:
    # Only a connector that takes files gets a folder nobody asked for.
    if any(item.file and "file" in item.ways for item in manifest.items):
        return chosen.data_dir / "connectors" / manifest.id
    return None


def _seconds(every: str) -> float | None:
    if not every:
        return None
    try:
        return duration_ms(every) / 1000
    except ValueError as error:
        raise ConfigurationError(
            f"--every {every} is {error}.",
            hint="Write PT30S for thirty seconds.",
            message_zh=f"--every {every} 不是有效的时长;三十秒写作 PT30S。",
        ) from None


async def _run(
    chosen: Settings,
    manifest: Manifest,
    sources: tuple[str, str, Path | None],
    *,
    once: bool,
    every: float | None,
) -> Counters:
    # Loaded here: the other commands of 'hub connectors' need none of it.
    from hub.transports.cursors import FileCursors
    from hub.transports.publishers import Publisher
    from hub.transports.runners import ConnectorRunner, Sources, Surroundings

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with Publisher(
        _brokers(chosen), f"dept.{manifest.id}", chosen.max_body, chosen.topic_prefix
    ) as sink:
        around = Surroundings(
            sink=sink,
            cursors=FileCursors(chosen.data_dir / "cursors"),
            route=RouteKey(Secrets.load(chosen, ("k_route",)).k_route),
            clock=clock_from(chosen.clock, synthetic_people=chosen.synthetic_people),
            maximum=chosen.max_body,
            synthetic=chosen.synthetic_people,
        )
        runner = ConnectorRunner(manifest, Sources(*sources), around)
        beating = _beating(chosen, manifest, runner.switch, stop) if not once else None
        await runner.run(stop, once=once, every=every)
        if beating is not None:
            stop.set()
            await beating
    return [(*place, number) for place, number in sorted(runner.counters.items()) if number]


def _beating(
    chosen: Settings, manifest: Manifest, switch: Switch, stop: asyncio.Event
) -> asyncio.Task[None] | None:
    """Tell the gateway how this connector is, where a gateway and a key are named."""
    from hub.transports.heartbeats import Heart

    if not chosen.connector_gateway or not chosen.connector_key:
        return None
    heart = Heart(chosen.connector_gateway, chosen.connector_key, manifest.id, switch)
    return asyncio.create_task(heart.run(stop), name="heart")


def _brokers(chosen: Settings) -> str:
    # A connector runs at the department: it needs the brokers and never the hub's database.
    if chosen.kafka:
        return chosen.kafka
    from hub.embedded.services import running

    found = running(chosen.data_dir)
    if found is None:
        raise HubError(
            f"No hub runs on {chosen.data_dir}, and HUB_KAFKA is not set.",
            hint="Set HUB_KAFKA, or start 'hub dev' in another terminal.",
            message_zh=f"{chosen.data_dir} 上没有运行中的枢纽,也未设置 HUB_KAFKA;"
            "请设置该项,或在另一终端运行 hub dev。",
        )
    return found.kafka
