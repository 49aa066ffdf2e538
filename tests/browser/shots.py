"""The two screenshots of the README: ``python -m tests.browser.shots`` on a city with an incident.

Small PNGs: few colours, no more pixels than a page of text shows.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from hub.embedded.services import embedded
from hub.kernel.settings import Settings
from tests.browser.browsers import Seat, chromium
from tests.browser.sites import Site, site

FOLDER = Path(__file__).parents[2] / "docs" / "images"
LARGEST = 150 * 1024
_SEED = 5
_SHOWN = 45.0


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
    await city.incidents.silent("source")
    await asyncio.sleep(_SHOWN)
    await _shot(seat, "console-map.png")
    await seat.go("积压")
    await asyncio.sleep(3)
    await _shot(seat, "console-lag.png")


async def _shot(seat: Seat, name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / name
    await seat.page.screenshot(path=path)
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{name}: {path.stat().st_size} bytes, more than {LARGEST}")
    print(path, path.stat().st_size)


if __name__ == "__main__":
    asyncio.run(main())
