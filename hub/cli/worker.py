"""``hub worker``: intake, decisions, delivery and timers, supervised by faust."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from hub.kernel.errors import ConfigurationError
from hub.kernel.settings import Settings, settings

STAGES = ("intake", "decide", "deliver", "timers")


def command(
    stages: Annotated[
        str, typer.Option(help="运行哪些环节,以逗号分隔 · stages to run, with commas between")
    ] = ",".join(STAGES),
    lanes: Annotated[
        int | None, typer.Option(help="决策通道数;默认取 HUB_LANES · decide lanes; else HUB_LANES")
    ] = None,
    health_port: Annotated[
        int | None,
        typer.Option(help="健康检查端口;0 为任意 · port of /health, /ready, /metrics; 0: any"),
    ] = None,
) -> None:
    """工作进程:接入、决策、投递、定时 · intake, decisions, delivery, timers.

    Raises:
        ConfigurationError: an unknown stage, or no broker or database is named.
    """
    wanted = tuple(part.strip() for part in stages.split(",") if part.strip())
    unknown = set(wanted) - set(STAGES)
    if unknown or not wanted:
        raise ConfigurationError(
            f"There is no stage '{', '.join(sorted(unknown))}'.",
            hint=f"Name some of {', '.join(STAGES)}.",
            message_zh=f"没有环节 {'、'.join(sorted(unknown))};可选:{'、'.join(STAGES)}。",
        )
    chosen = _settings(lanes)
    health = None if health_port is None else ("127.0.0.1", health_port)
    # Faust makes its own folder there, not the one above.
    chosen.data_dir.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("F_DATADIR", str(chosen.data_dir / "faust"))
    _run(chosen, wanted, health)


def _settings(lanes: int | None) -> Settings:
    found = settings()
    if not found.kafka or not found.database:
        raise ConfigurationError(
            "hub worker needs a broker and a database.",
            hint="Set HUB_KAFKA and HUB_DATABASE, or run 'hub dev', which starts both.",
            message_zh="hub worker 需要 Kafka 与数据库:请设置 HUB_KAFKA 与 HUB_DATABASE,"
            "或运行 hub dev(自带两者)。",
        )
    return found.model_copy(update={"lanes": lanes}) if lanes else found


def _run(chosen: Settings, stages: tuple[str, ...], health: tuple[str, int] | None) -> None:
    import faust

    from hub.runtime.app import build_app

    app = build_app(chosen, stages=stages, health=health)
    worker = faust.Worker(
        app, loglevel=chosen.log_level, redirect_stdouts=False, console_port=0, daemon=True
    )
    worker.execute_from_commandline()
