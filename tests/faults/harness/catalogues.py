"""Catalogues: the cases found in ``tests/faults/cases``, by id."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

from tests.faults import cases
from tests.faults.harness.declarations import Case

Inject = Callable[..., Awaitable[None]]


class Entry(NamedTuple):
    """A case with what it does."""

    case: Case
    inject: Inject


class UnknownCaseError(Exception):
    """No case has this id."""


def catalogue() -> dict[str, Entry]:
    """Every case, in the order of topology and id, so that each cluster starts once."""
    found = []
    for module in pkgutil.iter_modules(cases.__path__, f"{cases.__name__}."):
        loaded = importlib.import_module(module.name)
        if hasattr(loaded, "CASE"):
            found.append(Entry(loaded.CASE, loaded.inject))
    found.sort(key=lambda entry: (entry.case.topology, entry.case.id))
    return {entry.case.id: entry for entry in found}


def chosen(words: Iterable[str], *, ci: bool = False) -> list[Entry]:
    """The cases asked for; none named: all, or those of the CI set.

    Raises:
        UnknownCaseError: an id that no case has.
    """
    known = catalogue()
    wanted = {word.upper() for word in words}
    if unknown := wanted - known.keys():
        raise UnknownCaseError(", ".join(sorted(unknown)))
    return [
        entry
        for name, entry in known.items()
        if (name in wanted if wanted else not ci or entry.case.ci)
    ]


def sized(entry: Entry, scale: str, rounds: int, seconds: float) -> Entry:
    """The same case with another size at one scale.

    Args:
        entry: The case.
        scale: ``quick`` or ``full``.
        rounds: Instead of the scale's own; 0: its own.
        seconds: The same.
    """
    own = entry.case.scale(scale)
    other = replace(own, rounds=rounds or own.rounds, seconds=seconds or own.seconds)
    return entry._replace(case=replace(entry.case, **{scale: other}))
