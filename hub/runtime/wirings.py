"""Wirings: the form of the table in :mod:`hub.runtime.wiring`, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Protocol

from hub.contracts.codecs import decode_event
from hub.contracts.events import CanonicalEvent
from hub.contracts.replay_marks import ReplayKey
from hub.model.decisions import Decision, Deliver, Deny, Schedule
from hub.model.outbox import OutboxRow
from hub.model.states import Keys, State

INTAKE = "intake"
DECIDE = "decide"


class Decider(Protocol):
    """A pure function from state and event to a decision."""

    def __call__(self, state: State, event: CanonicalEvent, ctx: Any, /) -> Decision:
        """Decide; raises ``Need`` for records that are not loaded, ``DataError`` for bad data."""


class Row(NamedTuple):
    """One line of the table: topics, what reads them, which event types, and who decides."""

    topic: str
    """Pattern over topic names without prefix."""
    stage: str
    """``intake`` or ``decide``."""
    type: str = "*"
    """Pattern over event types."""
    deciders: tuple[Decider, ...] = ()


def each(topic: str, deciders: Mapping[str, tuple[Decider, ...]]) -> tuple[Row, ...]:
    """Lines of the table out of a package's own table of event types."""
    return tuple(Row(topic, DECIDE, name, every) for name, every in deciders.items())


Produced = tuple[str, bytes | None, bytes, Sequence[tuple[str, bytes]]]
"""Topic without prefix, key, value and headers of a record that intake produces on the partition
its source record came from."""
Pipeline = Callable[[Any], Sequence[Produced]]
"""From the consumer's record to what it becomes, dead letter and notice included. Never raises
for bad data."""
Buried = Callable[[Any, str], Sequence[Produced]]
"""The dead letter of a record that made its pipeline crash, with the code given."""


def unloaded(event: CanonicalEvent) -> Keys:
    """Nothing beyond the person and the household that the envelope names."""
    return Keys(
        uids=frozenset({event.uid} if event.uid else ()),
        households=frozenset({event.household} if event.household else ()),
    )


def no_copies(effect: Deliver, context: Any) -> Sequence[OutboxRow | Deny]:
    """A hub without programs: nothing leaves, and the audit says so."""
    del context
    return (Deny(effect.program, "deny.directory", effect.type),)


def never_held(decision: Decision) -> bool:
    """Every decider sees every event."""
    del decision
    return False


def no_timers(now: int) -> Sequence[Schedule]:
    """No timer stands from the start."""
    del now
    return ()


@dataclass(frozen=True)
class Wiring:
    """The table and the pure functions that surround the deciders.

    Attributes:
        rows: The table.
        topics: Declared topics without prefix.
        context: From the batch's instant (ms) to what deciders get as ``ctx``.
        keys: What an event needs loaded.
        copies: From a delivery to masked, encoded copies or refusals.
        decode: From the bytes of an ``event.*`` or reply record to the event.
        pipelines: ``in.*`` topic → its pipeline.
        buried: Makes the dead letter of a record that crashed its pipeline.
        subscriptions: Id → (topic, mode) of every program that gets copies.
        held: Whether a decision holds its event back, so that no further decider sees it.
        timers: Timers that stand from the start.
        replays: Tells records that the hub itself sends again; None: none is trusted to be one.
    """

    rows: tuple[Row, ...]
    topics: tuple[str, ...]
    context: Callable[[int], Any]
    keys: Callable[[CanonicalEvent], Keys] = unloaded
    copies: Callable[[Deliver, Any], Sequence[OutboxRow | Deny]] = no_copies
    decode: Callable[[bytes], CanonicalEvent] = decode_event
    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    buried: Buried | None = None
    subscriptions: dict[str, tuple[str, str]] = field(default_factory=dict)
    held: Callable[[Decision], bool] = never_held
    timers: Callable[[int], Sequence[Schedule]] = no_timers
    replays: ReplayKey | None = None
    _deciders: dict[str, tuple[Decider, ...]] = field(default_factory=dict, repr=False)

    def deciders(self, event_type: str) -> tuple[Decider, ...]:
        """Who decides an event, in the order of the table."""
        try:
            return self._deciders[event_type]
        except KeyError:
            found = tuple(
                decider
                for row in self.rows
                if row.stage == DECIDE and fnmatchcase(event_type, row.type)
                for decider in row.deciders
            )
            self._deciders[event_type] = found
            return found

    def topics_of(self, stage: str) -> list[str]:
        """The declared topics that a stage reads, without prefix."""
        patterns = [row.topic for row in self.rows if row.stage == stage]
        return [topic for topic in self.topics if _any(topic, patterns)]


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
