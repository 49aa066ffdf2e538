"""The show: start, story, tables, then a city under steady load until Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import NamedTuple

from hub.cli.demos.plays import Outcome, Play
from hub.cli.demos.reasons import Reasons
from hub.cli.demos.screens import Screen
from hub.cli.demos.setups import demo_settings
from hub.cli.demos.stages import Stage, opened
from hub.cli.languages import both
from hub.kernel.settings import Settings
from hub.runtime.wiring import agreements


class Options(NamedTuple):
    """Options of the command."""

    once: bool
    people: int
    rate: float
    seed: int
    fresh: bool
    as_json: bool


async def show(chosen: Settings, options: Options) -> bool:
    """Run the demonstration.

    Returns:
        Whether every expectation held.

    Raises:
        HubError: a part does not start or ended.
    """
    begin = time.monotonic()
    _hush()
    screen = Screen(quiet=options.as_json)
    own = demo_settings(chosen)
    screen.line(both(f"数据目录 {own.data_dir}", f"data folder {own.data_dir}"))
    async with opened(
        own,
        people=options.people,
        seed=options.seed,
        fresh=options.fresh,
        progress=screen.progress,
    ) as stage:
        started = time.monotonic() - begin
        _announce(screen, stage, started)
        outcome = await _played(screen, stage)
        return outcome.good


def _announce(screen: Screen, stage: Stage, seconds: float) -> None:
    agreed = agreements(stage.settings)
    screen.know(stage.manifests, agreed, Reasons(stage.profile, agreed))
    screen.line(
        both(
            f"第 {stage.run.number} 次演示,启动 {seconds:.1f} 秒",
            f"run {stage.run.number}, started in {seconds:.1f} s",
        )
    )


async def _played(screen: Screen, stage: Stage) -> Outcome:
    stage.observer.show = screen.linked
    outcome = await Play(stage, screen.step).run()
    await asyncio.sleep(0.2)
    stage.observer.show = None
    screen.tables(outcome)
    return outcome


def _hush() -> None:
    """Log lines of libraries would run through the tables."""
    import structlog

    logging.getLogger().setLevel(logging.CRITICAL)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
