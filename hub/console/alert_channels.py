"""Alert channels and rules: what an administrator says about where alerts go and when they come."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Response

from hub.console import acts
from hub.console.alert_pages import back
from hub.console.contexts import Console, Here
from hub.console.permissions import Permission
from hub.console.visitors import Checked
from hub.kernel.clocks import from_epoch_ms
from hub.kernel.errors import ConfigurationError
from hub.monitoring.alert_rules import Change, shipped
from hub.monitoring.alerts import Target
from hub.monitoring.channels import KINDS, SMTP, Channel
from hub.monitoring.findings import SEVERITIES
from hub.monitoring.messages import LANGUAGES, trial
from hub.runtime.channel_secrets import in_clear, is_reference
from hub.store import alert_notices, alerts
from hub.transports import messengers
from hub.transports.messengers import NotSentError

router = APIRouter(include_in_schema=False)
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
_ADDRESS = re.compile(r"[^\s@,<>]+@[^\s@,<>]+")
_TLS = ("none", "starttls", "tls")
_LONGEST = 7 * 86_400
_LEASE_MS = 600_000


async def seal(console: Console) -> int:
    """Seal what a release before this one put on record in clear; how many channels had it."""
    secrets = console.channel_secrets
    async with console.transaction() as connection:
        return await alert_notices.rewrite(
            connection, lambda one: secrets.seal(one) if in_clear(one) else one
        )


def problem_of(channel: Channel, target: Target, *, known: bool) -> bool:
    """Whether a channel cannot work.

    Args:
        channel: As filled in.
        target: What it is told.
        known: Whether it is on record: an address left empty stays as it was.
    """
    chosen = channel.kind in KINDS and channel.language in LANGUAGES and channel.tls in _TLS
    rules = target.least in SEVERITIES and set(target.rules) <= shipped().keys()
    if not (chosen and rules and _NAME.fullmatch(channel.id)):
        return True
    if channel.kind == SMTP:
        people = (channel.sender, *channel.to)
        found = bool(channel.host) and 0 < channel.port < 65536 and bool(channel.to)
        return not found or not all(_ADDRESS.fullmatch(one) for one in people)
    if not channel.url or is_reference(channel.url):
        return not (known or channel.url)
    place = urlsplit(channel.url)
    return place.scheme not in {"http", "https"} or not place.hostname


@router.post("/alerts/channels")
async def keep(
    console: Here,
    visitor: Checked,
    name: Annotated[str, Form()],
    kind: Annotated[str, Form()],
    least: Annotated[str, Form()],
    language: Annotated[str, Form()],
    rules: Annotated[list[str] | None, Form()] = None,
    url: Annotated[str, Form()] = "",
    secret: Annotated[str, Form()] = "",
    host: Annotated[str, Form()] = "",
    port: Annotated[int, Form()] = 25,
    tls: Annotated[str, Form()] = "none",
    user: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    sender: Annotated[str, Form()] = "",
    to: Annotated[str, Form()] = "",
    link: Annotated[str, Form()] = "",
) -> Response:
    """Make or change a channel; secrets are never shown again and never written to the audit."""
    visitor.need(Permission.ADMIN)
    people = tuple(one for part in to.replace(";", ",").split(",") if (one := part.strip()))
    channel = Channel(
        name.strip(), kind, language, url.strip(), secret.strip(), host.strip(), port, tls,
        user.strip(), password, sender.strip(), people, link.strip(),
    )  # fmt: skip
    target = Target(channel.id, least, tuple(one for one in rules or () if one))
    rows = await alert_notices.channels(console.pool)
    old = next((one for one in rows if one.channel.id == channel.id), None)
    known = old is not None and old.channel.kind == kind
    if problem_of(channel, target, known=known):
        return back("channels", "channel")
    try:
        channel = console.channel_secrets.seal(channel)
    except ConfigurationError:
        return back("channels", "secret")
    now = console.now()
    async with console.transaction() as connection:
        if not known:
            # Another kind of channel must not inherit an address or a secret.
            await alert_notices.remove(connection, channel.id)
        await alert_notices.keep(connection, channel, target, by=visitor.account.id, now=now)
        await acts.by(
            connection, visitor, "alert_channel_kept", now=now, target=channel.id, kind=kind,
            least=least, rules=target.rules, new_secret=bool(secret or password or url),
        )  # fmt: skip
    return back("channels")


@router.post("/alerts/channels/{name}/test")
async def test(name: str, console: Here, visitor: Checked) -> Response:
    """Really send a message, now."""
    visitor.need(Permission.ADMIN)
    rows = await alert_notices.channels(console.pool)
    found = next((row.channel for row in rows if row.channel.id == name), None)
    if found is None:
        return back("channels", "channel")
    now = console.now()
    words = trial(visitor.account.name, from_epoch_ms(now))
    async with console.transaction() as connection:
        (number,) = await alert_notices.post(
            connection, None, words, [name], now=now, due=now + _LEASE_MS
        )
        await acts.by(connection, visitor, "alert_channel_tested", now=now, target=name)
    try:
        await messengers.send(console.channel_secrets.open(found), words, now=now)
    except NotSentError as error:
        await alert_notices.give_up(console.pool, number, str(error), console.now())
        return back("now", "not_sent")
    await alert_notices.sent(console.pool, number, console.now())
    return back("now", "sent")


@router.post("/alerts/channels/{name}/{act}")
async def switch(name: str, act: str, console: Here, visitor: Checked) -> Response:
    """Turn a channel on or off, or remove it."""
    visitor.need(Permission.ADMIN)
    if act not in {"on", "off", "remove"}:
        return back("channels", "channel")
    now = console.now()
    async with console.transaction() as connection:
        if act == "remove":
            await alert_notices.remove(connection, name)
        else:
            await alert_notices.switch(connection, name, on=act == "on", now=now)
        await acts.by(connection, visitor, f"alert_channel_{act}", now=now, target=name)
    return back("channels")


@router.post("/alerts/rules/{name}")
async def rule(
    name: str,
    console: Here,
    visitor: Checked,
    severity: Annotated[str, Form()],
    lasting: Annotated[int, Form()],
    per_hour: Annotated[int, Form()],
    again: Annotated[int, Form()],
    who: Annotated[str, Form()] = "",
    resolve: Annotated[str, Form()] = "",
    enabled: Annotated[str, Form()] = "",
) -> Response:
    """Change a rule; spans are seconds."""
    visitor.need(Permission.ADMIN)
    only = tuple(one for part in who.split(",") if (one := part.strip()))
    spans = all(0 <= one <= _LONGEST for one in (lasting, again))
    if name not in shipped() or severity not in SEVERITIES or not spans or per_hour < 1:
        return back("rules", "rule")
    change = Change(severity, lasting, per_hour, again, bool(resolve), only, not enabled)
    now = console.now()
    async with console.transaction() as connection:
        before = (await alerts.changes(connection)).get(name)
        await alerts.change(connection, name, change, by=visitor.account.id, now=now)
        await acts.by(
            connection, visitor, "alert_rule_changed", now=now, target=name,
            before=repr(before), after=repr(change),
        )  # fmt: skip
    return back("rules")
