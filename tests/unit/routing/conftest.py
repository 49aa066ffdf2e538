from __future__ import annotations

from pathlib import Path

import pytest

import hub
from hub.contracts.catalogues import Catalogue, catalogue
from hub.model.contexts import Context
from hub.model.sentences import in_both
from hub.routing.copies import Copies
from hub.routing.receivers import Receivers
from hub.sdk.profiles import load_profile
from hub.sdk.subscriptions import Subscription, load_subscriptions

NOW = 1_743_480_000_000
"""2025-04-01T12:00+08:00."""


@pytest.fixture(scope="session")
def place() -> Catalogue:
    return catalogue()


@pytest.fixture(scope="session")
def subscriptions(place) -> dict[str, Subscription]:
    folder = Path(hub.__file__).parent / "profiles" / "rugao" / "programs"
    return load_subscriptions(folder, place)


@pytest.fixture(scope="session")
def receivers(subscriptions, place) -> Receivers:
    return Receivers(subscriptions, place)


@pytest.fixture(scope="session")
def ctx() -> Context:
    return Context(NOW, load_profile("rugao"))


@pytest.fixture(scope="session")
def copies(receivers, place) -> Copies:
    return Copies(
        receivers,
        place,
        k_program=bytes(range(32)),
        k_copy=bytes(range(32, 64)),
        division="320682",
        sentence=in_both,
    )
