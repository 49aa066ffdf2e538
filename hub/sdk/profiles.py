"""Jurisdiction profiles: what is policy of a place, with document, version and dates.

A rule that names no document or no dates cannot be loaded (RG-02); a key nobody knows is refused
as well, because a misspelt rule would silently not apply.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.contracts.declarations import parse
from hub.kernel.dates import days_of
from hub.kernel.errors import ConfigurationError
from hub.sdk.rules import Condition, RuleEngine

RIGHT_VARIABLES = {
    "category": "string",
    "subtype": "string",
    "scope": "string",
    "stage": "string",
    "grade": "string",
    "size": "int",
    "spell_from": "int",
}
"""Variables of the condition of a right."""
TELL_VARIABLES = {"type": "string", "on_roll": "bool", "lifecycle": "string"}
"""Variables of the condition of a headline routing rule."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Document(_Strict):
    """The policy document behind a rule."""

    title: str = Field(min_length=1)
    number: str = Field(min_length=1)
    date: date


class Rule(_Strict):
    """What every rule has.

    Attributes:
        id: Stable id; the requirement it carries out, e.g. ``RG-15``, with a suffix.
        zh: What it does, Chinese.
        en: The same, English.
        document: The policy document.
        effective_from: First day.
        effective_to: First day no more; None: still in force.
    """

    id: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    document: Document
    effective_from: date
    effective_to: date | None = None

    @cached_property
    def first(self) -> int:
        """First day, days since 1970-01-01, as the hot path compares it."""
        return days_of(self.effective_from)

    @cached_property
    def end(self) -> int | None:
        """First day no more, days since 1970-01-01."""
        return days_of(self.effective_to) if self.effective_to else None

    def on(self, day: int) -> bool:
        """Whether it is in force on that day (days since 1970-01-01)."""
        return self.first <= day and (self.end is None or day < self.end)

    def during(self, start: int, end: int | None) -> bool:
        """Whether it is in force on any day of a span."""
        return (end is None or self.first < end or self.first <= start) and (
            self.end is None or start < self.end
        )


class RightRule(Rule):
    """A right that follows from being on roll: RG-03, RG-14, RG-15, RG-16."""

    program: str
    subject: Literal["person", "pupil", "meter", "house", "job"]
    scopes: tuple[Literal["household", "single_person"], ...] = ("household", "single_person")
    grades: tuple[str, ...] = ()
    """Danger grades of a house that give the right."""
    matter: str = ""
    """Rights of one matter share a correlation id."""
    need_kind: str = ""
    due_days: int | None = None
    when: str = ""

    @cached_property
    def condition(self) -> Condition | None:
        """The condition compiled; as a private attribute it would be found five times slower."""
        return _RIGHTS.compile(self.when, self.id) if self.when else None

    def model_post_init(self, context: Any) -> None:
        """Compile the condition."""
        del context
        _ = self.condition

    def holds(self, values: dict[str, Any]) -> bool:
        """Whether the condition, if any, holds."""
        condition = self.condition
        return condition is None or condition(values)


class RosterRule(Rule):
    """A recipient of the roster and its columns: RG-03."""

    recipient: str
    period: Literal["quarter"]
    row: Literal["person", "pupil", "meter"]
    columns: tuple[str, ...] = Field(min_length=1)
    part_rows: int = Field(500, gt=0)


class TellRule(Rule):
    """Headline routing: which programs are told of an event."""

    type: str
    programs: tuple[str, ...] = Field(min_length=1)
    guard: Literal["interest", "none"] = "interest"
    when: str = ""

    @cached_property
    def condition(self) -> Condition | None:
        """The condition compiled."""
        return _TELLS.compile(self.when, self.id) if self.when else None

    def model_post_init(self, context: Any) -> None:
        """Compile the condition."""
        del context
        _ = self.condition

    def holds(self, values: dict[str, Any]) -> bool:
        """Whether the condition, if any, holds."""
        condition = self.condition
        return condition is None or condition(values)


class TaskRule(Rule):
    """A task that a fact opens for a human."""

    fact: Literal["employment.started", "person.died", "category.ended", "poverty.listed"]
    kind: str
    owner_level: Literal["county", "town", "village"] = "county"
    due_days: int | None = None


