"""Replays: events decided once more under the rules in force, as a shadow first.

The shadow runs the deciders on the state as it is, inside a transaction that is rolled back, and
tells who would gain, who would lose, by program. Carrying it out takes a second person, unless it
is one event that was never decided. A copy that was sent once is never sent again: its id is the
same, and what has that id is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec

from hub.contracts.events import CanonicalEvent
from hub.kernel.errors import DataError, HubError
from hub.kernel.settings import Settings
from hub.model import facts
from hub.model.decisions import NOTHING, Decision
from hub.model.records import Referral
from hub.model.states import State
from hub.runtime.deciding import Batch, read
from hub.runtime.items import CrashedError, DoomedError, Item
from hub.runtime.originals import Log
from hub.runtime.stages import where
from hub.runtime.wirings import DECIDE, Wiring
from hub.store import audit, operations, seen, shadows
from hub.store.connections import ConflictError
from hub.store.operations import Operation
from hub.store.shadows import ReplayUnit
from hub.store.unit_of_work import Outcome

MOST = 100_000
"""Events of one replay."""
_CHUNK = 100
_TRIES = 20


class Range(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which events; None: any.

    Attributes:
        topic: Without prefix.
        type: Event type.
        source: Connector id.
        matter: Correlation.
        since: Received at or after, ms since 1970.
        until: Received before.
        undecided: Only those that were never decided.
    """

    topic: str | None = None
    type: str | None = None
    source: str | None = None
    matter: str | None = None
    since: int | None = None
    until: int | None = None
    undecided: bool = False


class Changes(msgspec.Struct):
    """What a replay would change for one program; ids of referrals are opaque.

    Attributes:
        gains: Referrals that come.
        loses: Referrals it is asked to stop or to look at again.
        told: Other copies that it would get.
    """

    gains: set[str] = set()
    loses: set[str] = set()
    told: int = 0


class Diff(msgspec.Struct):
    """The outcome of a shadow.

    Attributes:
        version: Of the rules in force.
        then: Versions under which the events were decided.
        events: How many were run.
        undecided: Those of them that were never decided.
        passes: Dead letters of then that would be decided now.
        fails: Events that could not be decided now, by code.
        sent_already: Copies that would be made and have been sent: they are left out.
        programs: Changes by program.
        places: Where the events lie, ``topic/partition/offset``.
    """

    version: str
    then: Counter[str] = msgspec.field(default_factory=Counter)
    events: int = 0
    undecided: int = 0
    passes: int = 0
    fails: Counter[str] = msgspec.field(default_factory=Counter)
    sent_already: int = 0
    programs: dict[str, Changes] = {}
    places: list[str] = []

    def document(self) -> dict[str, Any]:
        """The diff without places, for people and for the record."""
        return {
            "version": self.version,
            "then": dict(self.then),
            "events": self.events,
            "undecided": self.undecided,
            "passes": self.passes,
            "fails": dict(self.fails),
            "sent_already": self.sent_already,
            "programs": {
                name: {"gains": sorted(c.gains), "loses": sorted(c.loses), "told": c.told}
                for name, c in sorted(self.programs.items())
            },
        }


class _LookedError(Exception):
    """Ends a shadow's transaction: nothing of it stays."""


