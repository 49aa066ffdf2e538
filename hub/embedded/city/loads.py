"""Steady load: what departments enter on an ordinary day, drawn from a seed.

Mostly admissions, bills and employment; few grants. No kind is left out for long, so that a silence
is a department's silence and no draw.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date

import msgspec

from hub.embedded.city import forms
from hub.embedded.city.households import Household
from hub.embedded.city.stories import Entry

_WEIGHTS = {
    "admission": 32,
    "register": 8,
    "settlement": 22,
    "job_lost": 10,
    "job_started": 10,
    "enrolment": 4,
    "need": 4,
    "grant": 4,
    "assessment": 3,
}
LONGEST_GAP = 20
"""A kind that has not come for so many draws is next."""
FED = (
    ("civil-affairs", "categories"),
    ("civil-affairs", "households"),
    ("education", "enrolments"),
    ("health", "admissions"),
    ("hospital", "encounters"),
    ("housing", "assessments"),
    ("hrss", "employment"),
    ("medical-insurance", "settlements"),
    ("village", "reports"),
)
"""Departments and items that the load feeds."""


class Load:
    """Draws entries.

    Args:
        city: Households of the city.
        run: Number of the run; part of every record number.
        seed: The same seed draws the same day.
        today: Date of everything.
        kinds: Only these; empty: all.
    """

    def __init__(
        self,
        city: list[Household],
        run: int,
        seed: int,
        today: date,
        kinds: tuple[str, ...] = (),
    ) -> None:
        self._weights = {kind: _WEIGHTS[kind] for kind in kinds or _WEIGHTS}
        self._city = city
        self._free = [household for household in city if not household.category]
        self._covered = [household for household in city if household.category]
        self._run = run
        self._random = random.Random(f"{seed}/{run}")  # noqa: S311 - invented records
        self._today = today
        self._pupils = [household for household in city if household.pupils]
        self._count = 0
        self._last = dict.fromkeys(self._weights, 0)
        self._kinds: dict[str, Callable[[Household, str], tuple[Entry, ...]]] = {
            "admission": self._admission,
            "register": self._register,
            "settlement": self._settlement,
            "job_lost": self._job("2"),
            "job_started": self._job("1"),
            "enrolment": self._enrolment,
            "need": self._need,
            "grant": self._grant,
            "assessment": self._assessment,
        }

    def entries(self) -> Iterator[tuple[Entry, ...]]:
        """Entries without end; those of one tuple belong together."""
        while self._city:
            self._count += 1
            kind = self._kind()
            self._last[kind] = self._count
            yield self._kinds[kind](self._household(), f"L{self._run}-{self._count}")

    def _kind(self) -> str:
        longest = min(self._last, key=lambda kind: self._last[kind])
        if self._count - self._last[longest] > LONGEST_GAP:
            return longest
        (kind,) = self._random.choices([*self._weights], [*self._weights.values()])
        return kind

    def _household(self) -> Household:
        # People on roll come up more often than their share: they are what a screen can show.
        if self._covered and self._random.random() < 0.4:
            return self._random.choice(self._covered)
        return self._random.choice(self._city)

    def _admission(self, household: Household, number: str) -> tuple[Entry, ...]:
        record = forms.admission(household.head, self._today, stay=number)
        return (Entry("hospital", "encounters", (record,)),)

    def _register(self, household: Household, number: str) -> tuple[Entry, ...]:
        record = forms.register_admission(household.head, self._today, number=number)
        return (Entry("health", "admissions", (record,)),)

    def _settlement(self, household: Household, number: str) -> tuple[Entry, ...]:
        own = self._random.randrange(200, 9000)
        paid = self._random.randrange(300, 20000)
        record = forms.settlement(
            household.head,
            self._today,
            number=number,
            total=f"{own + paid}.00",
            paid=f"{paid}.00",
            own=f"{own}.00",
        )
        return (Entry("medical-insurance", "settlements", (record,)),)

    def _job(self, kind: str) -> Callable[[Household, str], tuple[Entry, ...]]:
        def made(household: Household, number: str) -> tuple[Entry, ...]:
            record = forms.employment(household.head, kind, self._today, number=number)
            return (Entry("hrss", "employment", (record,)),)

        return made

    def _enrolment(self, household: Household, number: str) -> tuple[Entry, ...]:
        if not self._pupils:
            return self._admission(household, number)
        if not household.pupils:
            household = self._random.choice(self._pupils)
        term = f"{self._today.year}-{self._today.year + 1}-1"
        row = forms.enrolment(household.pupils[0], term, self._today)
        # Another fee makes it another version; the same row again would be no news.
        row["学杂费"] = f"{self._random.randrange(20_000, 900_000) / 100:.2f}"
        return (Entry("education", "enrolments", (row,)),)

    def _need(self, household: Household, number: str) -> tuple[Entry, ...]:
        record = forms.village_need(
            household, self._today, number=number, need="income", note="生活困难"
        )
        return (Entry("village", "reports", (record,)),)

    def _grant(self, household: Household, number: str) -> tuple[Entry, ...]:
        if self._free:
            household = self._free.pop(self._random.randrange(len(self._free)))
        granted = msgspec.structs.replace(household, category=household.category or "DIBAO")
        return (
            Entry("civil-affairs", "households", (forms.registration(granted, self._today),)),
            Entry(
                "civil-affairs",
                "categories",
                (forms.category(granted, "GRANT", self._today, number=f"DB-{number}"),),
            ),
        )

    def _assessment(self, household: Household, number: str) -> tuple[Entry, ...]:
        record = forms.assessment(household, household.danger, self._today, number=number)
        return (Entry("housing", "assessments", (record,)),)