class ListRule(Rule):
    """Backstop and relapse lists: RG-04."""

    types: tuple[str, ...]
    answers: dict[str, str]
    """Connector that sends the list → recipient of the dispositions."""
    case_kind: str = "classification"
    grant_outcomes: tuple[str, ...] = ("granted", "grant", "approved", "纳入", "同意")
    refuse_outcomes: tuple[str, ...] = ("refused", "refuse", "rejected", "不予纳入", "不同意")


class EffectRule(Rule):
    """Effects that need the decision of a named person (I1)."""

    types: tuple[str, ...]
    powers: tuple[str, ...]
    await_hours: int = Field(gt=0)
    notify: str
    """Recipient of ``audit.violation``."""


class Head(_Strict):
    """``profile.yaml``."""

    place: str
    zh: str
    en: str
    division: str
    version: str
    inherits: str | None = None
    roll: tuple[str, ...] = ()
    office: str = ""
    """Recipient of cases, tasks and notices."""
    documents: dict[str, Document] = {}


class Rules(_Strict):
    """The rules of all files."""

    rights: tuple[RightRule, ...] = ()
    rosters: tuple[RosterRule, ...] = ()
    tells: tuple[TellRule, ...] = ()
    tasks: tuple[TaskRule, ...] = ()
    lists: tuple[ListRule, ...] = ()
    effects: tuple[EffectRule, ...] = ()

    def every(self) -> tuple[Rule, ...]:
        """All rules, in file order."""
        return (
            *self.rights,
            *self.rosters,
            *self.tells,
            *self.tasks,
            *self.lists,
            *self.effects,
        )


R = TypeVar("R", bound=Rule)
_RIGHTS = RuleEngine(RIGHT_VARIABLES)
_TELLS = RuleEngine(TELL_VARIABLES)
_SECTIONS: dict[str, tuple[str, type[Rule]]] = {
    "rights": ("rights.yaml", RightRule),
    "rosters": ("roster.yaml", RosterRule),
    "tells": ("tells.yaml", TellRule),
    "tasks": ("casework.yaml", TaskRule),
    "lists": ("casework.yaml", ListRule),
    "effects": ("casework.yaml", EffectRule),
}


class Profile:
    """A loaded profile.

    Args:
        head: Place, version, categories that count as on roll.
        rules: Every rule with its dates.
    """

    def __init__(self, head: Head, rules: Rules) -> None:
        self.head = head
        self.rules = rules
        self.place = head.place
        self.division = head.division
        self.version = head.version
        self.roll = frozenset(head.roll)
        self.office = head.office
        self.rights = rules.rights
        self.rosters = rules.rosters
        self.roster_columns: dict[str, frozenset[str]] = {}
        """Recipient → columns of all its rosters."""
        for rule in rules.rosters:
            known = self.roster_columns.get(rule.recipient, frozenset())
            self.roster_columns[rule.recipient] = known.union(rule.columns)
        self.effect_types = frozenset(t for rule in rules.effects for t in rule.types)
        every = rules.every()
        self._turns = sorted({r.first for r in every} | {r.end for r in every if r.end is not None})
        self._known: dict[int, Rules] = {}

    def period(self, day: int) -> int:
        """A number for the span around a day in which the same rules are in force."""
        return bisect_right(self._turns, day)

    def on(self, day: int) -> Rules:
        """The rules in force on a day (days since 1970-01-01)."""
        period = self.period(day)
        found = self._known.get(period)
        if found is None:
            chosen = {
                section: tuple(rule for rule in getattr(self.rules, section) if rule.on(day))
                for section in _SECTIONS
            }
            found = self._known[period] = Rules.model_validate(chosen)
        return found

    def rule(self, rule_id: str) -> Rule | None:
        """A rule by its id."""
        return next((rule for rule in self.rules.every() if rule.id == rule_id), None)


