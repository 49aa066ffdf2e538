"""Sabotages: the hub broken on purpose in one process, so that the verifier is put to the proof.

Each is applied to the modules of the process that ``tests.faults.sabotaged`` starts; the product
holds no code for it. Where harm needs a crash at the wrong moment, the sabotage dies at that
moment itself, so that it shows in any case whose supervisor starts the worker again.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Any, NamedTuple

DIED = 70
"""Exit code of a sabotaged process that ends itself."""


class Sabotage(NamedTuple):
    """One way of being wrong.

    Attributes:
        apply: Breaks this process.
        found_by: Kinds of breach of which at least one must be found.
        zh: What is broken, Chinese.
        en: The same, English.
        needs: What must happen for it to show: ``load``, ``zombie`` or ``clock``.
    """

    apply: Callable[[], None]
    found_by: frozenset[str]
    zh: str
    en: str
    needs: str = "load"


SABOTAGES: dict[str, Sabotage] = {}


def _named(
    *found_by: str, zh: str, en: str, needs: str = "load"
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def keep(apply: Callable[[], None]) -> Callable[[], None]:
        SABOTAGES[apply.__name__] = Sabotage(apply, frozenset(found_by), zh, en, needs)
        return apply

    return keep


def _replace(place: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put another function in the place of one.

    Raises:
        AttributeError: it is no longer there, so the sabotage has to be written anew.
    """
    setattr(place, name, make(getattr(place, name)))


class _Every:
    """True each n-th time it is asked."""

    def __init__(self, n: int) -> None:
        self._n, self._count = n, itertools.count(1)

    def __call__(self) -> bool:
        return next(self._count) % self._n == 0


def _die() -> None:
    os._exit(DIED)


def _fence_open() -> None:
    from hub.store import claims

    async def fence(connection: Any, moves: Any, *, now: int) -> None:
        for claim, offset in moves:
            await connection.execute(
                "UPDATE partition_claim SET next_offset = $3, committed_at = $4"
                " WHERE topic = $1 AND part = $2",
                *(claim.topic, claim.part, offset, now),
            )

    _replace(claims, "fence", lambda _: fence)


def _seen_off() -> None:
    from hub.store import seen
    from hub.store.unit_of_work import UnitOfWork

    async def known(self: Any, wanted: Any) -> dict[str, Any]:
        return {}

    def writing(real: Any) -> Any:
        async def write(connection: Any, rows: Any, *, now: int, again: Any = ()) -> None:
            there = await seen.known(connection, [(row.month, row.event_id) for row in rows])
            kept = {row.event_id: row for row in rows if row.event_id not in there}
            if kept:
                await real(connection, list(kept.values()), now=now)

        return write

    _replace(UnitOfWork, "known", lambda _: known)
    _replace(seen, "write", writing)


@_named(
    "renumbered_copy",
    zh="不设防护:被接管的进程仍可写入,也不查重",
    en="No fence: a process that was overtaken still writes, and nothing is known as seen",
    needs="zombie",
)
def no_fence() -> None:
    """The fence alone is backed by the list of seen events, so both are off."""
    _fence_open()
    _seen_off()


@_named(
    "renumbered_copy",
    "surplus_copy",
    zh="不查重:重复的事实再次生效",
    en="Seen events are not looked up: a repeat acts again",
)
def seen_skipped() -> None:
    """Every event counts as new."""
    _seen_off()


@_named(
    "lost",
    zh="接入先移动位点、后发送",
    en="Intake moves its offsets before the events are acknowledged",
)
def ack_before_send() -> None:
    """Offsets first; the process dies between now and then."""
    from hub.runtime.intake_stage import IntakeStage
    from hub.store import claims

    dies = _Every(4)

    def taking(real: Any) -> Any:
        async def take_off(self: Any, connection: Any, polled: Any) -> None:
            moves = [
                (self.holding.claims[part.topic, part.partition], records[-1].offset + 1)
                for part, records in polled.items()
            ]
            async with connection.transaction():
                await claims.fence(connection, moves, now=self._stage.now())
            if dies():
                _die()
            await real(self, connection, polled)
            for claim, offset in moves:
                claim.next_offset = offset

        return take_off

    _replace(IntakeStage, "_take_off", taking)


@_named(
    "unseen",
    zh="先提交位点、后提交批次",
    en="Offsets are committed before the batch they belong to",
)
def offsets_before_commit() -> None:
    """The offsets have a transaction of their own; the process dies between now and then."""
    from hub.runtime.decide_lanes import DecideLane
    from hub.store import claims
    from hub.store.unit_of_work import UnitOfWork

    dies = _Every(6)

    async def nothing(self: Any, moves: Any) -> None:
        return None

    def transacting(real: Any) -> Any:
        async def transact(self: Any, connection: Any, items: Any) -> Any:
            async with connection.transaction():
                await claims.fence(
                    connection, list(self._moves(items).values()), now=self._stage.now()
                )
            if dies():
                _die()
            return await real(self, connection, items)

        return transact

    _replace(UnitOfWork, "fence", lambda _: nothing)
    _replace(DecideLane, "_transact", transacting)


