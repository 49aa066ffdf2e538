"""The two screenshots of the README: ``python -m tests.browser.shots`` on a city with an incident.

Small PNGs: no more pixels than a page of text shows.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from hub.cli.demos.entering import Entering
from hub.embedded.services import embedded
from hub.kernel.settings import Settings
from tests.browser.browsers import Seat, chromium
from tests.browser.families import facts, family, grant, on_record
from tests.browser.sites import Site, site

FOLDER = Path(__file__).parents[2] / "docs" / "images"
LARGEST = 150 * 1024
_SEED = 5
_SHOWN = 45.0
SHOWN_SIZE = {"width": 1120, "height": 720}


async def main() -> None:
    """Take both.

    Raises:
        SystemExit: one is larger than agreed.
    """
    folder = Path(tempfile.mkdtemp(prefix="hub-shots-"))
    settings = Settings(kafka="", database="", data_dir=folder, synthetic_people=True)  # type: ignore[call-arg]
    try:
        async with (
            embedded(folder, settings=settings) as services,
            site(services, folder, _SEED) as city,
            chromium() as browser,
        ):
            seat = Seat(browser, city.desk.url)
            await seat.sit("op", city.desk.password)
            await _taken(city, seat)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _taken(city: Site, seat: Seat) -> None:
    await seat.page.set_viewport_size(SHOWN_SIZE)
    await city.incidents.silent("source")
    one = family(city.draw, city.stage.town.today)
    async with Entering(city.stage) as entering:
        for entry in facts(one, city.stage.town.today):
            await entering.enter(entry)
        await on_record(city.stage.pool, one)
        await entering.enter(grant(one, city.stage.town.today))
    await asyncio.sleep(_SHOWN)
    await _shot(seat, "console-map.png")
    referral = await city.stage.pool.fetchval(
        "SELECT id FROM referral WHERE household = $1 AND program = 'housing-aid'", one.id
    )
    await seat.page.get_by_role("searchbox").fill(referral)
    await seat.page.keyboard.press("Enter")
    await seat.page.get_by_role("heading", name="一件事的全程").wait_for()
    await seat.page.evaluate("document.querySelector('.timeline').scrollIntoView()")
    await _shot(seat, "console-journey.png", 540)


async def _shot(seat: Seat, name: str, height: int = SHOWN_SIZE["height"]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / name
    clip = {"x": 0, "y": 0, "width": SHOWN_SIZE["width"], "height": height}
    await seat.page.screenshot(path=path, clip=clip)
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{name}: {path.stat().st_size} bytes, more than {LARGEST}")
    print(path, path.stat().st_size)


if __name__ == "__main__":
    asyncio.run(main())
