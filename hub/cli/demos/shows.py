"""The show: the services start while the rest of the program is still being loaded."""

from __future__ import annotations

import asyncio
import importlib
import logging
import shutil
import time
from typing import NamedTuple

from hub.cli.demos.own_settings import demo_settings
from hub.cli.languages import both
from hub.embedded.services import embedded
from hub.embedded.steps import Step
from hub.kernel.settings import Settings

_REST = "hub.cli.demos.performances"


class Options(NamedTuple):
    """Options of the command.

    Attributes:
        once: Play the story, check, end.
        people: People of the city besides the story's.
        rate: Records per second afterwards.
        seed: Of the city and of its load.
        fresh: Begin with an empty folder.
        as_json: Print one JSON document instead of lines.
        incident: What goes wrong once the city runs; empty: nothing.
    """

    once: bool
    people: int
    rate: float
    seed: int
    fresh: bool
    as_json: bool
    incident: str = ""


async def show(chosen: Settings, options: Options) -> bool:
    """Run the demonstration.

    Returns:
        Whether every expectation held.

    Raises:
        HubError: a part does not start or ended.
    """
    begin = time.monotonic()
    own = demo_settings(chosen)
    if options.fresh:
        shutil.rmtree(own.data_dir, ignore_errors=True)
    steps: list[Step] = []
    loading = asyncio.create_task(asyncio.to_thread(importlib.import_module, _REST))

    def progress(step: Step) -> None:
        if step.done:
            steps.append(step)
            if not options.as_json:
                print(f"  ✓ {both(step.zh, step.en)}  {step.seconds:.1f} s", flush=True)  # noqa: T201

    async with embedded(own.data_dir, progress=progress, settings=own) as services:
        await loading
        _hush()
        from hub.cli.demos.performances import perform

        found = {"kafka": services.kafka, "database": services.database}
        settings = own.model_copy(update=found)
        return await perform(settings, options, progress, steps, begin)


def _hush() -> None:
    """Log lines of libraries would run through the tables."""
    import structlog

    logging.getLogger().setLevel(logging.CRITICAL)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
