"""The flow of facts in two hundred lines: why nothing is lost, doubled, renumbered or reordered.

What is durable: Kafka's log of events, the tables, and the topic of a program. What a process
knows is lost with it. Every method is one step that happens whole or not at all; between any two a
process may die, or stand still and go on much later, after others took over (a zombie).

How it maps to the hub: ``Worker`` is a decide lane (``hub/runtime/decide_lanes.py``) with its fence
(``hub/store/claims.py``), seen events (``seen.py``) and outbox; ``Relay`` is
``hub/runtime/relays.py`` with the numbering of ``hub/store/deliveries.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Event(NamedTuple):
    """A fact about a person; the same id for the same fact, however often it is sent."""

    id: int
    person: int


class Copy(NamedTuple):
    """A fact as a program gets it, with the number of its subscription."""

    seq: int
    event: Event


@dataclass
class Tables:
    """PostgreSQL."""

    # partition_claim
    epoch: int = 0
    next_offset: int = 0
    seen: set[int] = field(default_factory=set)
    outbox: list[Event] = field(default_factory=list)
    # subscription
    relay_epoch: int = 0
    sent_seq: int = 0
    deliveries: list[Copy] = field(default_factory=list)


@dataclass
class Worker:
    """What a decide lane has in memory."""

    epoch: int = 0
    offset: int = 0
    batch: list[Event] = field(default_factory=list)
    fresh: list[Event] | None = None
    """Events of the open transaction; None: no transaction is open."""


@dataclass
class Relay:
    """What a relay has in memory."""

    epoch: int = 0
    in_hand: list[Copy] = field(default_factory=list)
    """Numbered copies that are to be sent."""
    acknowledged: int = 0


class Flow:
    """The hub as it is built; ``sabotages.py`` takes one part away at a time."""

    def __init__(self) -> None:
        self.log: list[Event] = []
        self.tables = Tables()
        self.wire: list[Copy] = []
        self.workers: list[Worker] = []
        self.relays: list[Relay] = []

    # A partition's worker: claim, poll, open a transaction, commit.

    def claim(self, worker: Worker) -> None:
        """Take the partition over; the row's lock waits for an open transaction or cuts it."""
        for other in self.workers:
            if self.is_fenced_in(other):
                other.fresh = None
        self.tables.epoch += 1
        worker.epoch, worker.offset = self.tables.epoch, self.tables.next_offset
        worker.batch, worker.fresh = [], None

    def is_fenced_in(self, worker: Worker) -> bool:
        """Whether its open transaction holds the claim's row locked."""
        return worker.fresh is not None

    def poll(self, worker: Worker, count: int) -> None:
        """Read events at the claim."""
        worker.batch = self.log[worker.offset : worker.offset + count]

    def is_owner(self, worker: Worker) -> bool:
        """The fence: epoch and offset are still the ones this worker read."""
        tables = self.tables
        return (worker.epoch, worker.offset) == (tables.epoch, tables.next_offset)

    def begin(self, worker: Worker) -> None:
        """Open the transaction: fence, then drop what was seen."""
        if not self.is_owner(worker):
            worker.batch = []
            return
        worker.fresh = self.unseen(worker.batch)

    def unseen(self, batch: list[Event]) -> list[Event]:
        """The events that are new, each once."""
        return [one for one in dict.fromkeys(batch) if one.id not in self.tables.seen]

    def commit(self, worker: Worker, *, answered: bool) -> None:
        """Offset, seen events and outbox are one; the answer of COMMIT may be lost."""
        tables, fresh = self.tables, worker.fresh or []
        tables.seen.update(one.id for one in fresh)
        tables.outbox += fresh
        tables.next_offset = worker.offset + len(worker.batch)
        worker.batch, worker.fresh = [], None
        if answered:
            worker.offset = tables.next_offset
        elif worker.epoch == tables.epoch:
            # Nothing is assumed: the claim is read again.
            worker.offset = tables.next_offset

    # A subscription's relay: take over, number, send, mark.

    def take(self, relay: Relay) -> None:
        """Own the subscription; first of all, what may not have arrived is sent again."""
        tables = self.tables
        tables.relay_epoch += 1
        relay.epoch = tables.relay_epoch
        relay.in_hand = self.unsent()
        relay.acknowledged = tables.sent_seq

    def unsent(self) -> list[Copy]:
        """Numbered copies above the cursor."""
        return [one for one in self.tables.deliveries if one.seq > self.tables.sent_seq]

    def owns(self, relay: Relay) -> bool:
        """The relay's fence."""
        return relay.epoch == self.tables.relay_epoch

    def move(self, relay: Relay, count: int) -> None:
        """Number committed outbox rows in order and log them, in one statement."""
        tables = self.tables
        if relay.in_hand or not self.owns(relay):
            return
        moved, tables.outbox = tables.outbox[:count], tables.outbox[count:]
        first = len(tables.deliveries) + 1
        relay.in_hand = [Copy(first + n, event) for n, event in enumerate(moved)]
        tables.deliveries += relay.in_hand

    def send(self, relay: Relay, count: int, *, failed: int | None = None) -> None:
        """Send in order, also as a zombie: no fence reaches a broker.

        Args:
            relay: Who sends.
            count: How many copies are handed over.
            failed: Index of the one that the broker refuses; what is behind it stays in hand.
        """
        arrived = relay.in_hand[: count if failed is None else min(failed, count)]
        self.wire += arrived
        relay.in_hand = relay.in_hand[len(arrived) :]
        relay.acknowledged = max([relay.acknowledged, *(one.seq for one in arrived)])

    def mark(self, relay: Relay) -> None:
        """Move the cursor to what was acknowledged, if the subscription is still ours."""
        if self.owns(relay):
            self.tables.sent_seq = max(self.tables.sent_seq, relay.acknowledged)

    # What must be true.

    def check(self) -> None:
        """At every moment."""
        numbered = [one.seq for one in self.tables.deliveries]
        assert numbered == list(range(1, len(numbered) + 1)), "numbers have a gap"
        told = [one.event.id for one in self.tables.deliveries]
        queued = [one.id for one in self.tables.outbox]
        assert len(told + queued) == len({*told, *queued}), "a fact acts twice"
        assert len(set(self.wire)) == len({one.seq for one in self.wire}), "a number changed"
        assert len(set(self.wire)) == len({one.event for one in self.wire}), (
            "a fact has two numbers"
        )
        firsts = dict.fromkeys(one.event for one in self.wire)
        for person in {one.person for one in self.log}:
            came = [one for one in firsts if one.person == person]
            order = [one for one in dict.fromkeys(self.log) if one.person == person]
            assert came == order[: len(came)], "a person's facts came out of order"

    def settle(self) -> None:
        """Once everybody who lives is well again, every fact has arrived."""
        worker, relay = Worker(), Relay()
        self.workers.append(worker)
        self.claim(worker)
        while self.tables.next_offset < len(self.log):
            self.poll(worker, 3)
            self.begin(worker)
            self.commit(worker, answered=True)
        self.take(relay)
        while relay.in_hand or self.tables.outbox:
            self.send(relay, len(relay.in_hand))
            self.mark(relay)
            self.move(relay, 3)
        self.check()
        assert {one.event for one in self.wire} == set(self.log), "a fact is lost"
