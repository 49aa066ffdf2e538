"""``hub trace``: one matter hop by hop, with the reason of each step."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.languages import both, text
from hub.cli.loops import run
from hub.cli.output import json_document, line
from hub.kernel.errors import HubError

REF = both(
    "转介、事件、事项、个案、任务或死信的编号",
    "id of a referral, event, matter, case, task or dead letter",
)


def command(
    ref: Annotated[str, typer.Argument(help=REF)],
    as_json: Annotated[
        bool, typer.Option("--json", help=both("以 JSON 输出", "print JSON"))
    ] = False,
) -> None:
    """追踪一件事:每一步及其理由,不含姓名与证件号 · One matter, every hop and why."""
    found = run(_trace(ref))
    if as_json:
        json_document(found)
        return
    for row in found["referrals"]:
        state = " ".join(filter(None, (_one(row["state_name"]), _one(row["stop_name"]))))
        line(f"{_one(row['program_name'])}({_one(row['subject'])}) {state}  {row['id']}")
    for row in found["work"]:
        line(f"{_one(row['kind_name'])} {row['state']}  {row['id']}")
    for hop in found["hops"]:
        _show(hop)


def _show(hop: dict[str, Any]) -> None:
    result = f" [{_one(hop['result'])}]" if "result" in hop else ""
    line(f"{hop['time']}  {_one(hop['stage_name'])}  {_one(hop['title'])}{result}")
    for why in hop.get("because", ()):
        line(f"{'':21}{why['rule']} {why['version']} {_one(why['sentence'])}".rstrip())
    if "fields" in hop:
        names = "、".join(_one(field["name"]) for field in hop["fields"]) or "–"
        line(f"{'':21}{text('离开枢纽的字段', 'fields that left')}: {names}")
    for entry in hop.get("denied", ()):
        line(f"{'':21}{text('未转发', 'not forwarded')}: {_one(entry['names'])} {entry['code']}")
    line(f"{'':21}{' · '.join(filter(None, (hop.get('place'), hop.get('reason'), hop['id'])))}")


def _one(label: dict[str, str]) -> str:
    return text(label["zh"], label["en"])


async def _trace(ref: str) -> dict[str, Any]:
    from hub.cli.addresses import addresses
    from hub.kernel.clocks import clock_from, epoch_ms
    from hub.kernel.settings import settings
    from hub.sdk.manifests import load_manifests
    from hub.sdk.profiles import load_profile
    from hub.store.connections import pool
    from hub.tracking.matters import Source, trace

    chosen = settings()
    clock = clock_from(chosen.clock, synthetic_people=chosen.synthetic_people)
    places = addresses(chosen)
    opened = await pool(places.database, size=1)
    try:
        source = Source(
            opened,
            load_manifests(chosen),
            load_profile(chosen.profile, chosen.profiles_dir),
            epoch_ms(clock.now()),
            places.kafka,
            chosen.topic_prefix,
        )
        found = await trace(source, ref)
    finally:
        await opened.close()
    if found is None:
        raise HubError(
            f"Nothing is on record about {ref}.",
            hint="Give the whole id of a referral, event, matter, case, task or dead letter.",
            message_zh=f"没有关于 {ref} 的记录;请给出完整编号。",
        )
    return found
