"""F08: the line between hub and brokers is lost, wholly, to one broker, one way, on and off."""

from __future__ import annotations

import asyncio
import random

from tests.faults.harness.declarations import TRIPLE, Case, Load, Scale
from tests.faults.harness.proxies import Proxy, Weather
from tests.faults.harness.sites import Site

CASE = Case(
    "F08",
    "枢纽与 broker 断网:全部、单个、单向、闪断",
    "Hub and brokers cut apart: all, one, one way, on and off",
    topology=TRIPLE,
    quick=Scale(rounds=2, seconds=20, load=Load(80), recovery=60),
    full=Scale("full", rounds=30, seconds=300, load=Load(200), recovery=60),
    sabotages=("mirror_as_start",),
)
_FLAP_SECONDS = 5.0
_REST_SECONDS = 4.0


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """One weather after another, each followed by a short clear sky."""
    every = site.cluster.proxies
    one = [dice.choice(every)]
    for what, proxies, weather in (
        ("全部断开 · all held", every, Weather(hold_up=True, hold_down=True)),
        ("单个断开 · one refused", one, Weather(refuse=True)),
        ("单向丢失 · answers held", every, Weather(hold_down=True)),
    ):
        await _under(site, what, proxies, weather, scale.seconds)
    for number in range(scale.rounds):
        what = f"闪断 {number + 1}/{scale.rounds} · flap"
        await _under(site, what, every, Weather(refuse=True), _FLAP_SECONDS)


async def _under(
    site: Site, what: str, proxies: list[Proxy], weather: Weather, seconds: float
) -> None:
    site.tell(f"{what},{seconds:.0f} s")
    for proxy in proxies:
        proxy.weather = weather
        if weather.refuse:
            proxy.sever()
    await asyncio.sleep(seconds)
    for proxy in proxies:
        proxy.clear()
    await asyncio.sleep(_REST_SECONDS)
