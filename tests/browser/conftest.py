"""One city, one browser, one seed for the session; ``HUB_BROWSER_SEED`` repeats a run."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.embedded.services import Services
from tests.browser.answers import Answers
from tests.browser.browsers import Seat, chromium
from tests.browser.sites import Site, site


@pytest.fixture(scope="session")
def seed() -> int:
    """Of everything drawn."""
    given = os.environ.get("HUB_BROWSER_SEED", "")
    found = int(given) if given else random.SystemRandom().randrange(1 << 20)
    print(f"HUB_BROWSER_SEED={found}")
    return found


@pytest.fixture(scope="session")
def answers(seed: int) -> Iterator[Answers]:
    """Clicks and seconds."""
    found = Answers(seed)
    yield found
    found.write()


@pytest.fixture(scope="session")
async def city(
    browser: Any, services: Services, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> AsyncIterator[Site]:
    """The city; the browser is started before it, while there is little else to do."""
    del browser
    folder: Path = tmp_path_factory.mktemp("city")
    async with site(services, folder, seed) as found:
        yield found


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Any]:
    """Chromium."""
    async with chromium() as found:
        yield found


@pytest.fixture
async def seat(city: Site, browser: Any) -> AsyncIterator[Seat]:
    """An operator on the start page; whatever the page complained of fails the test."""
    found = Seat(browser, city.desk.url)
    await found.sit("op", city.desk.password)
    yield found
    await found.leave()
    assert not found.wrong


@pytest.fixture
async def second_seat(city: Site, browser: Any) -> AsyncIterator[Seat]:
    """Another operator."""
    found = Seat(browser, city.desk.url)
    await found.sit("op2", city.desk.password)
    yield found
    await found.leave()
    assert not found.wrong
