"""Tables: what the hub has on record, read through a role that may only read."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import asyncpg

from tests.faults.sites import Site
from tests.faults.verifier.avro import Schemas
from tests.faults.verifier.sets import (
    Copy,
    DeadLetter,
    Delivery,
    Place,
    Referral,
    Seen,
    Sets,
    Subscription,
)
from tests.faults.verifier.topics import content_of

_ROSTER = "medical-insurance"
_REFERRALS = (
    "SELECT id, program, subject_kind, subject_ref, episode, encode(uid, 'hex') AS uid, state,"
    " stop_decision IS NOT NULL AS stopped, history->0->>3 AS cause,"
    " history->0->>2 AS cause_kind FROM referral"
)
_DELIVERIES = (
    "SELECT subscription, generation, seq, copy_id, event_id, state, type,"
    " encode(sha256(body), 'hex') AS body FROM delivery"
)
_DEAD = (
    "SELECT id, stage, topic, part, off, source, record_key, event_id, code, state FROM dead_letter"
)


class Tables:
    """Reads the hub's tables.

    Args:
        site: Where the database is, by a role that only reads.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    async def connect(self) -> asyncpg.Connection:
        """A connection."""
        return await asyncpg.connect(self._site.database, timeout=20, command_timeout=300)

    def _place(self, topic: str, part: int) -> Place:
        return Place(topic.removeprefix(self._site.prefix), part)

    async def claims(self, connection: asyncpg.Connection) -> dict[Place, int]:
        """The hub's own offsets."""
        rows = await connection.fetch("SELECT topic, part, next_offset FROM partition_claim")
        return {self._place(topic, part): off for topic, part, off in rows}

    async def queued(self, connection: asyncpg.Connection) -> dict[str, int]:
        """Copies that are on their way: in the outbox, not yet sent, or waiting for a webhook."""
        rows = await connection.fetch(
            "SELECT subscription, count(*) FROM outbox GROUP BY 1 UNION ALL"
            " SELECT id, next_seq - 1 - sent_seq FROM subscription"
            " WHERE mode = 'kafka' AND sent_seq < next_seq - 1 UNION ALL"
            " SELECT subscription, count(*) FROM delivery WHERE state = 'waiting' GROUP BY 1"
        )
        return {row[0]: row[1] for row in rows}

    async def read(self, sets: Sets, schemas: Schemas) -> None:
        """Everything the checks need, in one snapshot."""
        connection = await self.connect()
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await self._records(connection, sets)
                await self._fetched(connection, sets, schemas)
        finally:
            await connection.close(timeout=5)

    async def _records(self, connection: asyncpg.Connection, sets: Sets) -> None:
        sets.claims = await self.claims(connection)
        sets.outbox = await self.queued(connection)
        seen = await connection.fetch(
            "SELECT event_id::text, disposition, coalesce(reason, ''), type FROM seen_event"
        )
        sets.seen = {row[0]: Seen(*row) for row in seen}
        rows: list[Any] = await connection.fetch(_REFERRALS)
        sets.referrals = {row["id"]: _referral(row) for row in rows}
        sets.deliveries = [Delivery(*row) for row in await connection.fetch(_DELIVERIES)]
        sets.dead_letters = [
            DeadLetter(row[0], row[1], self._plain(row[2]), *row[3:7], row[7] or "", *row[8:])
            for row in await connection.fetch(_DEAD)
        ]
        held = await connection.fetch(
            "SELECT id, topic, mode, generation, next_seq, sent_seq FROM subscription"
        )
        sets.subscriptions = {row[0]: Subscription(*row) for row in held}
        listed = await connection.fetch(
            "SELECT encode(uid, 'hex') FROM roster_row WHERE recipient = $1 AND present", _ROSTER
        )
        sets.roster = {row[0] for row in listed}

    def _plain(self, topic: str) -> str:
        return topic.removeprefix(self._site.prefix)

    async def _fetched(self, connection: asyncpg.Connection, sets: Sets, schemas: Schemas) -> None:
        """Copies of receivers without a topic, as the log holds them for them."""
        rows = connection.cursor(
            "SELECT d.subscription, d.generation, d.seq, d.copy_id, d.key, d.body FROM delivery d"
            " JOIN subscription s ON s.id = d.subscription"
            " WHERE s.mode <> 'kafka' ORDER BY d.subscription, d.generation, d.seq",
            prefetch=1000,
        )
        async for program, generation, seq, copy_id, key, body in rows:
            _, content = schemas.read(body)
            digest = sha256(body).hexdigest()
            sets.copies.append(
                Copy(
                    program=program,
                    off=seq,
                    copy_id=copy_id,
                    seq=seq,
                    generation=generation,
                    digest=sha256(key + body).hexdigest()[:24],
                    body=digest,
                    **content_of(content),
                )
            )


def _referral(row: Any) -> Referral:
    values = dict(row)
    return Referral(
        id=values["id"],
        program=values["program"],
        kind=values["subject_kind"],
        ref=values["subject_ref"],
        episode=values["episode"],
        uid=values["uid"] or "",
        state=values["state"],
        stopped=values["stopped"],
        cause=values["cause"] or "",
        cause_kind=values["cause_kind"] or "",
    )
