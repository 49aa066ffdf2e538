"""Alert notices: channels, and the words that wait for them, were sent or failed for good."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import NamedTuple

import asyncpg
import msgspec

from hub.monitoring.alerts import Target
from hub.monitoring.channels import Channel
from hub.monitoring.messages import Message

Executor = asyncpg.Connection | asyncpg.Pool
LEASE_MS = 60_000
"""A sender has so long before another one may take the same notice."""
DAY_MS = 86_400_000
KEPT_MS = 90 * DAY_MS
_login = attrgetter("host", "port", "tls", "user")
"""The mail server a password was given for, as which user, in which way."""
_PAUSES = (10_000, 40_000, 160_000, 640_000, 1_800_000)


class ChannelRow(NamedTuple):
    """A channel with what it wants to be told."""

    channel: Channel
    target: Target
    disabled: bool
    by: str


class Due(NamedTuple):
    """A notice that is to be sent now."""

    id: int
    channel: Channel
    message: Message
    tries: int
    made: int


class NoticeRow(NamedTuple):
    """A notice as the page lists it."""

    id: int
    rule: str
    channel: str
    message: Message
    made: int
    tries: int
    sent: int | None
    failed: int | None
    error: str


async def channels(executor: Executor) -> list[ChannelRow]:
    """All channels."""
    rows = await executor.fetch(
        "SELECT id, least, rules, config, disabled_at, by FROM alert_channel ORDER BY id LIMIT 100"
    )
    return [
        ChannelRow(
            msgspec.json.decode(row["config"], type=Channel),
            Target(row["id"], row["least"], tuple(row["rules"])),
            row["disabled_at"] is not None,
            row["by"],
        )
        for row in rows
    ]


async def keep(
    connection: asyncpg.Connection, channel: Channel, target: Target, *, by: str, now: int
) -> None:
    """Put a channel on record, or change it; a secret left empty stays as it was.

    A password goes to the mail server it was given for and to no other one.
    """
    old = await connection.fetchval("SELECT config FROM alert_channel WHERE id = $1", channel.id)
    if old is not None:
        before = msgspec.json.decode(old, type=Channel)
        channel = msgspec.structs.replace(
            channel,
            url=channel.url or before.url,
            secret=channel.secret or before.secret,
            password=channel.password
            or (before.password if _login(channel) == _login(before) else ""),
        )
    await connection.execute(
        "INSERT INTO alert_channel (id, kind, least, rules, language, config, by, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET"
        " kind = excluded.kind, least = excluded.least, rules = excluded.rules,"
        " language = excluded.language, config = excluded.config, by = excluded.by,"
        " at = excluded.at",
        channel.id,
        channel.kind,
        target.least,
        list(target.rules),
        channel.language,
        msgspec.json.encode(channel).decode(),
        by,
        now,
    )


async def rewrite(connection: asyncpg.Connection, change: Callable[[Channel], Channel]) -> int:
    """Change what is on record of every channel; in a transaction.

    Returns:
        How many were changed.
    """
    rows = await connection.fetch("SELECT id, config FROM alert_channel ORDER BY id FOR UPDATE")
    changed = []
    for row in rows:
        before = msgspec.json.decode(row["config"], type=Channel)
        after = change(before)
        if after != before:
            changed.append((row["id"], msgspec.json.encode(after).decode()))
    await connection.executemany("UPDATE alert_channel SET config = $2 WHERE id = $1", changed)
    return len(changed)


async def switch(connection: asyncpg.Connection, id_: str, *, on: bool, now: int) -> None:
    """Turn a channel on or off; what waits for it goes out when it is on again."""
    await connection.execute(
        "UPDATE alert_channel SET disabled_at = $2 WHERE id = $1", id_, None if on else now
    )


async def remove(connection: asyncpg.Connection, id_: str) -> None:
    """Remove a channel with its notices."""
    await connection.execute("DELETE FROM alert_channel WHERE id = $1", id_)


async def post(
    connection: asyncpg.Connection,
    alert: int | None,
    message: Message,
    to: Iterable[str],
    *,
    now: int,
    due: int,
) -> list[int]:
    """Put words on record for channels.

    Args:
        connection: In the transaction that changes the alert.
        alert: Its id; None: a test.
        message: The words.
        to: Ids of channels.
        now: ms since 1970.
        due: When they may be taken to be sent.

    Returns:
        Ids of the notices.
    """
    rows = await connection.fetch(
        "INSERT INTO alert_notice (alert, rule, channel, message, made_at, due_at)"
        " SELECT $1, $2, channel, $3, $4, $5 FROM unnest($6::text[]) AS given (channel)"
        " RETURNING id",
        alert,
        message.rule,
        msgspec.json.encode(message).decode(),
        now,
        due,
        list(to),
    )
    return [row["id"] for row in rows]


async def take(executor: Executor, now: int, *, limit: int = 20) -> list[Due]:
    """Take notices to send; another process takes none of them for a minute."""
    rows = await executor.fetch(
        "UPDATE alert_notice AS n SET due_at = $2, tries = n.tries + 1 FROM alert_channel AS c"
        " WHERE c.id = n.channel AND n.id IN (SELECT w.id FROM alert_notice AS w"
        "  JOIN alert_channel AS o ON o.id = w.channel AND o.disabled_at IS NULL"
        "  WHERE w.sent_at IS NULL AND w.failed_at IS NULL AND w.due_at <= $1"
        "  ORDER BY w.id LIMIT $3 FOR UPDATE OF w SKIP LOCKED)"
        " RETURNING n.id, c.config, n.message, n.tries, n.made_at",
        now,
        now + LEASE_MS,
        limit,
    )
    return sorted(
        Due(
            row["id"],
            msgspec.json.decode(row["config"], type=Channel),
            msgspec.json.decode(row["message"], type=Message),
            row["tries"],
            row["made_at"],
        )
        for row in rows
    )


async def sent(executor: Executor, id_: int, now: int) -> None:
    """It was taken by its channel."""
    await executor.execute(
        "UPDATE alert_notice SET sent_at = $2, error = '', tries = greatest(tries, 1)"
        " WHERE id = $1",
        id_,
        now,
    )


async def failed(executor: Executor, due: Due, error: str, now: int) -> None:
    """It was not; tried again with growing pauses, for a day."""
    over = now - due.made > DAY_MS
    pause = _PAUSES[min(due.tries, len(_PAUSES)) - 1]
    await executor.execute(
        "UPDATE alert_notice SET error = $2, due_at = $3, failed_at = $4 WHERE id = $1",
        due.id,
        error,
        now + pause,
        now if over else None,
    )


async def give_up(executor: Executor, id_: int, error: str, now: int) -> None:
    """A test that failed is not sent later."""
    await executor.execute(
        "UPDATE alert_notice SET error = $2, failed_at = $3, tries = 1 WHERE id = $1",
        id_,
        error,
        now,
    )


async def latest(executor: Executor, *, limit: int = 50) -> list[NoticeRow]:
    """The newest notices."""
    rows = await executor.fetch(
        "SELECT id, rule, channel, message, made_at, tries, sent_at, failed_at, error"
        " FROM alert_notice ORDER BY made_at DESC, id DESC LIMIT $1",
        limit,
    )
    return [
        NoticeRow(
            row["id"], row["rule"], row["channel"],
            msgspec.json.decode(row["message"], type=Message), *tuple(row)[4:],
        )
        for row in rows
    ]  # fmt: skip


async def forget(connection: asyncpg.Connection, now: int) -> None:
    """Drop old notices."""
    await connection.execute("DELETE FROM alert_notice WHERE made_at < $1", now - KEPT_MS)
