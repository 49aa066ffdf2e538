"""Types whose events load their person's own record alone are decided as if all had been loaded."""

from __future__ import annotations

import pytest

from hub.contracts.catalogues import catalogue
from hub.contracts.events import CanonicalEvent
from hub.kernel.secrets import Secrets
from hub.kernel.settings import settings
from hub.model.keys import own_record
from hub.model.records import Fact, Household, Interest, Person, Referral
from hub.model.states import Keys, State
from hub.runtime.wiring import wire

NOW = 1_741_000_000_000
UID, MEMBER = b"u" * 16, b"m" * 16
FACT = Fact(
    "e1", "category.granted", 19_000, 1, 2, "", "civil-affairs", "c", None, "created", None,
    {"category": {"category": "DIBAO", "scope": "household"}},
)  # fmt: skip


@pytest.fixture(scope="module")
def wiring(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    chosen = settings().model_copy(update={"data_dir": folder, "synthetic_people": True})
    return wire(chosen, Secrets.load(chosen))


def event(kind, **changes):
    known = {
        "event_id": "0d9c3c0b-5f0e-5d55-8a6b-5a3b8b1d2f42",
        "type": kind,
        "source": "health",
        "source_record_key": "r",
        "uid": UID,
        "jurisdiction": "320682",
        "occurred_at": NOW,
        "effective_from": 20_100,
        "groups": {"contact": {"phone": "19900000001"}, "need": {"need_kind": "medical"}},
    }
    return CanonicalEvent(**(known | changes))


def state(*, whole):
    """A person on roll with a referral, or of all that the person's record."""
    found = State()
    found.put(Person(UID, ["H"], [], {"id": {"name": "x"}}))
    if not whole:
        found.loaded = Keys(persons=frozenset({UID}))
        return found
    found.put(Person(MEMBER, ["H"], [], {}))
    found.put(Household("H", [FACT], [UID, MEMBER]))
    found.put(Interest(UID, "medical-aid", 19_000, "H", None, "provisional", "r1"))
    found.put(
        Referral("r1", "medical-aid", "person", UID.hex(), "e1", UID, "H", "created", "c", "r", 1,
                 spell_from=19_000)
    )  # fmt: skip
    found.loaded = Keys(
        uids=frozenset({UID, MEMBER}),
        households=frozenset({"H"}),
        told=frozenset({event("x").event_id}),
    )
    return found


def light(wiring):
    return [
        name
        for name in catalogue().events
        if wiring.keys(event(name)) == own_record(event(name))
    ]  # fmt: skip


def test_some_types_load_less_and_every_type_that_is_told_or_folded_loads_all(wiring):
    found = light(wiring)
    assert "residence.changed" in found
    assert not {"health.hospitalized", "employment.started", "person.died", "household.changed"} & {
        *found
    }


def test_what_replaces_another_event_or_names_a_decision_loads_all(wiring):
    for changes in ({"replaces": "e0"}, {"decision_id": "D-1"}):
        asked = wiring.keys(event("residence.changed", **changes))
        assert UID in asked.uids


def test_they_are_decided_as_if_all_had_been_loaded(wiring):
    changed = 0
    for name in light(wiring):
        answers = []
        for whole in (True, False):
            known = state(whole=whole)
            answers.append(
                [
                    decide(known, event(name), wiring.context(NOW))
                    for decide in wiring.deciders(name)
                ]
            )
        assert answers[0] == answers[1], name
        changed += bool(answers[0][0].changes)
    assert changed