class Replayer:
    """Runs shadows and carries replays out.

    Args:
        connection: The command's or console's own.
        log: Reads the events.
        settings: Names of topics.
        wiring: The rules in force.
        version: Of the rules.
        now: Tells ms since 1970.
    """

    def __init__(
        self,
        connection: asyncpg.Connection,
        log: Log,
        settings: Settings,
        wiring: Wiring,
        version: str,
        now: Callable[[], int],
    ) -> None:
        self._connection = connection
        self._log = log
        self._settings = settings
        self._wiring = wiring
        self._version = version
        self._now = now

    async def shadow(self, wanted: Range, told: Callable[[int], None] | None = None) -> Diff:
        """Decide a range again and tell what would change; nothing is written or sent."""
        diff = Diff(self._version)
        chunk: list[Item] = []
        async for item in self._items(wanted):
            chunk.append(item)
            if len(chunk) == _CHUNK:
                await self._look(chunk, diff, only_undecided=wanted.undecided)
                chunk = []
                if told is not None:
                    told(diff.events)
            if diff.events >= MOST:
                break
        if chunk:
            await self._look(chunk, diff, only_undecided=wanted.undecided)
        return diff

    async def _items(self, wanted: Range) -> AsyncIterator[Item]:
        """Events of the range, each once, as they lie."""
        for topic in self._wiring.topics_of(DECIDE):
            if wanted.topic not in {None, topic} or not topic.startswith("event."):
                continue
            wire = self._settings.wire(topic)
            for part in range(await self._log.parts(wire)):
                first, last = await self._log.bounds(wire, part)
                if wanted.since is not None:
                    first = await self._since(wire, part, wanted.since, last)
                if wanted.until is not None:
                    last = await self._since(wire, part, wanted.until, last)
                async for record in self._log.span(wire, part, first, last):
                    item = Item(record.topic, record.partition, record.offset, record)
                    _readable(self._wiring, item)
                    if item.event is not None and _is_meant(item.event, wanted):
                        yield item

    async def _since(self, topic: str, part: int, ms: int, end: int) -> int:
        found = await self._log.since(topic, part, ms)
        return end if found is None else found

    async def _look(self, items: Sequence[Item], diff: Diff, *, only_undecided: bool) -> None:
        items = await self._own(items, only_undecided=only_undecided)
        if not items:
            return
        with suppress(_LookedError):
            async with self._unit() as unit:
                outcome = await self._decided(unit, items)
                await self._note(unit, items, outcome, diff)
                raise _LookedError

    async def _own(self, items: Sequence[Item], *, only_undecided: bool) -> list[Item]:
        """Each event once, and not what came under its id with other content."""
        found = {item.event.event_id: item for item in reversed(items) if item.event is not None}
        wanted = [
            (seen.month_of(i.event.occurred_at), name) for name, i in found.items() if i.event
        ]
        known = await seen.known(self._connection, wanted)
        return [
            item
            for item in items
            if item.event is not None
            and found[item.event.event_id] is item
            and (
                item.event.event_id not in known
                if only_undecided
                else known.get(item.event.event_id, (item.event.digest,))[0] == item.event.digest
            )
        ]

    def _unit(self) -> ReplayUnit:
        return ReplayUnit(self._connection, now=self._now(), subscriptions=set())

    async def _decided(self, unit: ReplayUnit, items: Sequence[Item]) -> Outcome:
        """Decide, and decide again without an event that failed half-way.

        Raises:
            ConflictError: events fail without end.
        """
        for _ in range(_TRIES + len(items)):
            unit.forget()
            try:
                return await Batch(unit, _on_record(self._wiring, unit)).run(items)
            except DoomedError as error:
                error.mark()
            except CrashedError as error:
                error.item.failure = DataError("E-BUG", detail=where(error))
        raise ConflictError("replay")

    async def _note(
        self, unit: ReplayUnit, items: Sequence[Item], outcome: Outcome, diff: Diff
    ) -> None:
        connection = self._connection
        events = [item.event.event_id for item in items if item.event]
        done = await shadows.sent(connection, {row.event_id for row in outcome.outbox})
        diff.then += await shadows.versions(connection, events)
        diff.events += len(items)
        diff.places += [f"{item.topic}/{item.part}/{item.off}" for item in items]
        diff.undecided += len(set(events) - unit.before.keys())
        for row in outcome.seen:
            was = unit.before.get(row.event_id, (b"", ""))[1]
            if row.disposition == seen.DEAD_LETTER:
                diff.fails[row.reason or ""] += 1
            elif was == seen.DEAD_LETTER:
                diff.passes += 1
        moved = await self._ledger(unit, diff)
        for copy in outcome.outbox:
            if copy.copy_id in done:
                diff.sent_already += 1
            elif copy.referral_id not in moved:
                diff.programs.setdefault(copy.subscription, Changes()).told += 1

    async def _ledger(self, unit: ReplayUnit, diff: Diff) -> set[str]:
        """Referrals that come or are to end, by the ledger; a copy's type may be neutral.

        Returns:
            Their ids.
        """
        rows = [r for (table, _), r in unit.state.dirty.items() if table == Referral.TABLE]
        before = await shadows.standings(self._connection, [row.id for row in rows])
        moved = set()
        for row in rows:
            was = before.get(row.id)
            changes = diff.programs.get(row.program) or Changes()
            if was is None:
                changes.gains.add(row.id)
            elif was == (row.state, row.stop_state) or not _is_ending(row):
                continue
            else:
                changes.loses.add(row.id)
            diff.programs[row.program] = changes
            moved.add(row.id)
        return moved

    async def ask(
        self, diff: Diff, *, person: str, reason: str, spec: dict[str, Any], rate: int
    ) -> Operation:
        """Put a replay on record; its approval holds for the rules of this diff only.

        Raises:
            HubError: there is nothing to replay.
        """
        if not diff.places:
            raise HubError("There is nothing to replay.", message_zh="没有可重放的事件。")
        now = self._now()
        two = diff.events > 1 or diff.undecided < diff.events
        wanted = Operation(
            id=str(uuid4()), kind="replay", asked_by=person, asked_at=now, reason=reason,
            spec={**spec, "diff": diff.document()}, total=diff.events, edited=False,
            two_persons=two, approved_by=None,
            state=operations.ASKED if two else operations.READY, rate=rate, changed_at=now,
        )  # fmt: skip
        await operations.ask(self._connection, wanted, [(place, None) for place in diff.places])
        return wanted

    async def run(self, operation: Operation, person: str) -> Operation:
        """Carry out what is left of a replay; each event in a transaction of its own.

        Raises:
            HubError: not approved, ended, run by another process, or the rules have changed since.
        """
        if operation.spec.get("diff", {}).get("version") != self._version:
            raise HubError(
                "The rules have changed since this replay was asked for.",
                hint="Look at its shadow again and ask anew.",
                message_zh="提出此重放之后规则已变;请重新演示并重新提出。",
            )
        connection = self._connection
        async with operations.alone(connection, operation.id):
            await operations.turn(
                connection, operation, operations.RUNNING, person, now=self._now()
            )
            while item := await operations.next_item(connection, operation.id):
                await self._carry_out(operation, item, person)
            await operations.finish(connection, operation, now=self._now())
        return await operations.found(connection, operation.id)

    async def _carry_out(self, operation: Operation, item: operations.Item, person: str) -> None:
        topic, part, off = item.ref.rsplit("/", 2)
        record = await self._log.at(topic, int(part), int(off))
        found = Item(topic, int(part), int(off), record)
        if record is not None:
            _readable(self._wiring, found)
        if found.event is None:
            await operations.end_item(
                self._connection, operation.id, item, operations.SKIPPED, "gone", now=self._now()
            )
            return
        for attempt in range(_TRIES):
            try:
                await self._apply(operation, item, found, person)
            except ConflictError:
                if attempt == _TRIES - 1:
                    raise
            else:
                return

    async def _apply(
        self, operation: Operation, item: operations.Item, found: Item, person: str
    ) -> None:
        connection = self._connection
        async with self._unit() as unit:
            outcome = await self._decided(unit, [found])
            before = {i for i, (_, what) in unit.before.items() if what != seen.DEAD_LETTER}
            state, result = operations.DONE, "".join(row.code for row in outcome.dead_letters)
            if before and result:
                # It was decided once: that it fails now is told and changes nothing.
                state = operations.SKIPPED
            else:
                done = await shadows.sent(connection, {row.event_id for row in outcome.outbox})
                outcome.outbox = [row for row in outcome.outbox if row.copy_id not in done]
                outcome.again = unit.before.keys() - before
                outcome.seen = [row for row in outcome.seen if row.event_id not in before]
                await unit.write(outcome)
                result = result or f"{len(outcome.outbox)} copies"
            await operations.end_item(connection, operation.id, item, state, result, now=unit.now)
            doc = {
                "operation": operation.id, "result": result, "version": self._version,
                "approved_by": operation.approved_by,
            }  # fmt: skip
            event = found.event
            await audit.act(
                connection, "replay", person, doc, now=unit.now,
                event_id=event.event_id if event else None,
                correlation=event.correlation_id or None if event else None,
            )  # fmt: skip


