"""Alert posts: sends the notices that wait, from whichever process asks.

A channel that does not answer delays no other one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple

import asyncpg
import structlog

from hub.runtime.channel_secrets import ChannelSecrets
from hub.store import alert_notices
from hub.store.alert_notices import Due
from hub.transports import messengers
from hub.transports.messengers import NotSentError

Told = Callable[[str, str], None]
"""Channel and outcome (``sent`` or ``failed``) of every try, for metrics."""

log = structlog.get_logger(__name__)


def _untold(channel: str, outcome: str) -> None:
    del channel, outcome


async def send_due(
    database: asyncpg.Pool,
    now: Callable[[], int],
    secrets: ChannelSecrets,
    told: Told = _untold,
) -> int:
    """Send what is due.

    Args:
        database: Pool; no connection is held while a channel is asked.
        now: ms since 1970.
        secrets: Open what channels are posted to with.
        told: Of every try.

    Returns:
        How many were tried.
    """
    found = await alert_notices.take(database, now())
    by_channel: dict[str, list[Due]] = {}
    for one in found:
        by_channel.setdefault(one.channel.id, []).append(one)
    post = _Posting(database, now, secrets, told)
    await asyncio.gather(*(_in_turn(post, each) for each in by_channel.values()))
    return len(found)


class _Posting(NamedTuple):
    """What every post needs."""

    database: asyncpg.Pool
    now: Callable[[], int]
    secrets: ChannelSecrets
    told: Told


async def _in_turn(post: _Posting, each: Iterable[Due]) -> None:
    """The words to one channel in their order; after a failure the rest waits too."""
    error = ""
    for one in each:
        if not error:
            error = await _one(post, one)
        else:
            await alert_notices.failed(post.database, one, error, post.now())


async def _one(post: _Posting, due: Due) -> str:
    name = due.channel.id
    try:
        await messengers.send(post.secrets.open(due.channel), due.message, now=post.now())
    except NotSentError as error:
        log.warning("alert.not_sent", channel=name, error=str(error))
        post.told(name, "failed")
        await alert_notices.failed(post.database, due, str(error), post.now())
        return str(error)
    post.told(name, "sent")
    await alert_notices.sent(post.database, due.id, post.now())
    return ""
