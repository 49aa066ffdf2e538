from __future__ import annotations

import pytest
import yaml

from hub.contracts.events import CanonicalEvent
from hub.kernel.errors import ConfigurationError
from hub.routing.receivers import Receivers
from hub.routing.subscriptions import Areas, Index, Match
from hub.sdk.subscriptions import load_subscription, load_subscriptions
from hub.sdk.value_lists import load_value_lists

GOOD = {
    "id": "medical-aid",
    "kind": "program",
    "names": {"zh": "医疗救助", "en": "Medical aid"},
    "delivery": {"way": "kafka"},
    "reason_level": "full",
    "agreement": {
        "legal_basis": "法",
        "purpose": "p",
        "catalog_id": "c",
        "valid_from": "2020-01-01",
        "area": "320682",
        "sensitivity": "sensitive",
        "senders": ["health"],
    },
    "subscribes": [{"types": ["health.hospitalized"]}],
}


def written(tmp_path, name="medical-aid", **changes):
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump(GOOD | changes, allow_unicode=True), encoding="utf-8")
    return path


def event(**changes) -> CanonicalEvent:
    known = {
        "event_id": "e",
        "type": "health.hospitalized",
        "source": "health",
        "source_record_key": "r",
        "jurisdiction": "320682",
        "effective_from": 20_000,
    }
    return CanonicalEvent(**(known | changes))


def test_every_shipped_subscription_loads_and_each_way_is_used(subscriptions):
    assert {s.delivery.way for s in subscriptions.values()} == {"kafka", "webhook", "pull"}
    assert {s.kind for s in subscriptions.values()} == {"program", "recipient"}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"colour": "red"}, "colour"),
        ({"agreement": GOOD["agreement"] | {"purpose": ""}}, "agreement.purpose"),
        ({"agreement": GOOD["agreement"] | {"area": "32068"}}, "agreement.area"),
        ({"agreement": GOOD["agreement"] | {"senders": []}}, "agreement.senders"),
        ({"delivery": {"way": "webhook"}}, "delivery"),
        ({"delivery": {"way": "kafka", "url": "http://x"}}, "delivery"),
        ({"reason_level": "all"}, "reason_level"),
        ({"subscribes": [{"types": ["health.hospitalized"], "open": True}]}, "subscribes.0.open"),
    ],
)
def test_a_wrong_file_is_refused_with_file_and_key(changes, key, tmp_path):
    path = written(tmp_path, **changes)
    with pytest.raises(ConfigurationError) as caught:
        load_subscription(path)
    assert str(path) in str(caught.value)
    assert key in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"subscribes": [{"types": ["health.healed"]}]}, "health.healed"),
        ({"receives": ["health.hospitalized"]}, "receives"),
        ({"kind": "recipient"}, "declares no recipient"),
        ({"reason_level": "neutral"}, "referral.review_requested"),
    ],
)
def test_what_the_catalogue_does_not_know_is_refused(changes, problem, tmp_path, place):
    written(tmp_path, **changes)
    with pytest.raises(ConfigurationError, match=problem):
        load_subscriptions(tmp_path, place)


def test_a_filter_that_is_no_condition_is_refused(tmp_path, place):
    for text in ("stay.local + 1", "stay.colour", "life.status == 'confirmed'"):
        written(tmp_path, subscribes=[{"types": ["health.hospitalized"], "filter": text}])
        with pytest.raises(ConfigurationError, match=r"subscribes\.0\.filter"):
            Receivers(load_subscriptions(tmp_path, place), place)


def test_area_period_and_filter_choose(tmp_path, place):
    entry = {
        "types": ["health.hospitalized"],
        "filter": "stay.local && event.lifecycle == 'created'",
        "area": "320682",
        "valid_from": "2025-01-01",
    }
    written(tmp_path, subscribes=[entry])
    index = Receivers(load_subscriptions(tmp_path, place), place).index
    assert not index.of(event(effective_from=20_088))
    assert not index.of(event(jurisdiction="320681", effective_from=20_089))
    (match,) = index.of(event(jurisdiction="320682103", effective_from=20_089))
    assert match.holds(event(groups={"stay": {"local": True}}), on_roll=False)
    assert not match.holds(event(groups={"stay": {"local": False}}), on_roll=False)
    assert not match.holds(event(), on_roll=False)


