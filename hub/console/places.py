"""Places: the pages of the navigation, each with its name, key and who may open it."""

from __future__ import annotations

from typing import NamedTuple

from hub.console.languages import mark
from hub.console.permissions import Permission


class Place(NamedTuple):
    """One line of the navigation.

    Attributes:
        path: Address.
        name: English text, translated when shown.
        key: Pressed after ``g`` it leads here.
        permission: Who may open it.
    """

    path: str
    name: str
    key: str
    permission: Permission = Permission.VIEW


class Group(NamedTuple):
    """A part of the navigation."""

    name: str
    places: tuple[Place, ...]


NAVIGATION: tuple[Group, ...] = (
    Group(
        mark("Overview"),
        (
            Place("/", mark("Pipeline"), "m"),
            Place("/connectors", mark("Departments"), "c"),
            Place("/programs", mark("Programs"), "n"),
            Place("/own", mark("My page"), "o", Permission.OWN),
        ),
    ),
    Group(
        mark("Streams"),
        (
            Place("/topics", mark("Topics"), "i"),
            Place("/schemas", mark("Schemas"), "h"),
            Place("/people", mark("Person search"), "e", Permission.MESSAGE),
            Place("/lag", mark("Lag"), "l"),
            Place("/throughput", mark("Throughput"), "t"),
            Place("/latency", mark("Latency"), "y"),
            Place("/quality", mark("Time quality"), "u"),
            Place("/workers", mark("Workers"), "w"),
            Place("/servers", mark("Brokers and database"), "b"),
        ),
    ),
    Group(
        mark("Problems"),
        (
            Place("/alerts", mark("Alerts"), "x"),
            Place("/letters", mark("Dead letters"), "d"),
            Place("/parked", mark("Retries and parked copies"), "r"),
            Place("/operations", mark("Requests"), "q"),
            Place("/offsets", mark("Offsets"), "f"),
        ),
    ),
    Group(
        mark("Work"),
        (
            Place("/open", mark("Open and late"), "z"),
            Place("/incidents", mark("Incidents"), "v"),
            Place("/rejects", mark("Data quality"), "j"),
            Place("/reconciliation", mark("Daily reconciliation"), "s"),
            Place("/report", mark("Report of the day"), "p"),
        ),
    ),
    Group(
        mark("Access"),
        (
            Place("/audit", mark("Audit"), "a", Permission.AUDIT),
            Place("/accounts", mark("Accounts"), "k", Permission.ADMIN),
        ),
    ),
)


def permission_of(path: str) -> Permission:
    """What opening an address asks for; the longest place that begins it decides."""
    found = [
        place
        for group in NAVIGATION
        for place in group.places
        if path == place.path or path.startswith(place.path + "/")
    ]
    return max(found, key=lambda place: len(place.path)).permission if found else Permission.VIEW


def allowed(permissions: frozenset[Permission]) -> list[Group]:
    """The navigation of somebody; groups without a place are left out."""
    shown = [
        Group(group.name, tuple(p for p in group.places if p.permission in permissions))
        for group in NAVIGATION
    ]
    return [group for group in shown if group.places]
