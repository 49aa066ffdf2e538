"""Reject boards: rules by department with their trend, and the list an office is asked to mend."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from hub.console.contexts import Console, Here
from hub.console.permissions import Permission
from hub.console.screens import page
from hub.console.sealed_tables import Table, download
from hub.console.visitors import Signed
from hub.kernel.clocks import from_epoch_ms
from hub.store import reject_boards
from hub.store.reject_boards import DAY_MS, Reject, day_number

router = APIRouter(include_in_schema=False)
DAYS = 10


async def board(console: Console, department: str = "") -> dict[str, Any]:
    """Rows of the board and the days of its trend, oldest first."""
    today = day_number(console.now())
    days = list(range(today - DAYS + 1, today + 1))
    since = days[0] * DAY_MS - 8 * 3_600_000
    cells = await reject_boards.cells(console.pool, since, department)
    return {
        "cells": [
            {"it": one, "trend": [float(one.days.get(day, 0)) for day in days]} for one in cells
        ],
        "days": DAYS,
        "today": today,
    }


@router.get("/rejects")
async def listing(
    request: Request, console: Here, visitor: Signed, department: str = ""
) -> Response:
    """Rejects by rule and department over ten days."""
    visitor.need(Permission.VIEW)
    shown = await board(console, department)
    return page(
        request,
        "rejects.html",
        visitor=visitor,
        department=department,
        departments=sorted(console.manifests),
        names=console.names,
        at=console.now(),
        **shown,
    )


@router.get("/rejects.xlsx")
async def export(console: Here, visitor: Signed, department: str, code: str = "") -> Response:
    """The records of one department that want mending, without any person's data."""
    visitor.need(Permission.VIEW)
    return await please_fix(console, visitor, department, code)


async def please_fix(console: Console, visitor: Any, department: str, code: str = "") -> Response:
    """The workbook for a source office; on record."""
    known = department if department in console.manifests else ""
    rows = await reject_boards.to_correct(console.pool, known, code)
    table = Table(
        f"please-fix-{known or 'none'}",
        f"{console.names.department(known)[0]} 待更正记录 Records to correct",
        ("记录键 Record key", "事项 Kind", "字段 Field", "字段名 Field name", "代码 Code",
         "原因与更正办法 Why and what to do", "Why and what to do", "首次 First", "最近 Last",
         "死信 Dead letter"),
        [_row(console, one) for one in rows],
    )  # fmt: skip
    return await download(console, visitor, table, "xlsx", department=known)


def _row(console: Console, one: Reject) -> tuple[str, ...]:
    zh, en = console.names.code(one.code)
    return (
        one.record_key,
        console.names.event(one.type)[0],
        one.field,
        console.names.field(one.field)[0],
        one.code,
        zh,
        en,
        f"{from_epoch_ms(one.first_failed_at):%Y-%m-%d %H:%M:%S}",
        f"{from_epoch_ms(one.failed_at):%Y-%m-%d %H:%M:%S}",
        one.id,
    )