def load_profile(place: str, extra: Path | None = None) -> Profile:
    """Load a profile and check it.

    Args:
        place: Folder name, e.g. ``rugao``.
        extra: A folder of further profiles, looked at first.

    Raises:
        ConfigurationError: no such profile, an unknown key, a rule without document or dates,
            two rules with one id, or a condition with a type error; names file and rule.
    """
    folder = _folder(place, extra)
    head = _head(folder, place)
    rules = _rules(folder, head)
    if head.inherits:
        parent = load_profile(head.inherits, extra)
        rules = _inherited(parent.rules, rules)
        head = head.model_copy(
            update={
                "roll": head.roll or parent.head.roll,
                "office": head.office or parent.head.office,
                "documents": {**parent.head.documents, **head.documents},
            }
        )
    return Profile(head, rules)


def places(extra: Path | None = None) -> list[str]:
    """Names of the profiles there are."""
    roots: list[Traversable] = [files("hub") / "profiles", *([extra] if extra else [])]
    return sorted(
        {
            entry.name
            for root in roots
            if root.is_dir()
            for entry in root.iterdir()
            if (entry / "profile.yaml").is_file()
        }
    )


def _folder(place: str, extra: Path | None) -> Traversable:
    roots: list[Traversable] = [*([extra] if extra else []), files("hub") / "profiles"]
    for root in roots:
        if place and place.isidentifier() and (root / place / "profile.yaml").is_file():
            return root / place
    raise ConfigurationError(
        f"There is no profile {place!r}.",
        hint=f"Known profiles: {', '.join(places(extra))}. Set HUB_PROFILE or HUB_PROFILES_DIR.",
        message_zh=f"没有辖区配置 {place!r}。",
    )


def _yaml(folder: Traversable, name: str) -> dict[str, Any]:
    path = folder / name
    if not path.is_file():
        return {}
    try:
        loaded = parse(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _refused(f"{folder.name}/{name}", str(error)) from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise _refused(f"{folder.name}/{name}", "the file is not a mapping")
    return loaded


def _head(folder: Traversable, place: str) -> Head:
    where = f"{place}/profile.yaml"
    try:
        head = Head.model_validate(_yaml(folder, "profile.yaml"))
    except ValidationError as error:
        raise _refused(where, _first(error)) from error
    if head.place != place:
        raise _refused(where, f"place is {head.place!r}, the folder is {place!r}")
    return head


def _rules(folder: Traversable, head: Head) -> Rules:
    found: dict[str, list[Rule]] = {section: [] for section in _SECTIONS}
    seen: set[str] = set()
    for name in dict.fromkeys(file for file, _ in _SECTIONS.values()):
        for section, entries in _yaml(folder, name).items():
            where = f"{folder.name}/{name}"
            if _SECTIONS.get(section, ("", Rule))[0] != name:
                raise _refused(where, f"the key {section} is not known")
            for number, entry in enumerate(entries or (), 1):
                rule = _rule(where, number, entry, _SECTIONS[section][1], head)
                if rule.id in seen:
                    raise _refused(f"{where}: {rule.id}", "the id stands twice")
                seen.add(rule.id)
                found[section].append(rule)
    return Rules.model_validate({section: tuple(rules) for section, rules in found.items()})


def _rule(where: str, number: int, entry: Any, kind: type[R], head: Head) -> R:
    if not isinstance(entry, dict):
        raise _refused(where, f"rule {number} is not a mapping")
    place = f"{where}: {entry.get('id') or f'rule {number}'}"
    document = entry.get("document")
    if isinstance(document, str):
        if document not in head.documents:
            raise _refused(place, f"the document {document} is not listed in profile.yaml")
        entry = {**entry, "document": head.documents[document].model_dump()}
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        raise _refused(place, _first(error)) from error


def _inherited(above: Rules, own: Rules) -> Rules:
    """The higher place's rules; a rule with the same id takes its place."""
    merged: dict[str, Any] = {}
    for section in _SECTIONS:
        rules = {rule.id: rule for rule in (*getattr(above, section), *getattr(own, section))}
        merged[section] = tuple(rules.values())
    return Rules(**merged)


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"


def _refused(where: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"Profile {where}: {reason}.",
        hint="Every rule needs id, zh, en, document (title, number, date) and effective_from.",
        message_zh=f"辖区配置 {where}:{reason};每条规则须有编号、中英文说明、文件"
        "(标题、文号、日期)和生效日期。",
    )
