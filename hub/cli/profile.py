"""``hub profile``: check a jurisdiction's rules, list them, explain one of them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer

from hub.cli.languages import both
from hub.cli.output import json_document, line, say, table
from hub.contracts.catalogues import catalogue
from hub.kernel.dates import days, days_of
from hub.kernel.errors import ConfigurationError
from hub.kernel.settings import Settings, settings
from hub.rosters.rows import columns
from hub.routing.receivers import Receivers
from hub.routing.tells import Tells
from hub.sdk.profiles import Profile, Rule, load_profile, places

app = typer.Typer(
    help="地区配置:检查、列出、说明 · Jurisdiction profile: check, list, explain",
    no_args_is_help=True,
    add_completion=False,
)
Json = Annotated[bool, typer.Option("--json", help="输出 JSON · JSON output")]
Place = Annotated[str, typer.Argument(help="地区 · Place; default HUB_PROFILE")]


@app.command("check")
def check(place: Place = "") -> None:
    """检查规则:文件、日期、条件、名册列 · Check documents, dates, conditions, columns."""
    chosen = settings()
    names = [place] if place else places(chosen.profiles_dir)
    for name in names:
        profile = load_profile(name, chosen.profiles_dir)
        for rule in profile.rosters:
            columns(rule.id, rule.recipient, rule.columns)
        agreed = _agreements(chosen.model_copy(update={"profile": name}))
        count = len(profile.rules.every())
        say(
            f"{profile.head.zh} {profile.version}:{count} 条规则,均有文件和日期;{agreed} 份协议。",
            f"{profile.head.en} {profile.version}: {count} rules, each with document and dates; "
            f"{agreed} agreements.",
        )


def _agreements(chosen: Settings) -> int:
    """Load and compile every program's agreement and filters; returns how many there are.

    Raises:
        ConfigurationError: one is wrong.
    """
    from hub.runtime.wiring import agreements, value_lists

    agreed = agreements(chosen)
    Tells(Receivers(agreed, catalogue(), lists=value_lists(chosen, agreed)))
    return len(agreed)


@app.command("show")
def show(
    place: Place = "",
    on: Annotated[str, typer.Option(help="日期 · Day, e.g. 2025-04-01")] = "",
    *,
    as_json: Json = False,
) -> None:
    """列出某日有效的规则 · List the rules in force on a day."""
    profile = _profile(place)
    day = days(on) if on else days_of(date.today())  # noqa: DTZ011 - a civil date for people
    rules = profile.on(day).every()
    if as_json:
        json_document([rule.model_dump(mode="json") for rule in rules])
        return
    heads = [("规则", "rule"), ("说明", "what it does"), ("文号", "document"), ("自", "from")]
    table(
        heads,
        [
            (rule.id, both(rule.zh, rule.en), rule.document.number, rule.effective_from)
            for rule in rules
        ],
        title=(f"{profile.head.zh} {profile.version}", f"{profile.head.en} {profile.version}"),
    )


@app.command("explain")
def explain(
    rule_id: Annotated[str, typer.Argument(help="规则编号 · Rule id, e.g. RG-15.education-aid")],
    place: Annotated[str, typer.Option(help="地区 · Place")] = "",
    *,
    as_json: Json = False,
) -> None:
    """说明一条规则:内容、文件、生效日期 · What a rule does, its document and dates."""
    profile = _profile(place)
    rule = profile.rule(rule_id)
    if rule is None:
        near = ", ".join(r.id for r in profile.rules.every() if r.id.startswith(rule_id[:5]))
        raise ConfigurationError(
            f"There is no rule {rule_id!r} in {profile.place}.",
            hint=f"Near it: {near}." if near else "'hub profile show' lists them.",
            message_zh=f"{profile.head.zh}没有规则 {rule_id}。",
        )
    if as_json:
        json_document(rule.model_dump(mode="json"))
        return
    _explained(rule)


def _explained(rule: Rule) -> None:
    say(f"{rule.id}:{rule.zh}", f"{rule.id}: {rule.en}")
    document = rule.document
    say(
        f"文件:{document.title}({document.number},{document.date})",
        f"Document: {document.title} ({document.number}, {document.date})",
    )
    until = rule.effective_to
    say(
        f"生效:{rule.effective_from} 至 {until or '今'}",
        f"In force: {rule.effective_from} to {until or 'now'}",
    )
    own: dict[str, Any] = rule.model_dump(mode="json", exclude=set(Rule.model_fields))
    for name, value in own.items():
        if value not in (None, "", [], {}):
            line(f"  {name}: {value}")


def _profile(place: str) -> Profile:
    chosen = settings()
    return load_profile(place or chosen.profile, chosen.profiles_dir)
