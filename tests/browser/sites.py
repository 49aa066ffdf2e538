"""Sites: one invented city with its hub, sampler and console, for the whole session."""

from __future__ import annotations

import asyncio
import logging
import random
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

import connectors
from hub.cli.demos import consoles
from hub.cli.demos.consoles import Desk
from hub.cli.demos.incidents import Incidents
from hub.cli.demos.loads import enter
from hub.cli.demos.own_settings import demo_settings
from hub.cli.demos.stages import Stage, opened
from hub.embedded.services import Services
from hub.embedded.steps import Step
from hub.kernel.settings import Settings

PEOPLE = 150
RATE = 4.0
CITY = 7


@dataclass
class Site:
    """A city at work.

    Attributes:
        stage: Everything but console and sampler.
        desk: The console.
        draw: Everything drawn by chance comes from here.
        incidents: Makes things go wrong.
        mappings: The worker's own copy of the connectors' code, to change and mend it.
    """

    stage: Stage
    desk: Desk
    draw: random.Random
    incidents: Incidents
    mappings: Path

    async def restart_worker(self) -> None:
        """Kill the worker; the one that comes after it has read the code anew."""
        self.stage.worker.kill()
        await asyncio.sleep(1)
        await self.stage.worker.ready()


@asynccontextmanager
async def site(services: Services, folder: Path, seed: int) -> AsyncIterator[Site]:
    """Open a city and let it work."""
    mappings = folder / "code" / "connectors"
    shutil.copytree(Path(connectors.__file__).parent, mappings)
    own = demo_settings(Settings(data_dir=folder, console_port=0, gateway_port=0))  # type: ignore[call-arg]
    settings = own.model_copy(update={"kafka": services.kafka, "database": services.database})
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with pytest.MonkeyPatch.context() as patch:
        # The worker, a process of its own, finds its copy of the package first at every start.
        patch.setenv("PYTHONPATH", str(mappings.parent))
        patch.setenv("PYTHONSAFEPATH", "1")
        async with (
            opened(settings, people=PEOPLE, seed=CITY, progress=_quiet) as stage,
            consoles.opened(stage) as desk,
        ):
            stage.beside(enter(stage, RATE, seed))
            await desk.watch.hurry(RATE)
            draw = random.Random(seed)  # noqa: S311 - which incident
            yield Site(stage, desk, draw, Incidents(stage, draw), mappings)


def _quiet(step: Step) -> None:
    del step
