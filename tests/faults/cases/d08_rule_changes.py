"""D08: rules and subscriptions change while events are in flight; then everything is replayed."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.environments import PROFILE
from tests.faults.harness.operators import SECOND, asked, operate, signed
from tests.faults.harness.recoveries import rested
from tests.faults.harness.sites import Site
from tests.faults.harness.tools import end_load

CASE = Case(
    "D08",
    "事件在途时更改规则与订阅;按新规则重放",
    "Rules and subscriptions change in flight; replay under the new ones",
    quick=Scale(seconds=4, load=Load(60, mix="referrals"), recovery=60),
    full=Scale("full", seconds=60, load=Load(200), recovery=120),
    sabotages=("mask_open",),
)
_SINCE = "2000-01-01"
_COUNTS = (
    "SELECT json_build_object('referrals', (SELECT count(*) FROM referral),"
    " 'copies', (SELECT count(*) FROM delivery), 'outbox', (SELECT count(*) FROM outbox))::text"
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """A new version, workers one after the other; the shadow, then the replay itself."""
    await asyncio.sleep(dice.uniform(0.5, 1) * scale.seconds)
    version = _changed(site)
    site.tell(f"规则版本 · rules are now {version}")
    for worker in site.workers:
        worker.kill()
        await asyncio.sleep(scale.seconds)
    await asyncio.sleep(scale.seconds)
    await end_load(site)
    await rested(site)
    before = await site.query(_COUNTS)
    shadow = await asked(site, "replay", "--since", _SINCE)
    _told(site, shadow, version)
    if before != await site.query(_COUNTS):
        site.broken.append("the shadow of a replay had an effect")
    await _replayed(site)
    await rested(site)
    if before != (after := await site.query(_COUNTS)):
        site.broken.append(f"a replay sent again: {before} became {after}")


def _changed(site: Site) -> str:
    """Another version of the rules, and a program that asks for one more kind of event."""
    folder = site.folder / "profiles" / PROFILE
    profile, program = folder / "profile.yaml", folder / "programs" / "medical-aid.yaml"
    text = profile.read_text(encoding="utf-8")
    profile.write_text(text.replace('"2025.1"', '"2025.2"'), encoding="utf-8")
    more = "  - types: [education.left]\n"
    program.write_text(program.read_text(encoding="utf-8").rstrip() + f"\n{more}", encoding="utf-8")
    return "2025.2"


def _told(site: Site, shadow: dict[str, Any], version: str) -> None:
    site.notes["shadow"] = {name: shadow[name] for name in ("events", "then", "version")}
    if version not in str(shadow["version"]):
        site.broken.append(f"the shadow is of the rules {shadow['version']}")
    changed = {
        name: (len(row["gains"]), len(row["loses"]))
        for name, row in shadow["programs"].items()
        if row["gains"] or row["loses"]
    }
    if changed:
        site.broken.append(f"the shadow finds other referrals: {changed}")


async def _replayed(site: Site) -> None:
    """Asked for by one person, approved by another, run."""
    told = await operate(
        site,
        *("replay", "--since", _SINCE, "--apply", "--json"),
        *("--as", "duty.one", "--reason", "fault case"),
    )
    name = told.partition('"operation": "')[2].partition('"')[0]
    if not name:
        site.broken.append(f"no operation: {told[-300:]}")
        return
    await operate(site, "approvals", "approve", name, "--as", SECOND, "--reason", "fault case")
    site.notes["replayed"] = (await signed(site, "replay", "--operation", name)).strip()
