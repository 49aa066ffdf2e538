"""Subscriptions, compiled: event type → the entries that match by area, period and filter.

An entry whose filter demands a value of one field is found by that value, so that ten thousand
subscriptions cost an event no more than ten.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from hub.contracts.catalogues import Catalogue
from hub.contracts.declarations import refuse
from hub.contracts.events import CanonicalEvent
from hub.kernel.dates import days_of
from hub.kernel.divisions import Divisions
from hub.kernel.errors import DataError
from hub.kernel.id_sets import IdSet
from hub.sdk.conjunctions import demands
from hub.sdk.rules import Condition, RuleEngine
from hub.sdk.subscriptions import Entry, Subscription

FACTS = {
    "event.type": "string",
    "event.lifecycle": "string",
    "event.jurisdiction": "string",
    "on_roll": "bool",
}
"""Variables of a filter besides the fields, which are called ``group.field``."""

_KINDS = {
    "string": ("string", ""),
    "code": ("string", ""),
    "bool": ("bool", False),
    "int": ("int", 0),
    "date": ("int", 0),
    "instant": ("int", 0),
    "money": ("int", 0),
    "strings": ("strings", []),
    "enum": ("string", ""),
}
"""Type of a field → type in a filter and the value where it is not provided."""

Field = tuple[str, str]
"""Group and field."""
_Variable = tuple[str, str, str, Any]
"""Variable of a filter, group, field, value if not provided."""
_KEPT = 65_536


class Match:
    """One entry of one subscription, ready to be asked.

    Args:
        subscription: Whose.
        entry: What it subscribes to.
        condition: Its filter, compiled; None: none.
        fields: (variable, group, field, value if not provided) the filter reads.
        among: The value list it is limited to; None: to none.
    """

    __slots__ = (
        "_among",
        "_condition",
        "_end",
        "_fields",
        "_first",
        "always",
        "demand",
        "entry",
        "subscription",
    )

    def __init__(
        self,
        subscription: Subscription,
        entry: Entry,
        condition: Condition | None,
        fields: tuple[_Variable, ...],
        among: IdSet | None = None,
    ) -> None:
        self.subscription = subscription
        self.entry = entry
        self._condition = condition
        self._fields = fields
        self._first = days_of(entry.valid_from) if entry.valid_from else None
        self._end = days_of(entry.valid_to) if entry.valid_to else None
        self._among = among
        self.always = condition is None and among is None
        """Whether it has no filter and no value list."""
        self.demand = _demand(entry.filter, fields)
        """A field and the values one of which it must have; None: nothing so plain."""

    @property
    def turns(self) -> tuple[int, ...]:
        """Days on which it begins or ends to be in force."""
        return tuple(day for day in (self._first, self._end) if day is not None)

    def during(self, day: int) -> bool:
        """Whether the entry is in force on a day (days since 1970-01-01)."""
        return (self._first is None or self._first <= day) and (
            self._end is None or day < self._end
        )

    def holds(self, event: CanonicalEvent, *, on_roll: bool) -> bool:
        """Whether value list and filter let the event through.

        Raises:
            RuleError: the filter gave no yes or no.
        """
        if self._among is not None and (event.uid is None or event.uid not in self._among):
            return False
        if self._condition is None:
            return True
        values: dict[str, Any] = {
            "event.type": event.type,
            "event.lifecycle": event.lifecycle,
            "event.jurisdiction": event.jurisdiction,
            "on_roll": on_roll,
        }
        for variable, group, field, absent in self._fields:
            value = event.groups.get(group, {}).get(field)
            values[variable] = absent if value is None else value
        return self._condition(values)


def _demand(
    text: str | None, fields: tuple[_Variable, ...]
) -> tuple[Field, tuple[str, ...]] | None:
    known = {variable: (group, field) for variable, group, field, absent in fields if absent == ""}
    for variable, values in demands(text or ""):
        if variable in known:
            return known[variable], values
    return None


class Areas:
    """Whether a place lies in an area; an unknown code lies nowhere.

    Args:
        divisions: The table; None: the one shipped.
    """

    def __init__(self, divisions: Divisions | None = None) -> None:
        self._divisions = divisions or Divisions.load()
        self.within = lru_cache(maxsize=65_536)(self._within)

    def _within(self, place: str, area: str) -> bool:
        try:
            return self._divisions.is_within(place, area)
        except DataError:
            return False


class Choice:
    """The entries in force for one type, some areas and one span of days, by what they demand.

    Args:
        matches: In order of the subscriptions' ids.
    """

    def __init__(self, matches: Sequence[Match]) -> None:
        self.matches = tuple(matches)
        self.opens = any(match.entry.opens for match in matches)
        self.always = all(match.always for match in matches)
        """Whether none has a filter or a value list."""
        self._open: list[tuple[int, Match]] = []
        self._keyed: dict[Field, dict[str, list[tuple[int, Match]]]] = {}
        for number, match in enumerate(matches):
            if match.demand is None:
                self._open.append((number, match))
                continue
            field, values = match.demand
            by_value = self._keyed.setdefault(field, {})
            for value in values:
                by_value.setdefault(value, []).append((number, match))

    def of(self, event: CanonicalEvent) -> Sequence[Match]:
        """Those whose filter may hold for an event, in the same order."""
        if not self._keyed:
            return self.matches
        found = list(self._open)
        for (group, field), by_value in self._keyed.items():
            value = event.groups.get(group, {}).get(field)
            found += by_value.get("" if value is None else value, ())
        found.sort(key=itemgetter(0))
        return [match for _, match in found]


class _Type:
    """Entries of one event type.

    Args:
        within: Whether a place lies in an area.
    """

    def __init__(self, within: Callable[[str, str], bool]) -> None:
        self._within = within
        self._matches: list[Match] = []
        self._areas: dict[str, None] = {}
        self._turns: list[int] = []
        self._around: dict[str, frozenset[str]] = {}
        self._choices: dict[tuple[frozenset[str], int], Choice] = {}

    def add(self, match: Match) -> None:
        """Take an entry up; all of them before the first question."""
        self._matches.append(match)
        if match.entry.area is not None:
            self._areas[match.entry.area] = None
        for day in match.turns:
            if day not in self._turns:
                insort(self._turns, day)

    def of(self, place: str, day: int) -> Choice:
        """The entries in force there and then."""
        around = self._around.get(place)
        if around is None:
            if len(self._around) >= _KEPT:
                self._around.clear()
            areas = frozenset(area for area in self._areas if self._within(place, area))
            around = self._around[place] = areas
        # Between two days on which an entry begins or ends, the same entries are in force.
        key = around, bisect_right(self._turns, day)
        found = self._choices.get(key)
        if found is None:
            found = self._choices[key] = Choice(
                [
                    match
                    for match in self._matches
                    if match.during(day)
                    and (match.entry.area is None or match.entry.area in around)
                ]
            )
        return found


class Index:
    """Event type, area, day and demanded value → matches, in order of the subscriptions' ids.

    What an event costs depends on the entries that may match it, not on how many there are.

    Args:
        subscriptions: Every subscription of the profile.
        catalogue: Types of the fields that filters read.
        areas: Which place lies in which area.
        lists: Value lists by name.

    Raises:
        ConfigurationError: a filter that does not compile, a list that is not there; names
            subscription and entry.
    """

    def __init__(
        self,
        subscriptions: Mapping[str, Subscription],
        catalogue: Catalogue,
        areas: Areas,
        lists: Mapping[str, IdSet],
    ) -> None:
        self._types: dict[str, _Type] = defaultdict(lambda: _Type(areas.within))
        compiler = _Compiler(catalogue, lists)
        for _, subscription in sorted(subscriptions.items()):
            for number, entry in enumerate(subscription.subscribes):
                where = f"programs/{subscription.id}.yaml: subscribes.{number}"
                match = compiler.match(subscription, entry, where)
                for name in entry.types:
                    self._types[name].add(match)
        self._types = dict(self._types)

    @property
    def types(self) -> frozenset[str]:
        """Types that any entry names."""
        return frozenset(self._types)

    def choice(self, event: CanonicalEvent) -> Choice | None:
        """Entries for this type, area and effective day, the same object each time."""
        known = self._types.get(event.type)
        return None if known is None else known.of(event.jurisdiction, event.effective_from)

    def of(self, event: CanonicalEvent) -> Sequence[Match]:
        """Entries that may match; what is left of the filter is asked later."""
        choice = self.choice(event)
        return () if choice is None else choice.of(event)


class _Compiler:
    """Makes matches; types with the same groups share one rule engine.

    Args:
        catalogue: Types of the fields that filters read.
        lists: Value lists by name.
    """

    def __init__(self, catalogue: Catalogue, lists: Mapping[str, IdSet]) -> None:
        self._catalogue = catalogue
        self._lists = lists
        self._engines: dict[frozenset[str], tuple[RuleEngine, tuple[_Variable, ...]]] = {}
        self._conditions: dict[tuple[frozenset[str], str], Condition] = {}

    def match(self, subscription: Subscription, entry: Entry, where: str) -> Match:
        among = self._among(entry, where)
        if entry.filter is None:
            return Match(subscription, entry, None, (), among)
        events = self._catalogue.events
        shared = frozenset.intersection(*(frozenset(events[name].groups) for name in entry.types))
        engine, variables = self._engines.get(shared) or self._engine(shared)
        condition = self._conditions.get((shared, entry.filter))
        if condition is None:
            condition = engine.compile(entry.filter, f"{where}.filter")
            self._conditions[shared, entry.filter] = condition
        read = tuple(one for one in variables if one[0] in entry.filter)
        return Match(subscription, entry, condition, read, among)

    def _among(self, entry: Entry, where: str) -> IdSet | None:
        if entry.among is None:
            return None
        if entry.among not in self._lists:
            refuse(where, "among", f"there is no value list {entry.among}")
        return self._lists[entry.among]

    def _engine(self, shared: frozenset[str]) -> tuple[RuleEngine, tuple[_Variable, ...]]:
        kinds, variables = dict(FACTS), list[_Variable]()
        for group in sorted(shared):
            for field in self._catalogue.groups[group].fields.values():
                kind = field.type.partition(":")[0]
                if kind in _KINDS and not field.derived:
                    variable = f"{group}.{field.name}"
                    kinds[variable] = _KINDS[kind][0]
                    variables.append((variable, group, field.name, _KINDS[kind][1]))
        made = self._engines[shared] = RuleEngine(kinds), tuple(variables)
        return made
