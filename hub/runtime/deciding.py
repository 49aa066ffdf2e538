"""Deciding: the middle of a decide transaction, from events to what is written.

Every event of a batch ends in exactly one of decided, filtered with a reason, repeat of an event
seen before, or dead letter with a reason.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from hub.contracts.events import CanonicalEvent
from hub.kernel.errors import DataError
from hub.model.decisions import (
    NOTHING,
    Cancel,
    DeadLetter,
    Decision,
    Deliver,
    Deny,
    Emit,
    Resume,
    Schedule,
)
from hub.model.states import Keys, Need
from hub.runtime.audits import Left, audit_row
from hub.runtime.emits import emit_row
from hub.runtime.items import CrashedError, DoomedError, Item, dead_letter, told_by_intake
from hub.runtime.wirings import Wiring
from hub.store import seen
from hub.store.dead_letters import SETTLED, Settling
from hub.store.timers import Timer
from hub.store.unit_of_work import Outcome, UnitOfWork

_is_id = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch

Claiming = Callable[[], Awaitable[set[str]]]

DEAD_LETTERED = "record.dead_lettered"
_FIELDS = Keys.__struct_fields__
_EMPTY: frozenset[Any] = frozenset()
_SLICE = 32
"""Events decided before other lanes may send their next statement. A whole batch at once would let
them advance by one statement per batch, and the database stand idle."""
_NEEDS = 8
"""How often one event may ask for more records before that counts as a bug."""


def read(wiring: Wiring, items: Iterable[Item]) -> None:
    """Decode the events of items; what cannot be read gets its failure.

    Raises:
        CrashedError: the codec raised something else than a data error.
    """
    for item in items:
        if item.event is not None or item.failure is not None:
            continue
        try:
            event = wiring.decode(item.record.value)
            if not _is_id(event.event_id):
                item.failure = DataError("E-SCHEMA-BODY", "event_id", "not a UUID")
                continue
            item.event = event
        except DataError as error:
            item.failure = error
        except Exception as error:
            raise CrashedError(item) from error


class Batch:
    """One run over the items of a poll inside one unit of work.

    Args:
        unit: The open transaction, already fenced.
        wiring: Which deciders see which event.
    """

    def __init__(self, unit: UnitOfWork, wiring: Wiring) -> None:
        self._unit = unit
        self._wiring = wiring
        self._context = wiring.context(unit.now)
        self._applied = 0
        self.outcome = Outcome()
        self.repeats = 0

    async def run(self, items: Sequence[Item], claim: Claiming | None = None) -> Outcome:
        """Decide every item.

        Args:
            items: Events, or records that could not be read.
            claim: Asked once the records are locked: ids of the events that are still to be
                decided. Timers are claimed so late because lanes lock them last, too.

        Raises:
            CrashedError: a decider raised something else than a data error.
            DoomedError: an event failed half-way; roll back and run again with its failure set.
        """
        fresh = await self._fresh(items)
        await self._unit.load(self._keys(fresh))
        claimed = None if claim is None else await claim()
        for number, item in enumerate(fresh, 1):
            if not number % _SLICE:
                await asyncio.sleep(0)
            if claimed is None or (item.event is not None and item.event.event_id in claimed):
                await self._decide(item)
        return self.outcome

    async def _fresh(self, items: Sequence[Item]) -> list[Item]:
        """Items that were not seen before, in the database or earlier in this batch."""
        wanted = [
            (seen.month_of(item.event.occurred_at), item.event.event_id)
            for item in items
            if item.event is not None
        ]
        known = await self._unit.known(wanted)
        here: dict[str, bytes] = {}
        fresh = []
        for item in items:
            event = item.event
            if event is None:
                self._bury(item, item.failure or DataError("E-SCHEMA-BODY"))
                continue
            digest, disposition = known.get(event.event_id, (b"", ""))
            if disposition == seen.DEAD_LETTER:
                self.outcome.again.add(event.event_id)
                disposition = ""
            if event.event_id in here:
                digest, disposition = here[event.event_id], seen.DECIDED
            if disposition:
                self._repeat(item, digest != event.digest)
                continue
            here[event.event_id] = event.digest
            fresh.append(item)
        return fresh

    def _repeat(self, item: Item, changed: bool) -> None:
        """A repeat leaves no trace; other content under the same key is never dropped silently."""
        self.repeats += 1
        if changed:
            failure = DataError("E-CHANGED-WITHOUT-VERSION", "source_version")
            self._note_dead(item, failure)

    def _keys(self, items: Iterable[Item]) -> Keys:
        """Everything that the events of a batch need, gathered for one load."""
        wanted: dict[str, list[frozenset[Any]]] = {field: [] for field in _FIELDS}
        gather = [(wanted[field].append, attrgetter(field)) for field in _FIELDS]
        for item in items:
            if item.event is None or item.failure is not None:
                continue
            try:
                keys = self._wiring.keys(item.event)
            except DataError as error:
                item.failure = error
                continue
            except Exception as error:
                raise CrashedError(item) from error
            for append, values_of in gather:
                if values := values_of(keys):
                    append(values)
        return Keys(**{field: _EMPTY.union(*values) for field, values in wanted.items()})

    async def _decide(self, item: Item) -> None:
        """Decide an event, then the parked events that it lets go on."""
        if item.event is None:
            return
        if item.failure is not None:
            self._bury(item, item.failure)
            return
        waiting = [item.event]
        while waiting:
            event = waiting.pop(0)
            if event.event_id in item.spoiled:
                resumed = Item(item.topic, item.part, item.off, item.record, event)
                self._note_dead(resumed, item.spoiled[event.event_id])
                continue
            if event is not item.event:
                await self._unit.load(self._wiring.keys(event))
            decision = await self._guarded(item, event)
            if decision is not None:
                waiting += [e.event for e in decision.effects if isinstance(e, Resume)]

    async def _guarded(self, item: Item, event: CanonicalEvent) -> Decision | None:
        """Run the deciders; tell data errors, bugs and faults of the database apart."""
        before = self._applied
        try:
            decision = await self._chain(item, event)
            left = self._left(decision, event)
        except DataError as error:
            if event is not item.event or before != self._applied:
                raise DoomedError(item, event, error) from error
            self._bury(item, error)
            return None
        except Exception as error:
            if _is_from_database(error):
                raise
            raise CrashedError(item) from error
        if left.failure is not None:
            if before != self._applied:
                raise DoomedError(item, event, left.failure)
            self._refuse(item, event, decision, left)
            return None
        self._keep(item, event, decision, left)
        return decision

    async def _chain(self, item: Item, event: CanonicalEvent) -> Decision:
        if event.type == DEAD_LETTERED:
            self.outcome.dead_letters.append(told_by_intake(item, event, self._unit.now))
        whole, state, context = NOTHING, self._unit.state, self._context
        for decider in self._wiring.deciders(event.type):
            try:
                decision = decider(state, event, context)
            except Need as need:
                decision = await self._call(decider, event, need)
            if decision is NOTHING:
                continue
            if decision.changes:
                self._applied += 1
                state.apply(decision.changes)
            whole = decision if whole is NOTHING else whole + decision
            if self._wiring.held(decision):
                break
        return whole

    async def _call(self, decider: Any, event: CanonicalEvent, need: Need) -> Decision:
        """Load what a decider asks for, until it has everything."""
        for _ in range(_NEEDS):
            await self._unit.load(need.keys)
            try:
                decision: Decision = decider(self._unit.state, event, self._context)
            except Need as more:
                need = more
            else:
                return decision
        raise RuntimeError(f"{decider.__module__} asks for more records without end")

    def _left(self, decision: Decision, event: CanonicalEvent) -> Left:
        """Copies and hub facts; made before anything is kept, as a mask may refuse."""
        left = Left()
        ordinals: dict[tuple[str, str], int] = {}
        for effect in decision.effects:
            if isinstance(effect, Deny):
                left.denied.append(effect)
            elif isinstance(effect, Deliver):
                for row in self._wiring.copies(effect, self._context):
                    if isinstance(row, Deny):
                        left.denied.append(row)
                    else:
                        left.rows.append(row)
            elif isinstance(effect, Emit):
                place = effect.cause, effect.reason.rule
                ordinals[place] = ordinals.get(place, -1) + 1
                left.rows.append(emit_row(effect, ordinals[place], event, self._unit.now))
            elif isinstance(effect, DeadLetter):
                left.failure = DataError(effect.code, effect.field, effect.detail)
            else:
                left.others.append(effect)
        return left

    def _keep(self, item: Item, event: CanonicalEvent, decision: Decision, left: Left) -> None:
        outcome = self.outcome
        outcome.outbox += left.rows
        for effect in left.others:
            match effect:
                case Schedule():
                    outcome.timers[effect.key] = _timer(effect, event)
                case Cancel():
                    outcome.timers[effect.key] = None
        self._settle(event)
        done = bool(decision.changes or decision.effects)
        reason = None if done else _reason(decision, self._wiring.deciders(event.type))
        if event is item.event:
            self._see(item, event, seen.DECIDED if done else seen.FILTERED, reason)
        if done:
            outcome.audit.append(audit_row("decision", event, decision, left))

    def _settle(self, event: CanonicalEvent) -> None:
        """Whatever was decided, its record can be used now: dead letters of it are settled."""
        if event.type == DEAD_LETTERED:
            return
        settling = Settling(
            event.source, event.source_record_key, event.event_id, event.type, event.recorded
        )
        self.outcome.settled.append(settling)
        for row in self.outcome.dead_letters:
            if settling.settles(row):
                row.state, row.settled_by = SETTLED, event.event_id
                row.settled_at = self._unit.now

    def _refuse(self, item: Item, event: CanonicalEvent, decision: Decision, left: Left) -> None:
        """A dead letter by decision: whoever must be told of it is told in the same transaction."""
        failure = left.failure or DataError("E-SCHEMA-BODY")
        if event is item.event:
            self._bury(item, failure)
        else:
            self._note_dead(Item(item.topic, item.part, item.off, item.record, event), failure)
        self.outcome.outbox += left.rows
        self.outcome.audit.append(audit_row("dead_letter", event, decision, left))

    def _bury(self, item: Item, failure: DataError) -> None:
        self._note_dead(item, failure)
        if item.event is not None:
            self._see(item, item.event, seen.DEAD_LETTER, failure.code)

    def _note_dead(self, item: Item, failure: DataError) -> None:
        row = dead_letter(item, failure, self._unit.now, self._wiring.replays)
        self.outcome.dead_letters.append(row)

    def _see(self, item: Item, event: CanonicalEvent, what: str, reason: str | None) -> None:
        self.outcome.seen.append(
            seen.Seen(
                seen.month_of(event.occurred_at),
                event.event_id,
                event.digest,
                what,
                reason,
                event.type,
                item.part,
                item.off,
                event.source,
            )
        )


def _is_from_database(error: Exception) -> bool:
    """Loading on demand happens inside the call of a decider; its faults are not the event's."""
    return type(error).__module__.startswith("asyncpg") or isinstance(error, OSError)


def _reason(decision: Decision, deciders: Sequence[Any]) -> str:
    if decision.because:
        return decision.because[0].key
    return "no_effect" if deciders else "not_subscribed"


def _timer(effect: Schedule, event: CanonicalEvent) -> Timer:
    return Timer(
        effect.key,
        effect.at,
        effect.kind,
        effect.payload,
        event.event_id,
        event.correlation_id,
        event.uid,
        event.household,
        event.jurisdiction,
    )
