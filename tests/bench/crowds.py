"""Part growth, second half: ten subscriptions and ten thousand, and a value list of a million.

Four receivers of the bench profile hold all entries. Of an event always four match, one of each;
half of the entries share the event's type and area and differ in the value that their filter
demands, the others wait for other types and areas.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from hub.runtime.bench_admissions import admissions, codes
from hub.runtime.bench_grounds import ground
from hub.runtime.bench_inputs import canonical, raw
from hub.runtime.bench_meters import resident_mb
from hub.runtime.bench_runs import Figures, processes, run_worker, until_claimed
from tests.bench.grants import PROGRAMS
from tests.bench.jobs import DECIDING, Place

_TYPES = ("employment.started", "medical.expense_recorded", "education.enrolled", "person.died")
_FEW = 10


async def subscriptions(place: Place, many: int, events: int) -> tuple[dict[str, Any], list[str]]:
    """Cost per event with ten and with many subscriptions; and what was found wrong."""
    first, wrong = await _told(place, _FEW, events)
    second, more = await _told(place, many, events)
    cost = [one.micros["worker"] + one.micros["database"] for one in (first, second)]
    found = {
        "subscriptions": round(cost[1] / cost[0], 3),
        "details": {
            f"µs with {_FEW} subscriptions": round(cost[0], 2),
            f"µs with {many:,} subscriptions": round(cost[1], 2),
            "worker µs with each": [one.micros["worker"] for one in (first, second)],
        },
    }
    return found, wrong + more


async def _told(place: Place, count: int, events: int) -> tuple[Figures, list[str]]:
    chosen = _profile(place, f"crowd{count}", list(_entries(count)))
    records = [
        one for one in canonical(chosen.settings, raw(chosen.settings, admissions(events)))
        if one.topic == "event.health"
    ]  # fmt: skip
    async with ground(*chosen) as here:
        await here.load(records)
        figures = await run_worker(here, DECIDING, len(records))
        copies = await here.db.fetchval("SELECT count(*) FROM delivery")
    wanted = len(records) * len(PROGRAMS)
    wrong = [] if copies == wanted else [f"{count} subscriptions: {copies} copies, not {wanted}"]
    return figures, wrong


def _entries(count: int) -> Iterator[dict[str, Any]]:
    """Entries of all receivers, to be dealt out in turn; the first four match every event."""
    every = ", ".join(f'"{code}"' for code in codes())
    for number in range(count):
        if number < len(PROGRAMS):
            wanted, kind = f"diagnosis.icd_code in [{every}]", "health.hospitalized"
        elif number % 2:
            wanted, kind = f'diagnosis.icd_code == "Z{number}"', "health.hospitalized"
        else:
            wanted, kind = f'contact.phone == "{number}"', _TYPES[number % len(_TYPES)]
        area = "320682" if kind == "health.hospitalized" else f"320682{1 + number % 6:03}"
        yield {"types": [kind], "filter": wanted, "area": area, "opens": True}


def _profile(place: Place, name: str, entries: list[dict[str, Any]]) -> Place:
    """The bench profile with these entries, in a folder of the run."""
    source = place.settings.profiles_dir
    folder = place.settings.data_dir / "profiles" / name
    shutil.copytree(Path(source or "") / "bench", folder, dirs_exist_ok=True)
    (folder / "rights.yaml").unlink()
    head = yaml.safe_load((folder / "profile.yaml").read_text(encoding="utf-8"))
    _write(folder / "profile.yaml", head | {"place": name})
    for turn, program in enumerate(PROGRAMS):
        path = folder / "programs" / f"{program}.yaml"
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
        _write(path, held | {"subscribes": entries[turn :: len(PROGRAMS)]})
    values = {"profile": name, "profiles_dir": folder.parent}
    return place._replace(settings=place.settings.model_copy(update=values))


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


async def value_list(place: Place, values: int) -> float:
    """MB that a list of so many hashed ids takes in a worker process."""
    entry = {"types": ["health.hospitalized"], "opens": True}
    without = await _resident(_profile(place, "listless", [entry]))
    chosen = _profile(place, "listed", [entry | {"among": "many"}])
    lists = chosen.settings.profiles_dir / "listed" / "lists"
    lists.mkdir(exist_ok=True)
    with (lists / "many.txt").open("w", encoding="ascii") as file:
        file.writelines(f"{os.urandom(16).hex()}\n" for _ in range(values))
    return round(await _resident(chosen) - without, 1)


async def _resident(place: Place) -> float:
    async with ground(*place) as here, processes(here, ("hub.cli.main", "worker")) as pids:
        await until_claimed(here)
        # The first seconds after the claims are of the start, too.
        await asyncio.sleep(2)
        return resident_mb(pids[0])