@_named(
    "unseen",
    "offsets",
    zh="以 Kafka 镜像位点为起点",
    en="Kafka's mirror tells where to start, not the claim",
)
def mirror_as_start() -> None:
    """The mirror runs ahead with what was polled, and a restart believes it."""
    from hub.runtime.assignments import Holding
    from hub.runtime.decide_lanes import DecideLane

    dies = _Every(6)

    def following(real: Any) -> Any:
        async def follow(self: Any, connection: Any, now: int) -> bool:
            taken: bool = await real(self, connection, now)
            for claim in self.claims.values() if taken else ():
                part = next(p for p in self.partitions if (p.topic, p.partition) == claim.place)
                mirror = await self._consumer.committed(part)
                if mirror is not None and mirror > claim.next_offset:
                    await connection.execute(
                        "UPDATE partition_claim SET next_offset = $3"
                        " WHERE topic = $1 AND part = $2",
                        *(claim.topic, claim.part, mirror),
                    )
                    claim.next_offset = mirror
            self.seek()
            return taken

        return follow

    def transacting(real: Any) -> Any:
        async def transact(self: Any, connection: Any, items: Any) -> Any:
            if dies():
                ahead = {
                    part: max(
                        item.off for item in items if item.place == (part.topic, part.partition)
                    )
                    + 1
                    for part in self.holding.partitions
                    if any(item.place == (part.topic, part.partition) for item in items)
                }
                await self._consumer.commit(ahead)
                _die()
            return await real(self, connection, items)

        return transact

    _replace(Holding, "follow", following)
    _replace(DecideLane, "_transact", transacting)


@_named(
    "wrong_disposition",
    zh="全部进入死信",
    en="Every event becomes a dead letter",
)
def dead_letter_everything() -> None:
    """A hub that is never wrong about a referral, as it makes none."""
    from hub.kernel.errors import DataError
    from hub.runtime.deciding import Batch

    async def refuse(self: Any, event: Any) -> Any:
        raise DataError("E-SCHEMA-BODY")

    _replace(Batch, "_chain", lambda _: refuse)


@_named("unseen", zh="吞掉意外异常,跳过事件", en="Unexpected exceptions are swallowed")
def crash_swallowed() -> None:
    """Now and then an event fails unexpectedly, and nobody hears of it."""
    from hub.runtime.deciding import Batch

    fails = _Every(25)

    def deciding(real: Any) -> Any:
        async def decide(self: Any, item: Any) -> None:
            if not fails():
                await real(self, item)

        return decide

    _replace(Batch, "_decide", deciding)


@_named("wrong_fields", zh="脱敏放行全部附条件字段", en="The mask meets every condition")
def mask_open() -> None:
    """Fields that need an acceptance or a question leave with every copy."""
    from hub.routing.masks import Mask

    def conditions(self: Any, copy_type: str, groups: Any, met: Any) -> frozenset[str]:
        return frozenset(self._markers)

    _replace(Mask, "conditions", lambda _: conditions)


@_named("missing_copy", zh="丢弃发件箱中的部分行", en="Rows of the outbox get lost")
def outbox_row_dropped() -> None:
    """Each twentieth copy is never queued."""
    from hub.store import outbox

    drops = _Every(20)

    def writing(real: Any) -> Any:
        async def write(connection: Any, rows: Any) -> None:
            kept = [row for row in rows if row.topic.startswith("event.") or not drops()]
            if kept:
                await real(connection, kept)

        return write

    _replace(outbox, "write", writing)


@_named("missing_retraction", zh="不告知撤销", en="Nobody learns that a fact was taken back")
def retraction_dropped() -> None:
    """Who was told of the original is not told of its end."""
    from hub.routing import tells

    _replace(tells._Telling, "again", lambda _: lambda self, originals: None)


@_named("inversion", zh="投递不保序", en="The relay sends without order")
def relay_without_order() -> None:
    """What was moved together is sent backwards, but for the last copy of each subscription."""
    from hub.store import deliveries

    def moving(real: Any) -> Any:
        async def move(*args: Any, **more: Any) -> Any:
            copies = await real(*args, **more)
            last = {copy.subscription: copy for copy in copies}
            ends = {id(copy) for copy in last.values()}
            turned = [copy for copy in reversed(copies) if id(copy) not in ends]
            return [*turned, *last.values()]

        return move

    _replace(deliveries, "move", moving)