def many(tmp_path, place, count):
    """Half of them share one type and area; four of all match an admission to H1."""
    read = load_subscription(written(tmp_path))
    found = {}
    for number in range(count):
        common = number % 2 == 0
        entry = {
            "types": ["health.hospitalized" if common else "health.discharged"],
            "area": "320682",
            "filter": f'stay.hospital == "H{1 if number < 8 else number}" && stay.local',
        }
        name = f"p{number:05}"
        values = read.model_dump() | {"id": name, "subscribes": [entry]}
        found[name] = type(read).model_validate(values)
    return Index(found, place, Areas(), {})


def test_as_many_are_asked_among_thousands_as_among_ten(tmp_path, place, monkeypatch):
    asked = []
    monkeypatch.setattr(Match, "holds", lambda self, *_, **__: asked.append(self) or True)
    met = event(jurisdiction="320682103", groups={"stay": {"hospital": "H1", "local": True}})
    for count in (10, 3_000):
        asked.clear()
        for match in many(tmp_path, place, count).of(met):
            match.holds(met, on_roll=False)
        assert [one.subscription.id for one in asked] == ["p00000", "p00002", "p00004", "p00006"]


def test_places_and_days_without_a_difference_share_one_choice(tmp_path, place):
    index = many(tmp_path, place, 10)
    first = index.choice(event(jurisdiction="320682103", effective_from=20_000))
    assert index.choice(event(jurisdiction="320682101", effective_from=20_500)) is first
    assert index.choice(event(jurisdiction="320681", effective_from=20_000)) is not first
    assert index.choice(event(type="person.died")) is None


def test_what_comes_without_and_with_a_demand_stays_in_order(tmp_path, place):
    read = load_subscription(written(tmp_path))
    filters = ['stay.hospital == "H1"', None, "stay.local", 'stay.hospital in ["H1", "H2"]', ""]
    found = {}
    for number, text in enumerate(filters):
        entry = {"types": ["health.hospitalized"], "filter": text or None}
        values = read.model_dump() | {"id": f"p{number}", "subscribes": [entry]}
        found[f"p{number}"] = type(read).model_validate(values)
    index = Index(found, place, Areas(), {})
    ids = [m.subscription.id for m in index.of(event(groups={"stay": {"hospital": "H2"}}))]
    assert ids == ["p1", "p2", "p3", "p4"]
    assert [m.subscription.id for m in index.of(event())] == ["p1", "p2", "p4"]


def test_a_value_list_lets_only_its_people_through(tmp_path, place):
    folder = tmp_path / "programs"
    folder.mkdir()
    written(folder, subscribes=[{"types": ["health.hospitalized"], "among": "cohort"}])
    agreed = load_subscriptions(folder, place)
    with pytest.raises(ConfigurationError, match="cohort"):
        load_value_lists(folder, agreed.values())
    (tmp_path / "lists").mkdir()
    file = tmp_path / "lists" / "cohort.txt"
    file.write_text(f"{bytes(16).hex()}\n{b'x'.hex() * 16}\n", encoding="ascii")
    lists = load_value_lists(folder, agreed.values())
    (match,) = Receivers(agreed, place, lists=lists).index.of(event())
    assert not match.always
    assert match.holds(event(uid=b"x" * 16), on_roll=False)
    assert not match.holds(event(uid=b"y" * 16), on_roll=False)
    assert not match.holds(event(), on_roll=False)
    with pytest.raises(ConfigurationError, match="no value list cohort"):
        Receivers(agreed, place)
    file.write_text(f"{bytes(16).hex()}\nzz\n", encoding="ascii")
    with pytest.raises(ConfigurationError, match="line 2"):
        load_value_lists(folder, agreed.values())
