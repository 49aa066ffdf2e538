"""Bench cities: the invented city's ordinary day as raw records, drawn from a seed.

First the opening, by which the households on roll are registered and granted aid; it is worked
before anything is measured. Then the day: the mix that the demonstration goes on with, mostly
admissions, bills and jobs, few grants, 3 % records that nobody can use, and 5 % repeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import islice
from typing import NamedTuple

import orjson

from hub.embedded.city import forms
from hub.embedded.city.households import Household, Households
from hub.embedded.city.loads import Load
from hub.embedded.city.stories import Entry

Made = tuple[str, bytes]
"""Topic and value of a raw record."""

_REPEATS = 20
_SINCE_DAYS = 60
_SORTED = orjson.OPT_SORT_KEYS


class City(NamedTuple):
    """Raw records of one bench city."""

    opening: list[Made]
    day: list[Made]


def city(records: int, seed: int = 7) -> City:
    """The opening of a city and its day.

    Args:
        records: Of the day, repeats included; the city has as many people.
        seed: The same seed draws the same city.
    """
    today = date.today() - timedelta(days=1)  # noqa: DTZ011 - a day of the calendar, as forms write it
    households = list(Households(seed, today=today).draw(max(60, records)))
    day = _made(one for entries in Load(households, 1, seed, today).entries() for one in entries)
    since = today - timedelta(days=_SINCE_DAYS)
    return City(
        list(_made(_opening(households, since))),
        list(islice(_with_repeats(day), records)),
    )


def _opening(households: Iterable[Household], since: date) -> Iterator[Entry]:
    for one in households:
        if one.category:
            registered = forms.registration(one, since)
            granted = forms.category(one, "GRANT", since, number=f"O-{one.id}")
            yield Entry("civil-affairs", "households", (registered,))
            yield Entry("civil-affairs", "categories", (granted,))


def _made(entries: Iterable[Entry]) -> Iterator[Made]:
    for entry in entries:
        for record in entry.records:
            yield f"in.{entry.connector}.{entry.item}", orjson.dumps(record, option=_SORTED)


def _with_repeats(made: Iterable[Made]) -> Iterator[Made]:
    for place, one in enumerate(made, 1):
        yield one
        if place % (_REPEATS - 1) == 0:
            yield one
