"""Performances: the story and its tables, then a city under steady load until Ctrl-C."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from hub.cli.demos import consoles
from hub.cli.demos.loads import steady, tell
from hub.cli.demos.plays import Outcome, Play
from hub.cli.demos.reasons import Reasons
from hub.cli.demos.reports import report
from hub.cli.demos.screens import Screen
from hub.cli.demos.shows import Options
from hub.cli.demos.stages import Stage, opened
from hub.cli.languages import both
from hub.cli.output import json_document
from hub.embedded.steps import Progress, Step
from hub.kernel.settings import Settings
from hub.runtime.wiring import agreements

_LAST_LINES = 0.3


async def perform(
    settings: Settings,
    options: Options,
    progress: Progress,
    steps: Sequence[Step],
    begin: float,
) -> bool:
    """Play on services that run.

    Args:
        settings: With the addresses of both services.
        options: Of the command.
        progress: Told every step of the start.
        steps: Those told so far and later.
        begin: Monotonic seconds at which the command began.

    Returns:
        Whether every expectation held.
    """
    screen = Screen(quiet=options.as_json)
    async with opened(
        settings, people=options.people, seed=options.seed, progress=progress
    ) as stage:
        started = time.monotonic() - begin
        agreed = agreements(settings)
        screen.know(stage.manifests, agreed, Reasons(stage.profile, agreed))
        number = stage.run.number
        screen.line(
            both(
                f"第 {number} 次演示,启动 {started:.1f} 秒",
                f"run {number}, started in {started:.1f} s",
            )
        )
        if options.once:
            return await _judged(screen, stage, options, started, steps)
        async with consoles.opened(stage) as desk:
            tell(screen, desk)
            good = await _judged(screen, stage, options, started, steps)
            await steady(stage, screen, options, desk)
    return good


async def _judged(
    screen: Screen, stage: Stage, options: Options, started: float, steps: Sequence[Step]
) -> bool:
    outcome = await _played(screen, stage)
    if options.as_json:
        json_document(report(stage.run.number, outcome, started, steps))
    return outcome.good


async def _played(screen: Screen, stage: Stage) -> Outcome:
    stage.observer.show = screen.linked
    outcome = await Play(stage, screen.step).run()
    await asyncio.sleep(_LAST_LINES)
    stage.observer.show = None
    screen.tables(outcome)
    return outcome
