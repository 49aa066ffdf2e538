"""Sightings: what a run left on the programs' inboxes and on the operators' view."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Copy:
    """One distinct copy on an inbox."""

    program: str
    type: str
    person: str
    """Fixture key, or empty."""
    body: dict[str, Any]
    headers: dict[str, str]
    sequence: int
    generation: int

    @property
    def envelope(self) -> dict[str, Any]:
        """The copy's envelope."""
        found: dict[str, Any] = self.body["envelope"]
        return found

    def get(self, path: str) -> Any:
        """A value by a dotted path, None where a part is missing."""
        value: Any = self.body
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value


@dataclass
class Sightings:
    """Everything seen at the end of a run."""

    copies: list[Copy] = field(default_factory=list)
    repeats: int = 0
    """Second copies with the same id, counted and dropped."""
    events: Counter[str] = field(default_factory=Counter)
    """Canonical events by type, distinct ids."""
    open: Counter[str] = field(default_factory=Counter)
    """The operators' open list by kind."""
    dead_letters: list[dict[str, Any]] = field(default_factory=list)

    def of(self, kind: str, *, to: str = "", person: str = "", **fields: Any) -> list[Copy]:
        """Copies of a type; ``fields`` are dotted paths with ``__`` for the dot."""
        return [
            copy
            for copy in self.copies
            if copy.type == kind
            and (not to or copy.program == to)
            and (not person or copy.person == person)
            and all(copy.get(path.replace("__", ".")) == value for path, value in fields.items())
        ]

    def exactly(
        self, count: int, kind: str, *, to: str = "", person: str = "", **fields: Any
    ) -> list[Copy]:
        """Assert how many distinct copies there are, and give them back."""
        found = self.of(kind, to=to, person=person, **fields)
        if len(found) != count:
            others = [(c.program, c.person, c.type) for c in self.of(kind)]
            what = " ".join(filter(None, (kind, to and f"to {to}", person and f"for {person}")))
            raise AssertionError(f"{len(found)} × {what} {fields or ''}, not {count}; {others}")
        return found

    def people(self, kind: str, *, to: str) -> list[str]:
        """Fixture keys of those a receiver got copies about."""
        return sorted(copy.person for copy in self.of(kind, to=to))
