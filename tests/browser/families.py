"""Families of a story: people that the city's load does not know."""

from __future__ import annotations

import random
from datetime import date
from itertools import count

import asyncpg
import msgspec

from hub.embedded.city import forms
from hub.embedded.city.households import Household, Households
from hub.embedded.city.stories import Entry
from tests.browser.waits import until

_NUMBERS = count(1)
_LONGEST = 40.0
_KNOWN = (
    "SELECT EXISTS (SELECT 1 FROM household WHERE id = $1"
    " AND facts::text LIKE '%household.changed%' AND facts::text LIKE '%danger_grade%')"
    " AND EXISTS (SELECT 1 FROM person WHERE facts::text LIKE $2)"
)


def family(draw: random.Random, today: date) -> Household:
    """A family with a pupil, a meter and a dangerous house; each call another one."""
    number = next(_NUMBERS)
    while True:
        drawn = Households(draw.randrange(1 << 30), today=today).one(category="", children=1)
        if drawn.pupils:
            break
    members = tuple(
        msgspec.structs.replace(one, student_no=f"SB{number:06d}") if one.student_no else one
        for one in drawn.members
    )
    return msgspec.structs.replace(
        drawn,
        id=f"HB{number:06d}",
        members=members,
        meter=f"0688{number:08d}",
        house=f"FB{number:06d}",
        area="320682001",
        danger="D",
    )


def facts(one: Household, today: date, *, meter: bool = True) -> tuple[Entry, ...]:
    """What is on record of a family before its grant.

    Args:
        one: The family.
        today: Date of everything.
        meter: Whether civil affairs knows the account at the power company.
    """
    registered = forms.registration(one, today)
    if not meter:
        del registered["meterAccount"]
    term = f"{today.year}-{today.year + 1}-1"
    assessed = forms.assessment(one, one.danger, today, number=f"WF-{one.id}")
    return (
        Entry("civil-affairs", "households", (registered,)),
        Entry("education", "enrolments", (forms.enrolment(one.pupils[0], term, today),)),
        Entry("housing", "assessments", (assessed,)),
    )


async def on_record(pool: asyncpg.Pool, one: Household) -> None:
    """Wait until the hub knows house and school: what comes later would open referrals of its own."""
    await until(
        lambda: pool.fetchval(_KNOWN, one.id, f"%{one.pupils[0].student_no}%"),
        seconds=_LONGEST,
        about=f"{one.id} on record:",
    )


def grant(one: Household, today: date, *, category: str = "DIBAO") -> Entry:
    """Civil affairs grants a category to the whole family."""
    record = forms.category(one, "GRANT", today, number=f"DB-{one.id}", kind=category)
    return Entry("civil-affairs", "categories", (record,))
