"""F03: a death at every step between read and acknowledgement, one after another."""

from __future__ import annotations

import asyncio
import random

from tests.faults.harness.children import Child
from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.sites import Site

SETTLED = "batch.committed"
WORKER = (
    *("intake.polled", "intake.produced", "intake.dead", "claim.epoch", "claim.seek"),
    *("batch.polled", "batch.decoded", "batch.begin", "batch.claim", "batch.seen"),
    *("batch.state", "batch.referral", "batch.timer", "batch.outbox", "batch.audit"),
    *("batch.commit", SETTLED, "relay.claimed", "relay.produced", "relay.marked"),
    *("hook.before", "hook.sent", "hook.ok"),
)
CONNECTOR = ("src.read", "src.published", "src.cursor")
TIMERS = ("timer.claimed", "timer.fired")
_CUTS = ("batch.commit:2:cut-before", "batch.commit:3:cut-after")
_OFTEN = ("batch.", "intake.polled", "intake.produced")
_HIT_SECONDS = 30.0

CASE = Case(
    "F03",
    "每个失效点各死一次",
    "A death at each failpoint, one after another",
    quick=Scale(rounds=1, load=Load(80), recovery=45),
    full=Scale("full", rounds=20, load=Load(200), recovery=60),
    ci=True,
    connectors=("civil-affairs", "hrss", "medical-insurance"),
    webhooks=("employment-aid",),
    sabotages=("ack_before_send",),
)


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Let each worker walk through half of the points, and a connector through its own."""
    for _ in range(scale.rounds):
        points = list(WORKER)
        dice.shuffle(points)
        half = len(points) // 2
        await asyncio.gather(
            _walk(site, site.workers[0], points[:half], dice),
            _walk(site, site.workers[1], points[half:], dice),
            _walk(site, site.connectors["civil-affairs"], list(CONNECTOR), dice),
        )
        await _cut(site)
        await _timers(site)


async def _walk(site: Site, child: Child, points: list[str], dice: random.Random) -> None:
    """One life for each point; the next one begins armed."""
    for point in points:
        before = site.hits(point)
        hit = dice.randint(1, 4) if point.startswith(_OFTEN) and point != "batch.referral" else 1
        child.lives.append({"HUB_FAILPOINTS": f"{point}:{hit}"})
        if point == points[0]:
            child.kill()
        took = await site.until(
            lambda point=point, before=before: site.hits(point) > before,
            _HIT_SECONDS,
            f"{child.name} passes {point}",
        )
        site.tell(f"{child.name} {point}:{hit} {took:.1f} s")
        if took < 0:
            child.kill()


async def _cut(site: Site) -> None:
    """COMMIT cut off before and after the server carried it out; nobody dies of it."""
    for worker, point in zip(site.workers, _CUTS, strict=True):
        worker.lives.append({"HUB_FAILPOINTS": point})
        worker.kill()
    took = await site.until(
        lambda: site.hits("batch.commit") >= len(_CUTS) + 1, _HIT_SECONDS, "two cut commits"
    )
    site.tell(f"COMMIT 两种切断 · cut both ways {took:.1f} s")


async def _timers(site: Site) -> None:
    """Timers are fired by one worker at a time, so both are armed."""
    for number, point in enumerate(TIMERS):
        before = site.hits(point)
        for worker in site.workers:
            worker.lives.append({"HUB_FAILPOINTS": f"{point}:1"})
            worker.kill()
        await site.query(
            "INSERT INTO timer (key, due_at, kind, payload, cause, correlation, jurisdiction)"
            " VALUES ($1, 0, 'decision_overdue', '{\"decision_id\": \"nobody\"}', '', '', '')",
            f"faults-{before}-{number}",
        )
        took = await site.until(
            lambda point=point, before=before: site.hits(point) > before, _HIT_SECONDS, point
        )
        site.tell(f"{point} {took:.1f} s")
    for worker in site.workers:
        worker.kill()
