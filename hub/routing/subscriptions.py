"""Subscriptions, compiled: event type → the entries that match by area, period and filter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hub.contracts.catalogues import Catalogue
from hub.contracts.events import CanonicalEvent
from hub.kernel.dates import days_of
from hub.kernel.divisions import Divisions
from hub.kernel.errors import DataError
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


class Match:
    """One entry of one subscription, ready to be asked.

    Args:
        subscription: Whose.
        entry: What it subscribes to.
        condition: Its filter, compiled; None: none.
        fields: (variable, group, field, value if not provided) the filter reads.
    """

    __slots__ = ("_condition", "_end", "_fields", "_first", "always", "entry", "subscription")

    def __init__(
        self,
        subscription: Subscription,
        entry: Entry,
        condition: Condition | None,
        fields: tuple[tuple[str, str, str, Any], ...],
    ) -> None:
        self.subscription = subscription
        self.entry = entry
        self._condition = condition
        self._fields = fields
        self._first = days_of(entry.valid_from) if entry.valid_from else None
        self._end = days_of(entry.valid_to) if entry.valid_to else None
        self.always = condition is None
        """Whether it has no filter."""

    def during(self, day: int) -> bool:
        """Whether the entry is in force on a day (days since 1970-01-01)."""
        return (self._first is None or self._first <= day) and (
            self._end is None or day < self._end
        )

    def holds(self, event: CanonicalEvent, *, on_roll: bool) -> bool:
        """Whether the filter lets the event through.

        Raises:
            RuleError: the filter gave no yes or no.
        """
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


class Index:
    """Event type → matches, in order of the subscriptions' ids.

    Args:
        subscriptions: Every subscription of the profile.
        catalogue: Types of the fields that filters read.
        areas: Which place lies in which area.

    Raises:
        ConfigurationError: a filter that does not compile; names subscription and entry.
    """

    def __init__(
        self, subscriptions: Mapping[str, Subscription], catalogue: Catalogue, areas: Areas
    ) -> None:
        self._within = areas.within
        self._matches: dict[str, list[Match]] = defaultdict(list)
        for _, subscription in sorted(subscriptions.items()):
            for number, entry in enumerate(subscription.subscribes):
                where = f"programs/{subscription.id}.yaml: subscribes.{number}.filter"
                match = _compiled(subscription, entry, catalogue, where)
                for name in entry.types:
                    self._matches[name].append(match)

    def of(self, event: CanonicalEvent) -> list[Match]:
        """Entries for this type, area and effective day; the filter is asked later."""
        return [
            match
            for match in self._matches.get(event.type, ())
            if match.during(event.effective_from)
            and (match.entry.area is None or self._within(event.jurisdiction, match.entry.area))
        ]


def _compiled(subscription: Subscription, entry: Entry, catalogue: Catalogue, where: str) -> Match:
    if entry.filter is None:
        return Match(subscription, entry, None, ())
    shared = set.intersection(*(set(catalogue.events[name].groups) for name in entry.types))
    variables, fields = dict(FACTS), []
    for group in sorted(shared):
        for field in catalogue.groups[group].fields.values():
            kind = field.type.partition(":")[0]
            if kind in _KINDS and not field.derived:
                variable = f"{group}.{field.name}"
                variables[variable] = _KINDS[kind][0]
                fields.append((variable, group, field.name, _KINDS[kind][1]))
    condition = RuleEngine(variables).compile(entry.filter, where)
    read = tuple(found for found in fields if found[0] in entry.filter)
    return Match(subscription, entry, condition, read)
