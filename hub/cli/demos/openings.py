"""Opening balance: households on roll before, loaded as ``hub roster load`` does it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import asyncpg

from hub.contracts.events import Groups
from hub.embedded.city.households import Household, Member
from hub.kernel.dates import days_of
from hub.kernel.person_keys import UidKey
from hub.model.openings import OpeningRow, homes_of
from hub.runtime.openings import load_opening
from hub.sdk.profiles import Profile

_DAYS_ON_ROLL = 400


def rows_of(
    household: Household, uid: UidKey, today: date, *, pupils: frozenset[str] | None = None
) -> list[OpeningRow]:
    """A household as lines of a roster file.

    Args:
        household: On roll.
        uid: Makes person keys.
        today: The spell began some 400 days before.
        pupils: Student numbers that are known; None: all.
    """
    since = days_of(today - timedelta(days=_DAYS_ON_ROLL))
    return [
        OpeningRow(
            household=household.id,
            uid=uid.uid(member.person.id_number),
            category=household.category,
            effective_from=since,
            identity=_identity(household, member),
            relation=member.relation,
            care_level=(household.care_level or None) if place == 0 else None,
            school=_school(member, pupils),
            meters=(household.meter,) if place == 0 else (),
        )
        for place, member in enumerate(household.members)
    ]


def _identity(household: Household, member: Member) -> Groups:
    return {
        "id": {"name": member.person.name, "id_number": member.person.id_number},
        "contact": {"phone": member.person.phone, "residence_address": household.address},
        "area": {"residence_area": household.area},
    }


def _school(member: Member, pupils: frozenset[str] | None) -> dict[str, str]:
    if not member.student_no or (pupils is not None and member.student_no not in pupils):
        return {}
    return {"school": member.school, "stage": member.stage, "student_no": member.student_no}


async def load(
    connection: asyncpg.Connection,
    rows: Iterable[OpeningRow],
    profile: Profile,
    *,
    now: int,
    name: str,
) -> None:
    """Put the rows on record; nothing is sent, and loading them again changes nothing."""
    homes = homes_of(rows)
    await load_opening(connection, homes, profile, now=now, actor="hub demo", name=name)
