"""Stories: a scenario as given, when, then, must not, left open.

A story says what departments enter into their own systems, in which order, and what must be
seen afterwards. How often and in which order that is really done is the runner's business
(rules G1 to G3), and what holds for every story is checked by the harness (G4 to G7).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from hub.kernel.clocks import SHANGHAI
from tests.scenarios.harness.casts import Cast
from tests.scenarios.harness.sightings import Sightings


@dataclass(frozen=True)
class Entry:
    """Records that one department enters at one moment."""

    at: datetime
    connector: str
    item: str
    records: tuple[dict[str, Any], ...]
    way: str = ""
    file_name: str = ""


@dataclass(frozen=True)
class ProgramAct:
    """A program answers a referral."""

    at: datetime
    program: str
    answer: str
    person: str = ""


@dataclass
class Block:
    """Entries that may come in any order, or one entry."""

    entries: list[Entry | ProgramAct] = field(default_factory=list)
    any_order: bool = False


@dataclass(frozen=True)
class ClockPasses:
    """The clock passes an instant; what was due before fires."""

    at: datetime


@dataclass(frozen=True)
class Trouble:
    """Something breaks or heals: the name of a method of the stage, with arguments."""

    name: str
    arguments: tuple[Any, ...] = ()


Part = Block | ClockPasses | Trouble


class Story(ABC):
    """One scenario or variant. Subclasses of a scenario are its variants."""

    id: ClassVar[str]
    title: ClassVar[str]
    begins: ClassVar[str]
    """Local time of the first moment."""
    profile: ClassVar[str] = "rugao"
    ways: ClassVar[dict[str, str]] = {}
    """Receivers whose copies go another way than Kafka."""
    on_roll_since: ClassVar[date] = date(2023, 5, 1)

    def __init__(self) -> None:
        self.begins_at = instant(self.begins)
        self.opens_at = self.begins_at - timedelta(hours=1)
        """When the opening balance is loaded: the quarter before still closes."""
        self.cast = Cast(self.begins_at.date())
        self.opening: list[str] = []
        """Households on roll and in the last snapshot before the story begins."""
        self.matters: dict[str, str] = {}
        """referral id → matter on the tracking view, filled by the harness."""
        self.parts: list[Part] = []
        self._block: Block | None = None
        self.given()
        self.before, self.parts = self.parts, []
        self.when()

    @abstractmethod
    def given(self) -> None:
        """Who is on record before the story begins."""

    @abstractmethod
    def when(self) -> None:
        """What happens."""

    @abstractmethod
    def then(self, seen: Sightings) -> None:
        """What must be seen, and what must not."""

    @abstractmethod
    def left_open(self) -> dict[str, int]:
        """What stays open at the end: kind → how many."""

    def on_roll(
        self, key: str, category: str, *, age: int = 60, care: str = "", meter: str = ""
    ) -> None:
        """A person alone, on roll and in the last snapshot."""
        self.cast.household(key, {key: age}, category=category, care=care, meter=meter)
        self.opening.append(key)

    def enters(
        self,
        at: str,
        connector: str,
        item: str,
        *records: dict[str, Any],
        way: str = "",
        file_name: str = "",
    ) -> None:
        """A department enters records into its own system."""
        self._add(Entry(instant(at), connector, item, records, way, file_name))

    def answers(self, at: str, program: str, answer: str, *, person: str = "") -> None:
        """A program answers its referral."""
        self._add(ProgramAct(instant(at), program, answer, person))

    def clock_passes(self, at: str) -> None:
        """The clock passes an instant."""
        self.parts.append(ClockPasses(instant(at)))

    def trouble(self, name: str, *arguments: Any) -> None:
        """Something breaks or heals."""
        self.parts.append(Trouble(name, arguments))

    @contextmanager
    def any_order(self) -> Iterator[None]:
        """Entries inside may come in any order."""
        self._block = Block(any_order=True)
        yield
        self.parts.append(self._block)
        self._block = None

    def _add(self, entry: Entry | ProgramAct) -> None:
        if self._block is not None:
            self._block.entries.append(entry)
        else:
            self.parts.append(Block([entry]))


def instant(text: str) -> datetime:
    """Local time of the story, e.g. ``2025-02-10`` or ``2025-04-01T00:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def day(text: str) -> date:
    """A civil date."""
    return date.fromisoformat(text)
