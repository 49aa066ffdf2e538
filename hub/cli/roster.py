"""``hub roster``: load who is on roll when the hub starts, and look at the recipients' rosters."""

from __future__ import annotations

from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from hub.cli.loops import run
from hub.cli.output import json_document, line, moment, say, table
from hub.cli.progress_lines import Progress
from hub.cli.roster_files import RosterFile
from hub.kernel.errors import HubError
from hub.kernel.settings import settings

app = typer.Typer(
    help="救助对象名册:期初装载、查看快照 · Rosters: opening balance, snapshots",
    no_args_is_help=True,
    add_completion=False,
)
Json = Annotated[bool, typer.Option("--json", help="输出 JSON · JSON output")]


@app.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="在保人员名册,UTF-8 CSV · CSV of people on roll")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只检查,不装载 · Only check the file")
    ] = False,
) -> None:
    """装载期初名册:只记录,不产生任何转介或通知 · Load the opening balance; nothing is sent.

    先检查整个文件,有一行不能用就什么也不装载;然后逐户装载,每 200 户提交一次。
    行可以是任意顺序,同一户的行也可以分开。文件再大,内存也不增加;临时文件只存家庭编号与位置。
    中断后用同一文件再次运行,从停下的地方继续,不会重复。

    The whole file is checked first; one line that cannot be used, and nothing is loaded. Then it
    is loaded by household, 200 in each transaction. Rows may stand in any order, those of one
    household apart. Memory does not grow with the file; temporary files hold household ids and
    places only. After a stop, run the same file again: it goes on where it stopped.
    """
    from hub.intake.people import People
    from hub.kernel.person_keys import UidKey
    from hub.kernel.secrets import Secrets

    chosen = settings()
    key = UidKey(Secrets.load(chosen, ("k_uid",)).k_uid)
    with RosterFile(file, People(key, synthetic=chosen.synthetic_people)) as roster:
        _check(roster)
        if not dry_run:
            run(_load(roster))
        homes = sum(1 for _ in roster.places.households())
    done = ("已检查", "checked") if dry_run else ("已装载", "loaded")
    say(
        f"{done[0]} {homes} 户 {roster.places.count} 人。",
        f"{done[1]}: {homes} households, {roster.places.count} people.",
    )


@app.command("show")
def show(
    recipient: Annotated[str, typer.Argument(help="接收方,如 education · Recipient")] = "",
    *,
    as_json: Json = False,
) -> None:
    """各接收方名册行数与快照 · Rows and snapshots of each recipient."""
    found = run(_shown(recipient))
    if as_json:
        json_document(found)
        return
    heads = [
        ("接收方", "recipient"),
        ("期间", "period"),
        ("行数", "rows"),
        ("状态", "state"),
        ("发送", "sent"),
    ]
    table(
        heads,
        [(r["recipient"], r["period"], r["rows"], r["state"], moment(r["sent_at"])) for r in found],
        right=(2,),
    )


def _check(roster: RosterFile) -> None:
    progress = Progress("已检查", "checked")
    failures = 0
    for number, failure in roster.check(
        lambda people, offset: progress.tell(people, offset, roster.size)
    ):
        line(f"{roster.path.name}:{number} {failure.code} {failure.field}")
        failures += 1
    progress.end()
    if failures:
        raise HubError(
            f"{failures} lines cannot be used; nothing was loaded.",
            hint="Correct them and load the file again.",
            message_zh=f"{failures} 行无法使用,未装载任何内容;请更正后重新装载。",
        )


async def _load(roster: RosterFile) -> None:
    from hub.cli.stores import store
    from hub.runtime.openings import load_opening, matter_of
    from hub.sdk.profiles import load_profile
    from hub.store.openings import through

    chosen = settings()
    profile = load_profile(chosen.profile, chosen.profiles_dir)
    matter = matter_of(roster.digest, profile)
    async with store() as (connection, now):
        start = await through(connection, matter)
        before = roster.places.people(start)
        if start:
            say(
                f"此前已装载 {start} 户 {before} 人,继续装载其余部分。",
                f"loaded before: {start} households, {before} people; going on with the others.",
            )
        progress, done = Progress("已装载", "loaded"), 0

        def told(_households: int, people: int) -> None:
            nonlocal done
            done += people
            progress.tell(done, done, roster.places.count - before)

        await load_opening(
            connection,
            roster.households(start),
            profile,
            now=now,
            actor=getuser(),
            name=roster.path.name,
            matter=matter,
            start=start,
            told=told,
        )
        progress.end()


async def _shown(recipient: str) -> list[dict[str, Any]]:
    from hub.cli.stores import store

    async with store() as (connection, _):
        rows = await connection.fetch(
            "SELECT recipient, count(*) FILTER (WHERE present) AS rows FROM roster_row"
            " WHERE $1 = '' OR recipient = $1 GROUP BY recipient ORDER BY recipient",
            recipient,
        )
        snapshots = await connection.fetch(
            "SELECT recipient, fields::text FROM roster_row WHERE row_key LIKE 'snapshot:%'"
            " AND ($1 = '' OR recipient = $1) ORDER BY recipient, row_key",
            recipient,
        )
    found = [
        {"recipient": r["recipient"], "period": "", "rows": r["rows"], "state": "", "sent_at": None}
        for r in rows
    ]
    for entry in snapshots:
        told = msgspec.json.decode(entry["fields"])["snapshot"]
        found.append(
            {"recipient": entry["recipient"]}
            | {name: told[name] for name in ("period", "rows", "state", "sent_at")}
        )
    return sorted(found, key=lambda r: (r["recipient"], r["period"]))
