"""Reconciliations: what each program was sent, received and answered on a day, gaps named."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.console.contexts import Console, Here
from hub.console.counts import Counted
from hub.console.days import Day as Date
from hub.console.days import day_of
from hub.console.permissions import Permission
from hub.console.screens import page
from hub.console.sealed_tables import Table, download
from hub.console.visitors import Signed
from hub.store import reconciliations
from hub.store.reconciliations import Day

router = APIRouter(include_in_schema=False)
_HEADS = (
    "日期 Day", "项目 Program", "项目编号 Program id", "方式 Way", "已发 Sent", "已收 Received",
    "未达 Not delivered", "其中等待 Waiting", "其中未拉取 Not fetched", "其中搁置 Parked",
    "其中放弃 Given up", "应答 To answer", "已答 Answered", "已撤回 Withdrawn",
    "时限内未答 Within the clock", "逾期未答 Past the clock", "相符 Even",
    "首号 First number", "末号 Last number",
)  # fmt: skip


async def days(console: Console, date: Date) -> Counted:
    """Every program's day, as last counted."""
    return await console.counts.of(
        ("day", date.since),
        lambda: reconciliations.day(console.pool, date.since, date.until, now=console.now()),
    )


@router.get("/reconciliation")
async def listing(
    request: Request, console: Here, visitor: Signed, day: str = "", program: str = ""
) -> Response:
    """One day of all programs; with ``program`` the numbers that differ."""
    visitor.need(Permission.VIEW)
    now = console.now()
    date = day_of(day, now)
    counted = await days(console, date)
    missing = unanswered = None
    if any(one.program == program for one in counted.value):
        pool, key = console.pool, (program, date.since, date.until)
        missing = await console.counts.of(
            ("missing", *key), lambda: reconciliations.missing(pool, *key)
        )
        unanswered = await console.counts.of(
            ("unanswered", *key), lambda: reconciliations.unanswered(pool, *key)
        )
    return page(
        request,
        "reconciliation.html",
        visitor=visitor,
        day=date,
        rows=counted.value,
        counted=counted.at,
        program=program,
        missing=missing.value if missing else [],
        unanswered=unanswered.value if unanswered else [],
        names=console.names,
        at=now,
    )


@router.get("/reconciliation.{kind}")
async def export(kind: str, console: Here, visitor: Signed, day: str = "") -> Response:
    """The day as a sealed file."""
    visitor.need(Permission.VIEW)
    if kind not in {"csv", "xlsx"}:
        return Response(status_code=404)
    now = console.now()
    date = day_of(day, now)
    rows = await reconciliations.day(console.pool, date.since, date.until, now=now)
    return await download(console, visitor, _table(console, date, rows), kind, day=str(date.date))


def _table(console: Console, date: Date, rows: list[Day]) -> Table:
    return Table(
        f"reconciliation-{date.date}",
        f"{console.profile.head.zh} {date.date} 每日对账 Daily reconciliation",
        _HEADS,
        [
            (
                str(date.date), console.names.program(one.program)[0], one.program, one.mode,
                one.sent, one.received, one.undelivered, one.waiting, one.unfetched, one.parked,
                one.given_up, one.asked, one.answered, one.withdrawn, one.in_time, one.late,
                "是 yes" if one.is_even else "否 no", one.first or 0, one.last or 0,
            )
            for one in rows
        ],
    )  # fmt: skip
