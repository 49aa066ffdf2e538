"""Dead men: worker and gateway look whether anybody still samples, and say so where nobody does.

Both may see it; the alert's row is one. A hub that never sampled has nobody to miss.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

import asyncpg
import structlog

from hub.monitoring.alert_rules import DEAD, in_force
from hub.monitoring.alerts import Seen, dead
from hub.monitoring.findings import Finding, kinds
from hub.monitoring.spans import span
from hub.runtime.alert_posts import send_due
from hub.runtime.alerting import judge
from hub.runtime.channel_secrets import ChannelSecrets
from hub.runtime.sampler_pages import DEAD_MS
from hub.store import alerts, pictures
from hub.store.connections import pool

SECONDS = 15.0

log = structlog.get_logger(__name__)


def _sentence(finding: Finding) -> tuple[str, str]:
    kind = kinds()[finding.kind]
    return kind.zh.format(span=span(finding.ms, "zh")), kind.en.format(span=span(finding.ms, "en"))


class DeadMan:
    """The look of one process.

    Args:
        database: Pool.
        now: ms since 1970.
        secrets: Open what channels are posted to with.
    """

    def __init__(
        self, database: asyncpg.Pool, now: Callable[[], int], secrets: ChannelSecrets
    ) -> None:
        self._database, self._now, self._secrets = database, now, secrets
        self._started = now()

    async def look(self) -> bool:
        """Look once, and send what is due.

        Returns:
            Whether nobody samples. For a minute after its own start a process waits: whole sites
            start again together.
        """
        now = self._now()
        at = await pictures.taken_at(self._database)
        if at is None:
            return False
        gone = now - max(at, self._started) >= DEAD_MS
        if now - at >= DEAD_MS and not gone:
            return False
        async with self._database.acquire() as held:
            connection = cast("asyncpg.Connection", held)
            stands = any(one.rule == DEAD for one in await alerts.standing(connection))
            if gone or stands:
                rule = in_force(await alerts.changes(connection))[DEAD]
                seen = Seen([dead(now - at)] if gone else [], now)
                await judge(connection, seen, {DEAD: rule}, _sentence)
        if gone or stands:
            # The sampler sends while it lives.
            await send_due(self._database, self._now, self._secrets)
        return gone

    async def run(self) -> None:
        """Look every 15 seconds until cancelled; whatever the database says is ridden out."""
        while True:
            try:
                await self.look()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("dead_man.fault", kind=type(error).__name__)
            await asyncio.sleep(SECONDS)


@asynccontextmanager
async def watched(
    database: str, now: Callable[[], int], secrets: ChannelSecrets
) -> AsyncIterator[None]:
    """Look until the block ends.

    Args:
        database: DSN.
        now: ms since 1970.
        secrets: Open what channels are posted to with.
    """
    async with await pool(database, size=2) as own:
        task = asyncio.create_task(DeadMan(own, now, secrets).run(), name="dead man")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
