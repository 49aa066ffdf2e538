from __future__ import annotations

from datetime import date

import pytest

from hub.kernel.dates import days_of
from hub.model.records import Interest
from hub.routing.gates import has_role
from hub.routing.receivers import Receiver
from hub.routing.subscriptions import Areas
from hub.sdk.subscriptions import Subscription

TODAY = days_of(date(2025, 4, 1))


@pytest.fixture(scope="session")
def areas():
    return Areas()


def gate(subscriptions, place, areas, **changes):
    known = subscriptions["medical-aid"]
    agreement = known.agreement.model_copy(update=changes)
    changed: Subscription = known.model_copy(update={"agreement": agreement})
    return Receiver(changed, place, areas).gate


@pytest.mark.parametrize(
    ("changes", "asked", "code"),
    [
        ({}, {}, None),
        ({}, {"copy_type": "employment.lost"}, "deny.no_agreement"),
        ({}, {"copy_type": "roster.delta"}, "deny.no_agreement"),
        ({"valid_from": date(2025, 4, 2)}, {}, "deny.expired"),
        ({"valid_to": date(2025, 4, 1)}, {}, "deny.expired"),
        ({"valid_to": date(2025, 4, 2)}, {}, None),
        ({}, {"area": "320681"}, "deny.area"),
        ({}, {"area": ""}, "deny.area"),
        ({}, {"area": "320682103"}, None),
        ({"area": "3206"}, {"area": "320681"}, None),
        ({}, {"sender": "hrss"}, "deny.sender"),
        ({"sensitivity": "personal"}, {}, "deny.sensitivity"),
        ({"sensitivity": "none"}, {}, "deny.sensitivity"),
        ({"legal_basis": ""}, {}, "deny.purpose"),
        ({"purpose": ""}, {}, "deny.purpose"),
        ({"catalog_id": ""}, {}, "deny.purpose"),
    ],
)
def test_the_agreement_decides(changes, asked, code, subscriptions, place, areas):
    question = {
        "copy_type": "health.hospitalized",
        "area": "320682",
        "sender": "health",
        "day": TODAY,
    } | asked
    assert gate(subscriptions, place, areas, **changes).agreement(**question) == code


def test_a_role_counts_within_its_period_only():
    role = Interest(b"u", "medical-aid", valid_from=100, valid_to=200)
    assert has_role([role], "medical-aid", 100)
    assert has_role([role], "medical-aid", 199)
    assert not has_role([role], "medical-aid", 99)
    assert not has_role([role], "medical-aid", 200)
    assert not has_role([role], "dibao", 150)
    assert not has_role([], "medical-aid", 150)
