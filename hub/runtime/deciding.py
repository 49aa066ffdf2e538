"""Deciding: the middle of a decide transaction, from events to what is written.

Every event of a batch ends in exactly one of decided, filtered with a reason, repeat of an event
seen before, or dead letter with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import msgspec

from hub.contracts.events import CanonicalEvent
from hub.kernel.errors import DataError
from hub.model.decisions import (
    Cancel,
    DeadLetter,
    Decision,
    Deliver,
    Deny,
    Emit,
    Resume,
    Schedule,
    Settle,
)
from hub.model.outbox import OutboxRow
from hub.model.states import Keys, Need
from hub.runtime.emits import emit_row
from hub.runtime.items import CrashedError, DoomedError, Item, dead_letter, told_by_intake
from hub.runtime.wirings import Wiring
from hub.store import seen
from hub.store.audit import AuditRow
from hub.store.timers import Timer
from hub.store.unit_of_work import Outcome, UnitOfWork

_is_id = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch

Claiming = Callable[[], Awaitable[set[str]]]

_FIELDS = Keys.__struct_fields__
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
        for item in fresh:
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
        wanted: dict[str, set[Any]] = {field: set() for field in _FIELDS}
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
            for field in _FIELDS:
                values = getattr(keys, field)
                if values:
                    wanted[field].update(values)
        return Keys(**{field: frozenset(values) for field, values in wanted.items()})

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
            decision = await self._chain(event)
            rows = self._rows(decision, event)
        except DataError as error:
            if event is not item.event or before != self._applied:
                raise DoomedError(item, event, error) from error
            self._bury(item, error)
            return None
        except Exception as error:
            if _is_from_database(error):
                raise
            raise CrashedError(item) from error
        self._keep(item, event, decision, rows)
        return decision

    async def _chain(self, event: CanonicalEvent) -> Decision:
        if event.type == "record.dead_lettered":
            self.outcome.dead_letters.append(told_by_intake(event))
        whole = Decision()
        for decider in self._wiring.deciders(event.type):
            decision = await self._call(decider, event)
            if decision.changes:
                self._applied += 1
                self._unit.state.apply(decision.changes)
            whole += decision
            if self._wiring.held(decision):
                break
        return whole

    async def _call(self, decider: Any, event: CanonicalEvent) -> Decision:
        for _ in range(_NEEDS):
            try:
                decision: Decision = decider(self._unit.state, event, self._context)
            except Need as need:
                await self._unit.load(need.keys)
            else:
                return decision
        raise RuntimeError(f"{decider.__module__} asks for more records without end")

    def _rows(self, decision: Decision, event: CanonicalEvent) -> list[OutboxRow | Deny]:
        """Copies and hub facts; made before anything is kept, as a mask may refuse."""
        rows: list[OutboxRow | Deny] = []
        ordinals: dict[tuple[str, str], int] = {}
        for effect in decision.effects:
            if isinstance(effect, DeadLetter):
                raise DataError(effect.code, effect.field, effect.detail)
            if isinstance(effect, Deliver):
                rows.extend(self._wiring.copies(effect, self._context))
            elif isinstance(effect, Emit):
                place = effect.cause, effect.reason.rule
                ordinals[place] = ordinals.get(place, -1) + 1
                rows.append(emit_row(effect, ordinals[place], event, self._unit.now))
        return rows

    def _keep(
        self,
        item: Item,
        event: CanonicalEvent,
        decision: Decision,
        rows: list[OutboxRow | Deny],
    ) -> None:
        outcome = self.outcome
        denied = [effect for effect in decision.effects if isinstance(effect, Deny)]
        for row in rows:
            if isinstance(row, Deny):
                denied.append(row)
            else:
                outcome.outbox.append(row)
        for effect in decision.effects:
            match effect:
                case Schedule():
                    outcome.timers[effect.key] = _timer(effect, event)
                case Cancel():
                    outcome.timers[effect.key] = None
                case Settle():
                    outcome.settled.append((effect.source, effect.record_key, event.event_id))
        # Asking to settle dead letters that are not there is no effect of the event.
        done = bool(decision.changes) or not all(isinstance(e, Settle) for e in decision.effects)
        reason = None if done else _reason(decision, self._wiring.deciders(event.type))
        if event is item.event:
            self._see(item, event, seen.DECIDED if done else seen.FILTERED, reason)
        if done:
            outcome.audit.append(_audit(event, decision, rows, denied))

    def _bury(self, item: Item, failure: DataError) -> None:
        self._note_dead(item, failure)
        if item.event is not None:
            self._see(item, item.event, seen.DEAD_LETTER, failure.code)

    def _note_dead(self, item: Item, failure: DataError) -> None:
        self.outcome.dead_letters.append(dead_letter(item, failure, self._unit.now))

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


def _audit(
    event: CanonicalEvent,
    decision: Decision,
    rows: Iterable[OutboxRow | Deny],
    denied: Iterable[Deny],
) -> AuditRow:
    doc = {
        "because": [
            [reason.rule, reason.key, reason.version, reason.facts] for reason in decision.because
        ],
        "changed": [[record.TABLE, _name(record)] for record in decision.changes],
        "copies": [
            [row.subscription, row.copy_id, row.type] for row in rows if isinstance(row, OutboxRow)
        ],
        "denied": [[deny.program, deny.code, deny.type] for deny in denied],
    }
    return AuditRow(
        "decision",
        "hub",
        event.event_id,
        event.type,
        event.uid,
        event.household,
        event.correlation_id or None,
        msgspec.json.encode(doc).decode(),
    )


def _name(record: Any) -> str:
    key = getattr(record, record.KEY[0])
    return key.hex() if isinstance(key, bytes) else str(key)
