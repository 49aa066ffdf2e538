"""``hub offsets``: where the hub stands in each partition; hold, move and let go a claim."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.languages import both
from hub.cli.loops import run
from hub.cli.operators import APPLY, JSON, REASON, AsPerson, Desk, desk, person, wired
from hub.cli.output import json_document, moment, say, table
from hub.kernel.errors import HubError

app = typer.Typer(
    no_args_is_help=True,
    help=both("位移:查看、扣住、移动、放开", "Offsets: show, hold, move, let go"),
)
WHERE = both("主题,或 主题/分区,如 event.health/2", "topic or topic/partition, e.g. event.health/2")
TO = both(
    "earliest、latest、时刻、位移、增减量(+100/-100)或 CSV 文件(topic,partition,offset)",
    "earliest, latest, an instant, an offset, a shift (+100/-100), or a CSV file",
)
Where = Annotated[str, typer.Argument(help=WHERE)]
Who = Annotated[str | None, AsPerson]
Why = Annotated[str | None, typer.Option(help=REASON)]


@app.command("show", help=both("各分区处理到哪里", "How far each partition was worked"))
def show(
    where: Annotated[str | None, typer.Argument(help=WHERE)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False,
) -> None:
    """Show claims with what the log keeps."""
    rows = run(_show(where))
    if as_json:
        json_document(rows)
        return
    heads = [("主题", "topic"), ("分区", "partition"), ("下一位移", "next"), ("日志起", "first")]
    heads += [("日志止", "end"), ("积压", "lag"), ("代次", "epoch"), ("扣住人", "held by")]
    heads += [("最近提交", "committed")]
    names = ("topic", "part", "next_offset", "first", "end", "lag", "epoch", "held_by")
    cells = [(*(row[n] for n in names), moment(row["committed_at"])) for row in rows]
    table(heads, cells, right=(1, 2, 3, 4, 5, 6))


@app.command("hold", help=both("扣住分区:工作进程停手", "Hold partitions: workers let go of them"))
def hold(where: Where, who: Who = None, reason: Why = None) -> None:
    """Hold partitions."""
    found = run(_held(where, *person(who, reason), held=True))
    say(f"已扣住 {', '.join(found)}", f"held: {', '.join(found)}")


@app.command("release", help=both("放开分区:工作进程继续", "Let partitions go: workers go on"))
def release(where: Where, who: Who = None, reason: Why = None) -> None:
    """Let partitions go."""
    found = run(_held(where, *person(who, reason), held=False))
    say(f"已放开 {', '.join(found)}", f"let go: {', '.join(found)}")


@app.command(
    "move", help=both("移动扣住的分区;默认只演示", "Move held partitions; a dry run first")
)
def move(
    where: Where,
    to: Annotated[str, typer.Option(help=TO)],
    apply: Annotated[bool, typer.Option("--apply", help=APPLY)] = False,
    who: Who = None,
    reason: Why = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False,
) -> None:
    """Move claims, or show what that would do."""
    lines = _lines(to) if to.endswith(".csv") else None
    rows = run(_move(where, to, lines, person(who, reason) if apply else None))
    if as_json:
        json_document(rows)
        return
    heads = [("主题", "topic"), ("分区", "partition"), ("原位移", "old"), ("新位移", "new")]
    heads += [("其间记录", "records"), ("已见,无影响", "already seen, no effect")]
    heads += [("未见", "not seen"), ("已丢失", "lost"), ("转死信", "dead letters")]
    names = ("topic", "part", "old", "new", "records", "seen", "unseen", "lost", "skipped")
    table(heads, [tuple(row[n] for n in names) for row in rows], right=range(1, 9))
    if any(row["remade"] for row in rows):
        say(
            "主题已被重建:原有记录无从读取,现有记录均未处理。",
            "the topic was made again: former records are gone, none of the present was worked",
        )
    if not apply:
        say(
            "演示,未移动。先 hub offsets hold,再加 --apply --as 账号 --reason 理由。",
            "dry run; hold first, then --apply --as NAME --reason TEXT",
        )


def _lines(name: str) -> list[str]:
    try:
        return Path(name).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise HubError(
            f"{name} cannot be read: {type(error).__name__}.",
            message_zh=f"无法读取 {name}:{type(error).__name__}。",
        ) from error


async def _claims(at: Desk, where: str | None) -> list[Any]:
    from hub.store import holds

    if where is None:
        return await holds.listed(at.connection)
    topic, _, part = where.partition("/")
    found = await holds.listed(at.connection, at.settings.wire(at.settings.plain(topic)))
    if part:
        found = [one for one in found if str(one.part) == part]
    if not found:
        raise HubError(
            f"There is no claim on {where}.",
            hint="'hub offsets show' lists them.",
            message_zh=f"没有 {where} 的处理记录;用 hub offsets show 查看。",
        )
    return found


async def _show(where: str | None) -> list[dict[str, Any]]:
    import msgspec

    async with desk() as at:
        rows = []
        for claim in await _claims(at, where):
            first, last = await at.log.bounds(claim.topic, claim.part)
            known = {"first": first, "end": last, "lag": max(0, last - claim.next_offset)}
            rows.append(msgspec.structs.asdict(claim) | known)
        return rows


async def _held(where: str, who: str, reason: str, *, held: bool) -> list[str]:
    from hub.store import audit, holds

    async with desk() as at, at.connection.transaction():
        places = [claim.place for claim in await _claims(at, where)]
        if held:
            found = await holds.hold(at.connection, places, person=who, now=at.now)
        else:
            found = await holds.release(at.connection, places)
        names = [f"{claim.topic}/{claim.part}" for claim in found]
        if not found:
            raise HubError(
                f"{where} is {'held already' if held else 'not held'}.",
                message_zh=f"{where} {'已被扣住' if held else '未被扣住'}。",
            )
        doc = {"partitions": names, "reason": reason}
        kind = "offsets.held" if held else "offsets.released"
        await audit.act(at.connection, kind, who, doc, now=at.now)
    return names


async def _move(
    where: str, to: str, lines: list[str] | None, act: tuple[str, str] | None
) -> list[dict[str, Any]]:
    from hub.runtime.offset_moves import OffsetMoves

    async with desk() as at:
        moves = OffsetMoves(
            at.connection, at.log, at.settings, wired(at.settings), lambda: at.now, _progress
        )
        words = await _words(at, where, to, lines)
        plans = [await moves.plan(claim, word) for claim, word in words]
        rows = [_row(plan) for plan in plans]
        if act is not None:
            for plan, row in zip(plans, rows, strict=True):
                row["skipped"] = await moves.apply(plan, person=act[0], reason=act[1])
        return rows


async def _words(at: Desk, where: str, to: str, lines: list[str] | None) -> list[tuple[Any, str]]:
    from hub.runtime.offset_targets import from_csv

    claims = await _claims(at, where)
    if lines is None:
        return [(claim, to) for claim in claims]
    words = {
        (at.settings.wire(at.settings.plain(topic)), part): word
        for (topic, part), word in from_csv(lines).items()
    }
    return [(claim, words[claim.place]) for claim in claims if claim.place in words]


def _row(plan: Any) -> dict[str, Any]:
    lost = plan.lost
    return {
        "topic": plan.claim.topic,
        "part": plan.claim.part,
        "old": plan.claim.next_offset,
        "new": plan.new,
        "records": plan.records,
        "seen": plan.seen,
        "unseen": plan.unseen,
        "lost": f"{lost[0]}..{lost[1] - 1}" if lost else "",
        "remade": plan.remade,
        "held_by": plan.claim.held_by,
        "skipped": plan.unseen if plan.is_forward else 0,
    }


def _progress(count: int) -> None:
    if count % 10_000 == 0:
        sys.stderr.write(f"{count}\n")
