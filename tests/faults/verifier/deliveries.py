"""Deliveries: numbers, bytes, order and offsets, whatever the copies are about."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.faults.verifier.breaches import Allowed, Breach
from tests.faults.verifier.sets import Copy, Delivery, Sets
from tests.faults.verifier.truths import Truth

PARKED = frozenset({"parked", "given_up"})
"""States of a row whose number is a gap that everybody can see."""


def check(sets: Sets, truth: Truth, allowed: Allowed, counts: Counter[str]) -> Iterator[Breach]:
    """Changed and renumbered copies, gaps, the witness, offsets."""
    del truth, allowed
    by_program: dict[str, list[Copy]] = defaultdict(list)
    for copy in sets.copies:
        by_program[copy.program].append(copy)
    logged: dict[str, list[Delivery]] = defaultdict(list)
    for row in sets.deliveries:
        logged[row.program].append(row)
    for program in sorted(by_program.keys() | logged.keys() | sets.subscriptions.keys()):
        if program.startswith("event."):
            # The hub's own facts are numbered for sending only; the events themselves are checked.
            continue
        copies = by_program.get(program, [])
        yield from _same(program, copies, counts)
        yield from _gaps(sets, program, copies, logged.get(program, []), counts)
    yield from _witnessed(sets, counts)
    yield from _offsets(sets)
    yield from (Breach("unreadable", what) for what in sets.unreadable)
    if not sets.quiet:
        yield Breach("not_recovered", f"outbox {sets.outbox}, lag {lag(sets)}")


def _same(program: str, copies: list[Copy], counts: Counter[str]) -> Iterator[Breach]:
    first: dict[str, Copy] = {}
    numbers: dict[tuple[int, int], str] = {}
    for copy in copies:
        known = first.setdefault(copy.copy_id, copy)
        if known is not copy:
            counts["repeated_copies"] += 1
            if known.digest != copy.digest:
                yield Breach("changed_copy", f"{program} {copy.copy_id}")
            if (known.generation, known.seq) != (copy.generation, copy.seq):
                yield Breach(
                    "renumbered_copy", f"{program} {copy.copy_id} is {known.seq} and {copy.seq}"
                )
        other = numbers.setdefault((copy.generation, copy.seq), copy.copy_id)
        if other != copy.copy_id:
            yield Breach("renumbered_copy", f"{program} {copy.seq} is {other} and {copy.copy_id}")
    counts["copies"] += len(first)


def _gaps(
    sets: Sets, program: str, copies: list[Copy], rows: list[Delivery], counts: Counter[str]
) -> Iterator[Breach]:
    came = {(copy.generation, copy.seq): copy for copy in copies}
    log = {(row.generation, row.seq): row for row in rows}
    one = sets.subscriptions.get(program)
    given = set(came) | set(log)
    if one is not None:
        given |= {(one.generation, seq) for seq in range(1, one.next_seq)}
    lasts: dict[int, int] = {}
    for generation, seq in given:
        lasts[generation] = max(lasts.get(generation, 0), seq)
    for generation, last in lasts.items():
        for seq in range(1, last + 1):
            row, copy = log.get((generation, seq)), came.get((generation, seq))
            if row is not None and row.state in PARKED:
                counts["parked"] += 1
            elif copy is None:
                yield Breach("gap", f"{program} generation {generation} number {seq}")
            elif row is None:
                yield Breach("gap", f"{program} number {seq} was sent and is not in the log")
            elif row.copy_id != copy.copy_id:
                yield Breach("renumbered_copy", f"{program} {seq}: log and topic differ")
            elif row.body != copy.body:
                yield Breach("changed_copy", f"{program} {copy.copy_id}: log and topic differ")


def _witnessed(sets: Sets, counts: Counter[str]) -> Iterator[Breach]:
    counts["witnessed"] += len(sets.sightings)
    numbers: dict[tuple[str, int, int], str] = {}
    digests: dict[tuple[str, str], str] = {}
    there = {(f"program.{c.program}.inbox", c.off): c for c in sets.copies}
    for one in sets.sightings:
        if not one.topic.endswith(".inbox"):
            continue
        copy = there.get((one.topic, one.off))
        if copy is None or copy.copy_id != one.ce_id or copy.digest != one.digest:
            yield Breach("vanished", f"{one.topic}@{one.off} {one.ce_id}")
        if digests.setdefault((one.topic, one.ce_id), one.digest) != one.digest:
            yield Breach("changed_copy", f"{one.topic} {one.ce_id} as seen by the witness")
        number = one.topic, one.generation, one.seq
        if numbers.setdefault(number, one.ce_id) != one.ce_id:
            yield Breach("renumbered_copy", f"{one.topic} {one.seq} as seen by the witness")


def _offsets(sets: Sets) -> Iterator[Breach]:
    for place, claim in sorted(sets.claims.items()):
        where = f"{place.topic}/{place.part}"
        end, start = sets.ends.get(place), sets.starts.get(place, 0)
        if end is None:
            continue
        if claim > end:
            yield Breach("offsets", f"{where}: claim {claim} beyond the log's end {end}")
        elif claim < start:
            yield Breach("offsets", f"{where}: claim {claim} before the log's start {start}")
        mirror = sets.mirrors.get(place, -1)
        if mirror > claim:
            yield Breach("offsets", f"{where}: mirror {mirror} ahead of claim {claim}")


def lag(sets: Sets) -> int:
    """Records that no stage has worked through."""
    return sum(
        max(0, end - sets.claims.get(place, sets.starts.get(place, 0)))
        for place, end in sets.ends.items()
    )