def _is_ending(row: Referral) -> bool:
    return row.stop_state is not None or row.state == "closed"


def _on_record(wiring: Wiring, unit: ReplayUnit) -> Wiring:
    """The wiring for events that are decided again: their facts stay as they are on record.

    Where a fact was put depends on what was known when it came; put on record anew, it could
    stand in two places.
    """

    def recorded(state: State, event: CanonicalEvent, context: Any) -> Decision:
        decision = facts.record(state, event, context)
        kept = unit.before.get(event.event_id, (b"", ""))[1] in {seen.DECIDED, seen.FILTERED}
        return NOTHING if kept and not facts.held(decision) else decision

    rows = tuple(
        row._replace(deciders=tuple(recorded if d is facts.record else d for d in row.deciders))
        for row in wiring.rows
    )
    return replace(wiring, rows=rows, _deciders={})


def _readable(wiring: Wiring, item: Item) -> None:
    """Decode an item; what cannot be read stays without an event."""
    try:
        read(wiring, [item])
    except CrashedError as error:
        item.failure = DataError("E-BUG", detail=where(error))


def _is_meant(event: Any, wanted: Range) -> bool:
    return (
        wanted.type in {None, event.type}
        and wanted.source in {None, event.source}
        and wanted.matter in {None, event.correlation_id}
    )
