"""Rules that hold for every story: G4 to G7, checked on what was seen."""

from __future__ import annotations

from collections import defaultdict

import yaml

from hub.contracts.catalogues import catalogue
from hub.kernel.places import shipped
from tests.scenarios.harness.sightings import Copy, Sightings
from tests.scenarios.harness.stories import Story

ADVERSE = {"category.suspended", "category.ended", "referral.stop_notified"}
_MADE_BY_THE_HUB = {"envelope", "person_ref", "household_ref", "roster", "rows"}
_BODIES = {"disposition", "case", "task", "notice"}


def hold(story: Story, seen: Sightings) -> None:
    """Assert G4, G5, G6, G7 and gapless numbers."""
    for copy in seen.copies:
        decided_by_a_person(copy)
        within_the_grant(copy)
        gives_reasons(copy)
    numbers_have_no_gap(seen)
    left_open(story, seen)


def decided_by_a_person(copy: Copy) -> None:
    """G4: what takes something away names the decision of a person."""
    if copy.type in ADVERSE:
        assert copy.envelope["decision_id"], copy


def left_open(story: Story, seen: Sightings) -> None:
    """G5: the operators' open list equals the story's line exactly."""
    assert dict(seen.open) == story.left_open(), seen.open


def within_the_grant(copy: Copy) -> None:
    """G6: no field outside the grant, read from the grants themselves."""
    granted = _granted(copy.program)
    rows = copy.body.get("rows") or []
    for part in (copy.body, *rows):
        for group, fields in part.items():
            if group in _MADE_BY_THE_HUB | _BODIES | {"row_key"} or not fields:
                continue
            extra = {name for name, value in fields.items() if value is not None}
            assert extra <= granted[group], (copy.program, group, extra - granted[group])


def gives_reasons(copy: Copy) -> None:
    """G7: cause, profile version, rule; a Chinese sentence unless the receiver gets none."""
    for name in ("causation_id", "profile_version", "rule_id"):
        assert copy.envelope[name], (copy.type, name)


def numbers_have_no_gap(seen: Sightings) -> None:
    """Numbers of each receiver follow one another."""
    numbers = defaultdict(list)
    for copy in seen.copies:
        numbers[copy.program, copy.generation].append(copy.sequence)
    for key, found in numbers.items():
        ordered = sorted(found)
        assert ordered == list(range(ordered[0], ordered[0] + len(ordered))), (key, ordered)


def _granted(program: str) -> dict[str, set[str]]:
    tree = yaml.safe_load((shipped("schemas") / "grants.yaml").read_text())
    found: dict[str, set[str]] = defaultdict(set)
    for fields in (tree["everyone"], tree["receivers"][program]["fields"]):
        for group, names in fields.items():
            for name in names:
                plain, _, marker = name.partition("@")
                found[group].add(f"{plain}_month" if marker == "month" else plain)
    assert program in catalogue().grants
    return found
