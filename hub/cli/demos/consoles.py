"""The operators' console of a demonstration: its sampler, its pages, its accounts."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from hub.cli.demos.stages import Stage
from hub.console import passwords
from hub.console.names import sentences
from hub.console.servers import serving
from hub.embedded.city.loads import FED, LONGEST_GAP
from hub.gateway.keys import development_key
from hub.kernel.clocks import SystemClock, clock_from, epoch_ms
from hub.runtime.alerting import Alerting
from hub.runtime.channel_secrets import ChannelSecrets
from hub.runtime.sampler_pages import Exposition
from hub.runtime.samplers import Sampler
from hub.sdk.manifests import Manifest, Refresh
from hub.store import accounts

SAMPLE_SECONDS = 2.0
"""Pictures come faster than elsewhere, and rates are means of seconds: nobody watches for hours."""
RATES_MS = 10_000
_LEAST_SECONDS = 12.0
PEOPLE = (
    ("op", "张运维", "operator", ("reveal",)),
    ("op2", "李复核", "operator", ()),
    ("audit", "赵审计", "auditor", ()),
    ("admin", "王管理", "admin", ()),
)
"""Account, name, role and extra rights; two operators, since some acts need two."""


class Watch:
    """The sampler, and the alerts that it judges.

    Args:
        stage: What it looks at.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._stop = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    def begin(self, rate: float = 0) -> None:
        """Take pictures.

        Args:
            rate: Of the load, see :func:`promised`.
        """
        settings = self._stage.settings
        clock = clock_from(settings.clock, synthetic_people=settings.synthetic_people)

        def now() -> int:
            return epoch_ms(clock.now())

        alerting = Alerting(
            settings.database, sentences(settings), Exposition(now), now, ChannelSecrets(settings)
        )
        sampler = Sampler(
            settings,
            settings.kafka,
            settings.database,
            seen=alerting.seen,
            seconds=SAMPLE_SECONDS,
            manifests=promised(self._stage.manifests, rate),
            window=RATES_MS,
        )
        self._stop.clear()
        self._work = self._stage.beside(sampler.run(self._stop))
        self._stage.beside(alerting.run(self._stop))

    async def end(self) -> None:
        """Take no more."""
        self._stop.set()
        if self._work is not None:
            await asyncio.wait([self._work])

    async def hurry(self, rate: float) -> None:
        """Count silences in seconds, once everybody that the load feeds has said something."""
        await asyncio.sleep(2 * LONGEST_GAP / rate)
        await self.end()
        self.begin(rate)


class Desk(NamedTuple):
    """Where operators sit.

    Attributes:
        url: Of the console, without a slash at the end.
        password: Of all accounts; another one at every start.
        watch: What takes the pictures.
    """

    url: str
    password: str
    watch: Watch


def promised(manifests: Mapping[str, Manifest], rate: float) -> dict[str, Manifest]:
    """The manifests with cadences of seconds for what the load feeds.

    Args:
        manifests: As declared.
        rate: Records per second of the load; 0: the cadences stay as they are.
    """
    if not rate:
        return dict(manifests)
    seconds = max(_LEAST_SECONDS, 3 * LONGEST_GAP / rate)
    often = Refresh(every=f"PT{seconds:.0f}S")
    return {
        name: one.model_copy(
            update={
                "items": [
                    item.model_copy(update={"refresh": often}) if (name, item.id) in FED else item
                    for item in one.items
                ]
            }
        )
        for name, one in manifests.items()
    }


@asynccontextmanager
async def opened(stage: Stage) -> AsyncIterator[Desk]:
    """Sampler and console beside the stage, until the block ends."""
    settings = stage.settings.model_copy(
        update={
            "console_lookup": stage.served.url,
            "console_lookup_key": development_key(stage.settings, "operator:console"),
        }
    )
    password = await _accounts(stage)
    watch = Watch(stage)
    watch.begin()
    try:
        async with serving(settings, kafka=settings.kafka, database=settings.database) as url:
            yield Desk(url, password, watch)
    finally:
        await watch.end()


async def _accounts(stage: Stage) -> str:
    password, now = secrets.token_urlsafe(9), epoch_ms(SystemClock().now())
    digest = await asyncio.to_thread(passwords.hashed, password)
    for name, shown, role, extra in PEOPLE:
        new = await accounts.add(
            stage.pool, name, shown=shown, role=role, extra=extra, password=digest,
            by="demo", now=now,
        )  # fmt: skip
        if not new:
            await accounts.change(stage.pool, name, password=digest)
    return password
