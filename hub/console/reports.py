"""Reports: one page a day for those who lead, made to be printed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from hub.console.contexts import Console, Here
from hub.console.counts import Counted
from hub.console.days import Day, day_of
from hub.console.permissions import Permission
from hub.console.reconciliations import days
from hub.console.screens import page
from hub.console.visitors import Signed
from hub.store import incidents, late_matters, pictures, reconciliations
from hub.tracking.labels import Label

router = APIRouter(include_in_schema=False)


@router.get("/report")
async def report(request: Request, console: Here, visitor: Signed, day: str = "") -> Response:
    """The key figures of a day."""
    visitor.need(Permission.VIEW)
    now = console.now()
    date = day_of(day, now)
    counted, figures = await days(console, date), await _figures(console, date)
    rows = counted.value
    groups = await late_matters.groups(console.pool, now)
    return page(
        request,
        "report.html",
        visitor=visitor,
        day=date,
        figures=figures.value,
        counted=min(counted.at, figures.at),
        uneven=[one for one in rows if not one.is_even],
        programs=len(rows),
        sent=sum(one.sent for one in rows),
        received=sum(one.received for one in rows),
        asked=sum(one.asked for one in rows),
        answered=sum(one.answered for one in rows),
        open_=sum(one["open"] for one in groups),
        late=sum(one["late"] for one in groups),
        urgent=sum(one["late"] for one in groups if one["band"] in {"2h", "24h"}),
        incidents=await incidents.between(console.pool, date.since, date.until),
        silent=silent(console) if date.is_today else None,
        nothing=await brought_nothing(console, date),
        names=console.names,
        at=now,
    )


async def _figures(console: Console, date: Day) -> Counted:
    return await console.counts.of(
        ("figures", date.since),
        lambda: reconciliations.key_figures(console.pool, date.since, date.until),
    )


def silent(console: Console) -> list[tuple[Label, Label, int]]:
    """Items that are silent for too long now: department, item, ms."""
    picture = console.pictures.last
    return [
        (console.names.department(one.connector), console.names.item(one.connector, item.item),
         item.silent or 0)
        for one in (picture.connectors if picture else [])
        for item in one.items
        if item.is_silent and one.planned is None
    ]  # fmt: skip


async def brought_nothing(console: Console, date: Day) -> list[Label] | None:
    """Departments of which no record came on a day; None: the history does not reach back."""
    level = pictures.LEVELS[2]
    names: dict[str, list[str]] = {
        name: [f"rate/{item.topic}" for item in manifest.items]
        for name, manifest in console.manifests.items()
    }
    keys = sorted({key for each in names.values() for key in each})
    history: Any = await pictures.history(console.pool, keys, level, console.now())
    of_day = {
        key: [v for at, v in points if date.since <= at < date.until and v is not None]
        for key, points in history.items()
    }
    if not any(of_day.values()):
        return None
    return [
        console.names.department(name)
        for name, each in names.items()
        if any(of_day[key] for key in each) and not any(sum(of_day[key]) for key in each)
    ]
