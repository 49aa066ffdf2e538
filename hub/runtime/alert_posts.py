"""Alert posts: sends the notices that wait, from whichever process asks.

A channel that does not answer delays no other one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import asyncpg
import structlog

from hub.store import alert_notices
from hub.store.alert_notices import Due
from hub.transports import messengers
from hub.transports.messengers import NotSentError

Told = Callable[[str, str], None]
"""Channel and outcome (``sent`` or ``failed``) of every try, for metrics."""

log = structlog.get_logger(__name__)


def _untold(channel: str, outcome: str) -> None:
    del channel, outcome


async def send_due(database: asyncpg.Pool, now: Callable[[], int], told: Told = _untold) -> int:
    """Send what is due.

    Args:
        database: Pool; no connection is held while a channel is asked.
        now: ms since 1970.
        told: Of every try.

    Returns:
        How many were tried.
    """
    found = await alert_notices.take(database, now())
    by_channel: dict[str, list[Due]] = {}
    for one in found:
        by_channel.setdefault(one.channel.id, []).append(one)
    await asyncio.gather(*(_in_turn(database, each, now, told) for each in by_channel.values()))
    return len(found)


async def _in_turn(
    database: asyncpg.Pool, each: Iterable[Due], now: Callable[[], int], told: Told
) -> None:
    """The words to one channel in their order; after a failure the rest waits too."""
    error = ""
    for one in each:
        if not error:
            error = await _one(database, one, now, told)
        else:
            await alert_notices.failed(database, one, error, now())


async def _one(database: asyncpg.Pool, due: Due, now: Callable[[], int], told: Told) -> str:
    try:
        await messengers.send(due.channel, due.message, now=now())
    except NotSentError as error:
        log.warning("alert.not_sent", channel=due.channel.id, error=str(error))
        told(due.channel.id, "failed")
        await alert_notices.failed(database, due, str(error), now())
        return str(error)
    told(due.channel.id, "sent")
    await alert_notices.sent(database, due.id, now())
    return ""
