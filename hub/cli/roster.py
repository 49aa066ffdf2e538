"""``hub roster``: load who is on roll when the hub starts, and look at the recipients' rosters."""

from __future__ import annotations

from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from hub.cli.loops import run
from hub.cli.output import json_document, line, moment, say, table
from hub.cli.roster_files import read
from hub.kernel.errors import HubError
from hub.kernel.settings import settings
from hub.model.openings import OpeningRow

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
    """装载期初名册:只记录,不产生任何转介或通知 · Load the opening balance; nothing is sent."""
    from hub.intake.people import People
    from hub.kernel.person_keys import UidKey
    from hub.kernel.secrets import Secrets

    chosen = settings()
    key = UidKey(Secrets.load(chosen, ("k_uid",)).k_uid)
    rows, failures = read(file, People(key, synthetic=chosen.synthetic_people))
    for number, failure in failures:
        line(f"{file.name}:{number} {failure.code} {failure.field}")
    if failures:
        raise HubError(
            f"{len(failures)} lines cannot be used; nothing was loaded.",
            hint="Correct them and load the file again.",
            message_zh=f"{len(failures)} 行无法使用,未装载任何内容;请更正后重新装载。",
        )
    if not dry_run:
        run(_load(rows, file.name))
    homes = len({row.household for row in rows})
    done = ("已检查", "checked") if dry_run else ("已装载", "loaded")
    say(
        f"{done[0]} {homes} 户 {len(rows)} 人。",
        f"{done[1]}: {homes} households, {len(rows)} people.",
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


async def _load(rows: list[OpeningRow], name: str) -> None:
    from hub.cli.stores import store
    from hub.runtime.openings import load_opening
    from hub.sdk.profiles import load_profile

    chosen = settings()
    profile = load_profile(chosen.profile, chosen.profiles_dir)
    async with store() as (connection, now):
        await load_opening(connection, rows, profile, now=now, actor=getuser(), name=name)


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
