"""Alert pages: what fires, what was told to whom, mutes, history; channels and rules to look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.console import acts
from hub.console.contexts import Console, Here
from hub.console.desks import reason_problem
from hub.console.languages import mark
from hub.console.live_pages import register, show
from hub.console.lives import LivePage, Query, Values
from hub.console.permissions import Permission
from hub.console.visitors import Checked, Signed
from hub.contracts.catalogues import catalogue
from hub.monitoring.alert_rules import in_force
from hub.monitoring.alerts import Alert, Mute
from hub.monitoring.channels import KINDS
from hub.monitoring.findings import SEVERITIES
from hub.monitoring.messages import LANGUAGES, severity_words
from hub.monitoring.pictures import Picture
from hub.monitoring.spans import span
from hub.store import alert_notices, alerts

router = APIRouter(include_in_schema=False)
TABS = ("now", "history", "channels", "rules")
MOST_HOURS = 14 * 24
_HOUR_MS = 3_600_000
RESULTS: Mapping[str, tuple[str, str]] = {
    "sent": ("good", mark("The channel took the test message.")),
    "not_sent": ("bad", mark("The channel did not take the test message; see the error below.")),
    "reason": ("bad", mark("Give a reason without long numbers: it is kept on record.")),
    "span": ("bad", mark("A mute lasts from one hour to 14 days.")),
    "channel": ("bad", mark("The channel lacks a name, an address, or who it is sent to.")),
    "secret": (
        "bad",
        mark(
            "The secret was not kept: a reference is env:HUB_ALERT_… or file:NAME in the folder"
            " alerts of the secrets; what is typed needs the key k_channel here (hub keys init)."
        ),
    ),
    "rule": ("bad", mark("The rule was not changed: a value is not possible.")),
}
"""What an act came to; the address names it, so that a reload repeats nothing."""


def back(tab: str, result: str = "") -> Response:
    """To the page, with what an act came to."""
    tail = f"&result={result}" if result else ""
    return RedirectResponse(f"/alerts?show={tab}{tail}", 303)


async def _view(console: Console, picture: Picture, query: Query) -> Values:
    tab = query.get("show", "now")
    tab = tab if tab in TABS else "now"
    shown: dict[str, Any] = {
        "tab": tab,
        "tabs": TABS,
        "rules": in_force(await alerts.changes(console.pool)),
        "severity_words": severity_words,
        "now_ms": picture.at,
        "result": RESULTS.get(query.get("result", "")),
        "may_resolve": query.get("may") == "1",
        "who_name": console.names.who,
    }
    if tab == "now":
        standing = sorted(
            await alerts.standing(console.pool), key=lambda one: -SEVERITIES.index(one.severity)
        )
        shown["firing"] = [_row(console, one) for one in standing if one.fired is not None]
        shown["waiting"] = [_row(console, one) for one in standing if one.fired is None]
        shown["mutes"] = await alerts.mutes(console.pool, console.now())
        shown["notices"] = await alert_notices.latest(console.pool, limit=30)
        shown["everybody"] = sorted({*console.manifests, *catalogue().grants})
    elif tab == "history":
        ended = await alerts.history(console.pool)
        shown["ended"] = [{**_row(console, one), "by": by} for one, by in ended]
    shown["channels"] = await alert_notices.channels(console.pool)
    shown["kinds"], shown["languages"] = KINDS, LANGUAGES
    return shown


def _row(console: Console, one: Alert) -> dict[str, Any]:
    finding = one.finding
    words = (span(finding.ms, "zh"), span(finding.ms, "en"))
    return {"it": one, "sentence": console.names.sentence(finding, words)}


PAGE = register(
    LivePage("alerts", Permission.VIEW, "alerts.html", {"alerts": "alerts_now.html"}, _view)
)


@router.get("/alerts")
async def page(request: Request, console: Here, visitor: Signed) -> Response:
    """Alerts."""
    may = "1" if visitor.may(Permission.OPERATE) else ""
    return await show(request, console, visitor, PAGE, may=may)


@router.post("/alerts/resolve")
async def resolve(console: Here, visitor: Checked, alert: Annotated[int, Form()]) -> Response:
    """End an alert by hand; while its cause lasts it begins anew."""
    visitor.need(Permission.OPERATE)
    now = console.now()
    async with console.transaction() as connection:
        rule = await alerts.resolve(connection, alert, by=visitor.account.id, now=now)
        if rule:
            target = f"{rule}/{alert}"
            await acts.by(connection, visitor, "alert_resolved", now=now, target=target)
    return back("now")


@router.post("/alerts/mutes")
async def mute(
    console: Here,
    visitor: Checked,
    hours: Annotated[int, Form()],
    reason: Annotated[str, Form()],
    rule: Annotated[str, Form()] = "",
    who: Annotated[str, Form()] = "",
) -> Response:
    """Keep alerts back for some hours."""
    visitor.need(Permission.OPERATE)
    if reason_problem(reason):
        return back("now", "reason")
    if not 1 <= hours <= MOST_HOURS:
        return back("now", "span")
    now = console.now()
    given = Mute(rule, who, now, now + hours * _HOUR_MS)
    async with console.transaction() as connection:
        number = await alerts.mute(connection, given, reason=reason, by=visitor.account.id, now=now)
        await acts.by(
            connection, visitor, "alerts_muted", now=now, reason=reason, target=str(number),
            rule=rule, who=who, hours=hours,
        )  # fmt: skip
    return back("now")


@router.post("/alerts/mutes/{number}/end")
async def unmute(number: int, console: Here, visitor: Checked) -> Response:
    """End a mute."""
    visitor.need(Permission.OPERATE)
    now = console.now()
    async with console.transaction() as connection:
        await alerts.unmute(connection, number, now)
        await acts.by(connection, visitor, "alerts_unmuted", now=now, target=str(number))
    return back("now")
