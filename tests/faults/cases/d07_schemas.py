"""D07: producers on different versions of a message at once."""

from __future__ import annotations

import random
from typing import Any

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.sendings import altered, refused, sending
from tests.faults.harness.sites import Site
from tests.faults.loads.facts import Move

CASE = Case(
    "D07",
    "发送方同时使用多个版本的报文",
    "Producers on several versions of a message at once",
    quick=Scale(rounds=10, load=Load(rate=0), recovery=None),
    full=Scale("full", rounds=1000, load=Load(rate=0), recovery=None),
    ci=True,
    workers=1,
    connectors=("civil-affairs",),
    sabotages=("crash_swallowed",),
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Old, new and broken versions of a grant, mixed."""
    async with sending(site, dice.randrange(1, 4000)) as out:
        moves: list[Move] = []
        for _ in range(scale.rounds):
            moves.append(out.builder.grant(out.family()))
            for changes in ({"remark": "新增可选项"}, {"version": "1"}, {"subtype": None}):
                move = out.builder.grant(out.family())
                moves.append(altered(move, _record(move) | changes))
            for code, changes, gone in _BROKEN:
                move = out.builder.grant(out.family())
                record = {k: v for k, v in _record(move).items() if k not in gone} | changes
                moves.append(refused(move, record, code, key=record.get("recordNo", "")))
        dice.shuffle(moves)
        await out.send(moves)
        site.notes["records"] = len(moves)
    if any(child.exits for child in site.children):
        site.broken.append("a process ended")


_BROKEN: tuple[tuple[str, dict[str, Any], tuple[str, ...]], ...] = (
    ("E-FIELD-MISSING", {"record_no": "renamed"}, ("recordNo",)),
    ("E-FIELD-MISSING", {}, ("effectiveDate",)),
    ("E-FIELD-TYPE", {"effectiveDate": 20250101}, ()),
    ("E-FIELD-TYPE", {"members": "two"}, ()),
    ("E-CODE-UNKNOWN", {"category": "超级低保"}, ()),
    ("E-CODE-UNKNOWN", {"action": "FREEZE"}, ()),
)
"""Renamed, required and missing, other types, an unknown code, an unknown kind of event."""


def _record(move: Move) -> dict[str, Any]:
    assert isinstance(move.record, dict)
    return move.record
