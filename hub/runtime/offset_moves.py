"""Offset moves: a held claim set to another offset, with what that does told first.

Backward is harmless: what was seen has no effect again. Forward, each record that was not seen
becomes a dead letter ``E-SKIPPED`` that can be redriven, so nothing is lost. Records that the log
does not keep any more are lost already; the audit says which.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import msgspec

from hub.contracts.codecs import decode_event
from hub.contracts.events import CanonicalEvent
from hub.kernel.errors import DataError, HubError
from hub.kernel.reasons import CODES
from hub.kernel.settings import Settings
from hub.model.outbox import pack
from hub.runtime.items import Item, dead_letter
from hub.runtime.offset_targets import Bounds, resolve
from hub.runtime.originals import Log
from hub.runtime.wirings import Wiring
from hub.store import audit, dead_letters, holds, seen
from hub.store.dead_letters import SKIPPED, DeadLetterRow, id_of
from hub.store.holds import Hold

_CHUNK = 500


class Move(msgspec.Struct):
    """What moving one claim does.

    Attributes:
        claim: Where it stands.
        bounds: What the log keeps.
        new: Offset it goes to.
        lost: First offset and last one + 1 of records below the log that were never worked.
        remade: Whether the topic was deleted and made again: nothing of its log was worked.
        records: Records between old and new that are kept.
        seen: Those of them whose events are all seen: they have no effect.
        unseen: The others.
    """

    claim: Hold
    bounds: Bounds
    new: int
    lost: tuple[int, int] | None = None
    remade: bool = False
    records: int = 0
    seen: int = 0
    unseen: int = 0

    @property
    def old(self) -> int:
        """First offset of the present log that was not worked."""
        return self.bounds.first if self.remade else self.claim.next_offset

    @property
    def is_forward(self) -> bool:
        """Whether records are skipped."""
        return self.new > self.old


class OffsetMoves:
    """Plans and carries out moves.

    Args:
        connection: The command's or console's own.
        log: Reads the records between.
        settings: Names of topics.
        wiring: Tells which events a record becomes.
        now: Tells ms since 1970.
        told: Called now and then with the number of records read.
    """

    def __init__(
        self,
        connection: asyncpg.Connection,
        log: Log,
        settings: Settings,
        wiring: Wiring,
        now: Callable[[], int],
        told: Callable[[int], None] | None = None,
    ) -> None:
        self._connection = connection
        self._log = log
        self._settings = settings
        self._wiring = wiring
        self._now = now
        self._told = told

    async def plan(self, claim: Hold, word: str) -> Move:
        """The dry run of one partition.

        Raises:
            HubError: the word means no place in the log.
        """
        bounds = Bounds(*await self._log.bounds(claim.topic, claim.part))
        move = Move(claim, bounds, await resolve(self._log, claim, bounds, word))
        topic_id = await self._log.topic_id(claim.topic)
        other = bool(topic_id and claim.topic_id and topic_id != claim.topic_id)
        move.remade = other or claim.next_offset > bounds.last
        if not move.remade and claim.next_offset < bounds.first:
            move.lost = claim.next_offset, bounds.first
        low, high = sorted((move.old, move.new))
        async for chunk in self._chunks(claim, low, high):
            move.records += len(chunk)
            move.unseen += len(await self._unseen(chunk))
        move.seen = move.records - move.unseen
        return move

    async def apply(self, move: Move, *, person: str, reason: str) -> int:
        """Carry a plan out.

        Returns:
            Dead letters written for skipped records.

        Raises:
            HubError: nobody holds the claim.
            ConflictError: it was moved or let go meanwhile.
        """
        claim = move.claim
        if claim.held_by is None:
            raise HubError(
                f"{claim.topic}/{claim.part} is not held.",
                hint=f"First: hub offsets hold {claim.topic}/{claim.part}",
                message_zh=f"{claim.topic}/{claim.part} 未被扣住;"
                f"请先执行 hub offsets hold {claim.topic}/{claim.part}。",
            )
        skipped = await self._skip(move) if move.is_forward else 0
        now = self._now()
        doc = {
            "topic": claim.topic, "partition": claim.part, "before": claim.next_offset,
            "after": move.new, "first": move.bounds.first, "end": move.bounds.last,
            "skipped": skipped, "lost": move.lost, "remade": move.remade, "reason": reason,
        }  # fmt: skip
        async with self._connection.transaction():
            await holds.move(self._connection, claim, move.new, now=now)
            await audit.act(self._connection, "offsets.moved", person, doc, now=now)
        return skipped

    async def _skip(self, move: Move) -> int:
        """Dead letters first, then the move: cut off between, the records are simply worked."""
        count = 0
        async for chunk in self._chunks(move.claim, move.old, move.new):
            fresh = await self._unseen(chunk)
            rows = [self._letter(record, events) for record, events in fresh]
            if rows:
                async with self._connection.transaction():
                    await dead_letters.write(self._connection, rows)
            count += len(rows)
        return count

    async def _chunks(self, claim: Hold, begin: int, end: int) -> AsyncIterator[list[Any]]:
        chunk: list[Any] = []
        read = 0
        async for record in self._log.span(claim.topic, claim.part, begin, end):
            chunk.append(record)
            if len(chunk) == _CHUNK:
                yield chunk
                read += len(chunk)
                if self._told is not None:
                    self._told(read)
                chunk = []
        if chunk:
            yield chunk

    async def _unseen(self, records: list[Any]) -> list[tuple[Any, list[CanonicalEvent]]]:
        """Records of which an event was not seen or cannot be told, with their events."""
        found = [(record, self._events(record)) for record in records]
        wanted = {
            (seen.month_of(event.occurred_at), event.event_id)
            for _, events in found
            for event in events
        }
        known = await seen.known(self._connection, wanted) if wanted else {}
        return [
            (record, events)
            for record, events in found
            if not events or any(event.event_id not in known for event in events)
        ]

    def _events(self, record: Any) -> list[CanonicalEvent]:
        """The events of a record; none where it cannot be read, which counts as not seen."""
        try:
            pipeline = self._wiring.pipelines.get(self._settings.plain(record.topic))
            if pipeline is None:
                return [self._wiring.decode(record.value)]
            made = pipeline(record)
            return [
                decode_event(value) for topic, _, value, _ in made if topic.startswith("event.")
            ]
        except Exception:  # noqa: BLE001 - a record that crashes its codec is kept as a dead letter
            return []

    def _letter(self, record: Any, events: list[CanonicalEvent]) -> DeadLetterRow:
        event = events[0] if events else None
        failure = DataError(SKIPPED, detail="skipped by an operator")
        now = self._now()
        if self._settings.plain(record.topic) not in self._wiring.pipelines:
            item = Item(record.topic, record.partition, record.offset, record, event)
            return dead_letter(item, failure, now, self._wiring.replays)
        plain = self._settings.plain(record.topic)
        return DeadLetterRow(
            id=id_of(record.topic, record.partition, record.offset), stage="intake", topic=plain,
            part=record.partition, off=record.offset,
            source=event.source if event else plain.split(".")[1],
            record_key=event.source_record_key if event else "",
            event_id=event.event_id if event else None, type=event.type if event else "",
            correlation=event.correlation_id if event else "", code=SKIPPED,
            category=str(CODES[SKIPPED].category), field="", detail=failure.detail,
            key=record.key, value=record.value, headers=pack(list(record.headers)), attempts=0,
            failed_at=now, recorded_at=event.recorded if event else record.timestamp,
        )  # fmt: skip
