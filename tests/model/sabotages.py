"""Flows with one part taken away: the same checks must find each of them wrong."""

from __future__ import annotations

from flows import Copy, Event, Flow, Relay, Worker


class NoFence(Flow):
    """Whoever has read a batch may write it."""

    def is_owner(self, worker: Worker) -> bool:
        return bool(worker.epoch)

    def is_fenced_in(self, worker: Worker) -> bool:
        return False


class FenceByEpochTakenLate(Flow):
    """The epoch is compared, but the claim's row is not held to the end of the transaction."""

    def is_fenced_in(self, worker: Worker) -> bool:
        return False


class NothingSeen(Flow):
    """Repeats on the wire are not recognised."""

    def unseen(self, batch: list[Event]) -> list[Event]:
        return batch


class OffsetFirst(Flow):
    """The offset is moved when the batch is read, as an automatic commit does."""

    def poll(self, worker: Worker, count: int) -> None:
        super().poll(worker, count)
        if self.is_owner(worker):
            self.tables.next_offset += len(worker.batch)

    def begin(self, worker: Worker) -> None:
        worker.fresh = self.unseen(worker.batch) if worker.epoch == self.tables.epoch else None

    def commit(self, worker: Worker, *, answered: bool) -> None:
        super().commit(worker, answered=answered)
        worker.offset = self.tables.next_offset


class OutcomeAssumed(Flow):
    """A COMMIT without an answer is taken for one that failed, and the batch goes out again."""

    def commit(self, worker: Worker, *, answered: bool) -> None:
        fresh = worker.fresh or []
        super().commit(worker, answered=answered)
        if not answered:
            self.tables.outbox += fresh


class NumberedAtSending(Flow):
    """The number is given to what is sent, not to what is logged."""

    def send(self, relay: Relay, count: int, *, failed: int | None = None) -> None:
        number = len(self.wire)
        relay.in_hand = [Copy(number + n, one.event) for n, one in enumerate(relay.in_hand, 1)]
        super().send(relay, count, failed=failed)


class RelayWithoutFence(Flow):
    """A relay that was overtaken goes on numbering and sending."""

    def owns(self, relay: Relay) -> bool:
        return bool(relay.epoch)


class NothingSentAgain(Flow):
    """A relay that takes over goes on with what is not numbered yet."""

    def unsent(self) -> list[Copy]:
        return []


class MarkedBeforeSending(Flow):
    """The cursor moves when copies are numbered."""

    def move(self, relay: Relay, count: int) -> None:
        super().move(relay, count)
        if relay.in_hand:
            self.tables.sent_seq = relay.in_hand[-1].seq


class SendsPastAFailure(Flow):
    """What is behind a refused copy is sent all the same, and the refused one later."""

    def send(self, relay: Relay, count: int, *, failed: int | None = None) -> None:
        if failed is None or failed >= len(relay.in_hand):
            super().send(relay, count, failed=failed)
            return
        refused = relay.in_hand.pop(failed)
        super().send(relay, count)
        relay.in_hand.insert(0, refused)


SABOTAGES = [
    NoFence,
    FenceByEpochTakenLate,
    NothingSeen,
    OffsetFirst,
    OutcomeAssumed,
    NumberedAtSending,
    RelayWithoutFence,
    NothingSentAgain,
    MarkedBeforeSending,
    SendsPastAFailure,
]
