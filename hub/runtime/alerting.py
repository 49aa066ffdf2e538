"""Alerting: judges every picture beside the sampler, puts words on record and sends them.

Judging and sending are tasks of their own: a slow database or a dead mail server delays no picture.
Of pictures that come faster than they are judged only the newest counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import cast

import asyncpg
import structlog

from hub.kernel.clocks import from_epoch_ms
from hub.monitoring.alert_rules import Rule, in_force
from hub.monitoring.alerts import Notice, Seen, step
from hub.monitoring.findings import findings
from hub.monitoring.messages import Sentence, message
from hub.monitoring.pictures import Picture
from hub.runtime.alert_posts import send_due
from hub.runtime.channel_secrets import ChannelSecrets
from hub.runtime.sampler_pages import Exposition
from hub.store import alert_notices, alerts
from hub.store.connections import is_fault, pool
from hub.transports import messengers
from hub.transports.messengers import NotSentError

_CONNECTIONS = 3
_POST_SECONDS = 2.0
_ALIVE_SECONDS = 60.0
_FORGET = 720
"""Pictures between two clean-ups: an hour."""

log = structlog.get_logger(__name__)


async def judge(
    connection: asyncpg.Connection, seen: Seen, rules: dict[str, Rule], sentence: Sentence
) -> None:
    """Judge one look and put on record what it changes; one transaction, one process at a time.

    Args:
        connection: To the database.
        seen: What was seen.
        rules: Those to judge; alerts of others are left alone.
        sentence: Words of a finding.
    """
    now = seen.now
    async with connection.transaction():
        await alerts.lock(connection)
        standing = [one for one in await alerts.standing(connection) if one.rule in rules]
        mutes = [alerts.mute_of(row) for row in await alerts.mutes(connection, now)]
        found = step(rules, standing, mutes, await alerts.told(connection, now), seen)
        await alerts.drop(connection, found.dropped)
        for one in found.changed:
            await alerts.write(connection, one)
        for notice in found.notices:
            await _post(connection, notice, rules[notice.alert.rule], sentence, now)


async def _post(
    connection: asyncpg.Connection, notice: Notice, rule: Rule, sentence: Sentence, now: int
) -> None:
    """Words for every channel that wants them, whatever state it is in now."""
    words = message(notice, rule, sentence, from_epoch_ms(now))
    rows = await alert_notices.channels(connection)
    to = [r.channel.id for r in rows if not r.disabled and r.target.wants(notice.alert)]
    await alert_notices.post(connection, notice.alert.id, words, to, now=now, due=now)


class Alerting:
    """Alerts of the sampler's process.

    Args:
        database: DSN.
        sentence: Words of a finding.
        exposition: Shows what fires and what was sent.
        now: ms since 1970.
        secrets: Open what channels are posted to with.
        alive_url: A dead-man's switch; empty: none.
    """

    def __init__(
        self,
        database: str,
        sentence: Sentence,
        exposition: Exposition,
        now: Callable[[], int],
        secrets: ChannelSecrets,
        *,
        alive_url: str = "",
    ) -> None:
        self._database, self._sentence, self._now = database, sentence, now
        self._exposition, self._alive_url = exposition, alive_url
        self._secrets = secrets
        self._newest: Picture | None = None
        self._bell = asyncio.Event()
        self._judged: Picture | None = None
        self._pool: asyncpg.Pool

    async def seen(self, picture: Picture) -> None:
        """Take a picture; returns at once."""
        self._newest = picture
        self._bell.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Judge, send and tell that it lives, until told to stop."""
        self._pool = await pool(self._database, size=_CONNECTIONS)
        async with self._pool, asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._ridden_out(self._judge_next)),
                group.create_task(self._ridden_out(self._post)),
            ]
            if self._alive_url:
                tasks.append(group.create_task(self._ridden_out(self._tell_alive)))
            await stop.wait()
            for task in tasks:
                task.cancel()

    async def _ridden_out(self, work: Callable[[], Awaitable[None]]) -> None:
        """Work again and again; faults of the database are ridden out."""
        while True:
            try:
                await work()
            except Exception as error:
                if not is_fault(error):
                    raise
                log.warning("alerting.fault", kind=type(error).__name__)
                await asyncio.sleep(_POST_SECONDS)

    async def _judge_next(self) -> None:
        await self._bell.wait()
        self._bell.clear()
        picture = self._newest
        if picture is None:
            return
        async with self._pool.acquire() as held:
            connection = cast("asyncpg.Connection", held)
            rules = in_force(await alerts.changes(connection))
            seen = Seen(findings(picture), picture.at, not picture.failed)
            await judge(connection, seen, rules, self._sentence)
            await self._show(connection)
            if picture.number % _FORGET == 0:
                await alerts.forget(connection, picture.at)
                await alert_notices.forget(connection, picture.at)
        self._judged = picture

    async def _show(self, connection: asyncpg.Connection) -> None:
        counted: dict[tuple[str, str], int] = {}
        for one in await alerts.standing(connection):
            if one.fired is not None:
                place = (one.rule, one.severity)
                counted[place] = counted.get(place, 0) + 1
        self._exposition.alerts = counted

    async def _post(self) -> None:
        tried = await send_due(self._pool, self._now, self._secrets, self._count)
        if not tried:
            await asyncio.sleep(_POST_SECONDS)

    def _count(self, channel: str, outcome: str) -> None:
        self._exposition.notices.labels(channel, outcome).inc()

    async def _tell_alive(self) -> None:
        """Only what really judged a picture a short time ago says that alerting works."""
        judged = self._judged
        if judged is not None and self._now() - judged.at < _ALIVE_SECONDS * 1000:
            with suppress(NotSentError):
                await messengers.ping(self._alive_url, now=self._now(), picture=judged.number)
                self._exposition.notices.labels("alive", "sent").inc()
        await asyncio.sleep(_ALIVE_SECONDS)
