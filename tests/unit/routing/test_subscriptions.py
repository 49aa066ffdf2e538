from __future__ import annotations

import pytest
import yaml

from hub.contracts.events import CanonicalEvent
from hub.kernel.errors import ConfigurationError
from hub.routing.receivers import Receivers
from hub.sdk.subscriptions import load_subscription, load_subscriptions

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
