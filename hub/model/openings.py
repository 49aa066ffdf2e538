"""Opening balance: who is on roll when the hub starts, as facts like any other.

The facts have ids of their own, made from the household, so loading the same file again changes
nothing, and a department's own grant of the same spell later only re-keys the episode.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hub.contracts.events import CanonicalEvent, Groups
from hub.kernel.event_ids import hub_event_id
from hub.model.contexts import Context

DAY_MS = 86_400_000
SHANGHAI_MS = 8 * 3_600_000
SOURCE = "opening-balance"


class OpeningRow(msgspec.Struct, kw_only=True):
    """One person of a roster file.

    Attributes:
        household: Household id issued by civil affairs.
        uid: The person.
        identity: Groups ``id``, ``contact``, ``area`` as far as known.
        relation: Relation to the head.
        category: Main state, e.g. ``DIBAO``.
        subtype: E.g. urban or rural.
        scope: ``household`` or ``single_person``.
        effective_from: First day of the spell, days since 1970-01-01.
        care_level: For TEKUN.
        school: Group ``school`` of a pupil, empty for others.
        meters: Meter accounts of the household.
        decision_id: The decision on the grant, if the file has it.
    """

    household: str
    uid: bytes
    category: str
    effective_from: int
    identity: Groups = {}
    relation: str | None = None
    subtype: str | None = None
    scope: str = "household"
    care_level: str | None = None
    school: dict[str, Any] = {}
    meters: tuple[str, ...] = ()
    decision_id: str | None = None


def homes_of(rows: Iterable[OpeningRow]) -> list[list[OpeningRow]]:
    """Rows of a household each, in the order in which the households come first."""
    homes: dict[str, list[OpeningRow]] = {}
    for row in rows:
        homes.setdefault(row.household, []).append(row)
    return list(homes.values())


def opening_events(rows: Iterable[OpeningRow], ctx: Context) -> list[CanonicalEvent]:
    """The facts of a roster file, in the file's order of households."""
    return [
        event
        for members in homes_of(rows)
        for event in _household(members[0].household, members, ctx)
    ]


def _household(home: str, rows: list[OpeningRow], ctx: Context) -> Iterable[CanonicalEvent]:
    first = min(row.effective_from for row in rows)
    members = [{"ref": row.uid.hex(), "relation": row.relation, "valid_from": None} for row in rows]
    yield _event(home, "household.changed", "", first, {"household": {"members": members}}, ctx)
    shared = next((row for row in rows if row.scope != "single_person"), None)
    if shared is not None:
        yield _grant(home, shared, ctx)
    for row in rows:
        ref = row.uid.hex()
        if row.scope == "single_person":
            yield _grant(home, row, ctx)
        if row.care_level:
            groups: Groups = {"care": {"care_level": row.care_level}}
            yield _event(home, "care.level_assessed", ref, row.effective_from, groups, ctx, row)
        if row.school:
            groups = {"school": dict(row.school)}
            yield _event(home, "education.enrolled", ref, row.effective_from, groups, ctx, row)
        if row.identity:
            # Identity alone: the wrapper type does not matter to folding, only to the person.
            yield _event(home, "household.changed", ref, first, {**row.identity}, ctx, row)
        for meter in row.meters:
            groups = {"meter": {"meter_account": meter}}
            yield _event(home, "electricity.meter_matched", meter, first, groups, ctx)


def _grant(home: str, row: OpeningRow, ctx: Context) -> CanonicalEvent:
    group = {
        "category": row.category,
        "subtype": row.subtype,
        "scope": row.scope,
        "effective_from": row.effective_from,
    }
    single = row if row.scope == "single_person" else None
    ref = row.uid.hex() if single else ""
    return _event(
        home, "category.granted", ref, row.effective_from, {"category": group}, ctx, single
    )


def _event(
    home: str,
    kind: str,
    ref: str,
    day: int,
    groups: Groups,
    ctx: Context,
    row: OpeningRow | None = None,
) -> CanonicalEvent:
    event_id = hub_event_id(f"opening:{home}", f"{kind}:{ref}:{day}", 0)
    return CanonicalEvent(
        event_id=event_id,
        type=kind,
        source=SOURCE,
        source_record_key=event_id,
        uid=row.uid if row is not None else None,
        household=home,
        jurisdiction=ctx.profile.division,
        occurred_at=day * DAY_MS - SHANGHAI_MS,
        effective_from=day,
        recorded=ctx.now_ms,
        correlation_id=event_id,
        decision_id=row.decision_id if row is not None else None,
        groups=groups,
    )
