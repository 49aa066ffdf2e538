from __future__ import annotations

import time
from dataclasses import replace

import pytest
import rigs
from msgspec.structs import replace as changed
from rigs import event, wiring

from hub.kernel.errors import HubError
from hub.model.decisions import Decision, Deliver
from hub.runtime.originals import log
from hub.runtime.replays import Range, Replayer
from hub.store import operations

COPIES = "SELECT count(*) FROM delivery"
SEEN = "SELECT count(*) FROM seen_event"


@pytest.fixture
async def replayer(rig):
    async with log(rig.settings.kafka) as reader:

        def make(rules=None, version="v1"):
            return Replayer(
                rig.db,
                reader,
                rig.settings,
                rules or wiring(),
                version,
                lambda: time.time_ns() // 1_000_000,
            )

        yield make


def also_beta():
    """New rules: beta is told of what alpha was, and alpha's referral of record 3 is to be ended."""

    def more(state, event, ctx):
        mine = state.referrals[f"r-{event.event_id}"]
        beta = changed(mine, id=f"b-{event.event_id}", program="beta")
        told = [
            Deliver(
                "beta",
                "referral.created",
                event.event_id,
                rigs.WHY,
                uid=event.uid,
                referral_id=beta.id,
            )
        ]
        rows = [beta]
        if event.source_record_key.endswith("-3"):
            told.append(rigs._tell(event, "referral.review_requested"))
            rows.append(changed(mine, stop_state="review"))
        return Decision(tuple(rows), tuple(told), (changed(rigs.WHY, version="v2"),))

    def copies(deliver, ctx):
        (row,) = rigs.copies(deliver, ctx)
        if deliver.program == "beta":
            row = changed(row, copy_id=row.copy_id[:-4] + "beef", topic="program.beta.inbox")
        return [row]

    old = wiring()
    rows = (old.rows[0], rigs.Row("event.*", rigs.DECIDE, "health.*", (rigs.decide, more)))
    return replace(old, rows=rows, copies=copies)


async def state_of(rig):
    tables = (
        "seen_event",
        "referral",
        "person",
        "outbox",
        "delivery",
        "timer",
        "audit",
        "dead_letter",
    )
    digest = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t"
    return [await rig.db.fetchval(digest.format(table)) for table in tables]


async def worked(rig, *events, copies):
    async with rig.worker():
        await rig.send(*events)
        await rig.until(COPIES, copies)
        await rig.until("SELECT count(*) FROM outbox", 0)


async def test_a_shadow_under_the_same_rules_changes_nothing_and_sends_nothing(rig, replayer):
    await worked(rig, *(event(n) for n in range(250)), copies=250)
    before = await state_of(rig)
    diff = await replayer().shadow(Range(topic="event.health"))
    assert (diff.events, diff.undecided, diff.sent_already, diff.programs) == (250, 0, 250, {})
    assert await state_of(rig) == before


async def test_a_shadow_under_new_rules_tells_who_gains_and_who_loses(rig, replayer):
    await worked(rig, *(event(n) for n in range(5)), event(6, "bad"), copies=5)
    diff = await replayer(also_beta(), "v2").shadow(Range(since=0))
    assert diff.programs["beta"].gains == {f"b-{event(n).event_id}" for n in range(5)}
    assert diff.programs["alpha"].loses == {f"r-{event(3).event_id}"}
    assert (diff.programs["alpha"].gains, diff.sent_already) == (set(), 5)
    assert (dict(diff.fails), diff.passes) == ({"E-DATE": 1}, 0)
    found = diff.document()
    assert found["version"] == "v2"


async def test_a_replay_of_decided_events_takes_two_persons_and_sends_nothing_a_second_time(
    rig, replayer
):
    await worked(rig, *(event(n) for n in range(5)), copies=5)
    new = replayer(also_beta(), "v2")
    diff = await new.shadow(Range(type="health.hospitalized"))
    operation = await new.ask(diff, person="li", reason="new rule", spec={}, rate=1000)
    assert operation.state == "asked"
    with pytest.raises(HubError, match="approve it first"):
        await new.run(operation, "li")
    await operations.judge(rig.db, operation, "wang", approved=True, reason="seen", now=1)
    with pytest.raises(HubError, match="rules have changed"):
        await replayer(also_beta(), "v3").run(operation, "li")
    done = await new.run(operation, "li")
    assert (done.state, done.done) == ("done", 5)
    async with rig.worker(("deliver",)):
        await rig.until("SELECT count(*) FROM delivery", 11)
    again = await rig.db.fetchval("SELECT count(*) - count(DISTINCT copy_id) FROM delivery")
    referrals = await rig.db.fetchval(
        "SELECT count(*) FROM delivery WHERE subscription = 'alpha' AND type = 'referral.created'"
    )
    assert (again, referrals, await rig.db.fetchval(SEEN)) == (0, 5, 5)
    assert (await new.shadow(Range(since=0))).programs == {}


async def test_one_event_that_was_never_decided_is_replayed_by_one_person(rig, replayer):
    await worked(rig, event(1), copies=1)
    await rig.send(event(2))
    one = replayer()
    diff = await one.shadow(Range(undecided=True))
    assert (diff.events, diff.undecided, len(diff.programs["alpha"].gains)) == (1, 1, 1)
    operation = await one.ask(diff, person="li", reason="was skipped", spec={}, rate=1000)
    assert not operation.two_persons
    assert (await one.run(operation, "li")).done == 1
    assert await rig.db.fetchval(SEEN) == 2
    # The worker meets it as a repeat.
    async with rig.worker():
        await rig.until(
            "SELECT sum(next_offset) FROM partition_claim WHERE topic LIKE '%health'", 2
        )
        await rig.until("SELECT count(*) FROM outbox", 0)
    assert await rig.db.fetchval(COPIES) == 2
    assert await rig.db.fetchval("SELECT count(*) FROM referral") == 2


async def test_nothing_to_replay_is_said(rig, replayer):
    with pytest.raises(HubError, match="nothing to replay"):
        await replayer().ask(
            await replayer().shadow(Range(since=0)), person="li", reason="x", spec={}, rate=1
        )