@_named("renumbered_copy", zh="重发时重新编号", en="A copy gets another number when sent again")
def renumbered_on_resend() -> None:
    """Everything is sent twice, and the number is given while sending."""
    from hub.runtime import relays

    numbers: dict[str, Any] = {}

    def heading(real: Any) -> Any:
        def headers(copy: Any) -> Any:
            from msgspec.structs import replace

            count = numbers.setdefault(copy.subscription, itertools.count(1))
            return real(replace(copy, seq=next(count)))

        return headers

    _replace(relays, "_headers", heading)
    _replace(relays.Relay, "_send", _twice)


@_named("changed_copy", zh="重发时内容改变", en="A copy sent again has other bytes")
def resend_changes_bytes() -> None:
    """Everything is sent twice, with the time of sending in a header."""
    from hub.runtime import relays

    times = itertools.count(1)

    def heading(real: Any) -> Any:
        return lambda copy: [*real(copy), ("ce_senttime", b"%d" % next(times))]

    _replace(relays, "_headers", heading)
    _replace(relays.Relay, "_send", _twice)


def _twice(real: Any) -> Any:
    async def send(self: Any, connection: Any, copies: Any) -> None:
        await real(self, connection, copies)
        await real(self, connection, copies)

    return send


@_named("renumbered_copy", zh="恢复后沿用旧代次编号", en="After a restore numbers are used again")
def generation_reused() -> None:
    """The tenth time something is moved, the log of deliveries is restored to its beginning."""
    from hub.store import deliveries

    restores = _Every(10)

    def moving(real: Any) -> Any:
        async def move(connection: Any, held: Any, **more: Any) -> Any:
            copies = await real(connection, held, **more)
            if copies and restores():
                await connection.execute("DELETE FROM delivery")
                await connection.execute("UPDATE subscription SET next_seq = 1, sent_seq = 0")
            return copies

        return move

    _replace(deliveries, "move", moving)


@_named(
    "orphan_referral",
    "missing_referral",
    zh="转介不入台账",
    en="Referrals are told and not put on record",
)
def ledger_row_dropped() -> None:
    """Each tenth new row of the ledger is forgotten before it is written."""
    from hub.store import unit_of_work

    drops = _Every(10)

    def writing(real: Any) -> Any:
        async def write_dirty(connection: Any, state: Any, revisions: Any) -> Any:
            for place in [place for place in state.dirty if place[0] == "referral"]:
                if drops():
                    del state.dirty[place]
            return await real(connection, state, revisions)

        return write_dirty

    _replace(unit_of_work, "write_dirty", writing)


@_named("final_state", "missing_copy", zh="名册不除名", en="Nobody is taken off a roster")
def removal_forgotten() -> None:
    """Whoever leaves aid stays on every roster."""
    from hub.rosters import deltas

    def differing(real: Any) -> Any:
        def diff(event: Any, ctx: Any, rule: Any, view: Any, people: Any, had: Any) -> Any:
            found = real(event, ctx, rule, view, people, had)
            return [one for one in found if one[0].present]

        return diff

    _replace(deltas, "_diff", differing)


@_named(
    "surplus_copy",
    zh="定时器重复触发",
    en="A timer fires again and again",
    needs="clock",
)
def timers_twice() -> None:
    """A timer stays on record when it fires, and each firing is an event of its own."""
    from hub.kernel.event_ids import hub_event_id
    from hub.runtime import timers
    from hub.store import timers as store

    fired = itertools.count(1)

    async def claim(connection: Any, due: Any) -> set[str]:
        keys = [timer.key for timer in due]
        rows = await connection.fetch("SELECT key FROM timer WHERE key = ANY($1)", keys)
        return {row[0] for row in rows}

    def making(real: Any) -> Any:
        def event_of(timer: Any, now: int) -> Any:
            from msgspec.structs import replace

            event = real(timer, now)
            return replace(event, event_id=hub_event_id(timer.key, "again", next(fired)))

        return event_of

    _replace(store, "claim", lambda _: claim)
    _replace(timers, "event_of", making)


@_named("lost", zh="日志与位移不符也继续", en="A claim outside the log is followed all the same")
def misfit_ignored() -> None:
    """Whatever is missing between the claim and the log is skipped in silence."""
    from hub.runtime import assignments
    from hub.store import claims

    def taking(real: Any) -> Any:
        async def take(connection: Any, places: Any, **more: Any) -> Any:
            taken = await real(connection, places, **more)
            for place, claim in taken.items():
                topic_id = (more.get("topic_ids") or {}).get(claim.topic)
                other = bool(claim.topic_id and topic_id and claim.topic_id != topic_id)
                if other or claim.next_offset < places[place]:
                    claim.next_offset = places[place]
                    await connection.execute(
                        "UPDATE partition_claim SET next_offset = $3 WHERE topic = $1 AND part = $2",
                        *(claim.topic, claim.part, claim.next_offset),
                    )
            return taken

        return take

    _replace(claims, "take", taking)
    _replace(assignments, "misfit", lambda _: lambda claim, log: None)
