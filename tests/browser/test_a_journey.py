"""A case's journey: one number leads to every hop with its time and its rule."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import datetime, timedelta

import pytest

from hub.cli.demos.entering import Entering
from hub.embedded.city import forms
from hub.embedded.city.households import Household
from hub.embedded.city.stories import Entry
from hub.kernel.clocks import SystemClock
from hub.kernel.person_keys import UidKey
from tests.browser.answers import Answers
from tests.browser.browsers import Seat
from tests.browser.families import facts, family, grant, on_record
from tests.browser.sites import Site
from tests.browser.waits import until

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.timeout(180)]
JOB = "RG-16.employment-aid"
RULES = (
    JOB,
    "RG-03.medical-aid",
    "RG-03.electricity-relief",
    "RG-14.housing-aid",
    "RG-14.charity-housing",
    "RG-15.education-aid",
)
_TIME = re.compile(r"[0-9]{4}(-[0-9]{2}){2} [0-9]{2}(:[0-9]{2}){2}")


async def test_a_number_leads_to_every_hop_with_its_time_and_its_rule(
    city: Site, seat: Seat, answers: Answers
) -> None:
    rule = city.stage.profile.rule(city.draw.choice(RULES))
    assert rule
    one = family(city.draw, city.stage.town.today)
    entered = SystemClock().now().replace(tzinfo=None, microsecond=0)
    await _happens(city, one, rule.id)
    referral, copy = await _delivered(city, one, rule.id)
    since = time.monotonic()
    await seat.start()
    await seat.page.get_by_role("searchbox").fill(referral)
    seat.clicks += 1
    await seat.page.keyboard.press("Enter")
    await seat.page.get_by_role("heading", name="一件事的全程").wait_for()
    hops = await _hops(seat)
    answers.note("a journey", seat, since, who=one.id, cause=rule.id)
    _in_order(hops, entered)
    agreed = city.stage.receivers.agreed[copy["subscription"]]
    program = agreed.names.zh
    # A program that is not to learn the reason is not told the rule either.
    told = rule.id if agreed.reason_level == "full" else f"programs.{agreed.id}"
    department = city.stage.manifests["hrss" if rule.id == JOB else "civil-affairs"].zh
    card = await seat.page.locator("main .card").filter(has_text=referral).inner_text()
    assert rule.zh in card
    assert rule.id in card
    kinds = [kind for _, kind, _ in hops]
    assert kinds.index("接收") < kinds.index("决策") < kinds.index("副本") < kinds.index("投递")
    assert _has(hops, "接收", department)
    assert _has(hops, "决策", rule.id, rule.zh)
    assert _has(hops, "副本", f"{program}:", told)
    assert _has(hops, "投递", f"{program} 第 {copy['seq']} 号:")
    assert _has(hops, "转介", f"{program}:待受理")


async def _happens(city: Site, one: Household, rule: str) -> None:
    today = city.stage.town.today
    async with Entering(city.stage) as entering:
        if rule == JOB:
            lost = forms.employment(one.head, "2", today, number=f"SY-{one.id}")
            await entering.enter(Entry("hrss", "employment", (lost,)))
            return
        for entry in facts(one, today):
            await entering.enter(entry)
        await on_record(city.stage.pool, one)
        await entering.enter(grant(one, today))


async def _delivered(city: Site, one: Household, rule: str) -> tuple[str, dict[str, object]]:
    """Referral and its first copy by the hub's own tables, once it has been numbered."""
    key = UidKey(city.stage.secrets.k_uid)
    uids = [key.uid(member.person.id_number) for member in one.members]
    row = await until(
        lambda: city.stage.pool.fetchrow(
            "SELECT r.id, d.subscription, d.seq FROM referral r"
            " JOIN delivery d ON d.referral_id = r.id AND d.type = 'referral.created'"
            " WHERE r.rule = $1 AND (r.uid = ANY($2) OR r.household = $3) LIMIT 1",
            rule,
            uids,
            one.id,
        ),
        about=rule,
    )
    # The program's answer, if it gives one, is on its way.
    await asyncio.sleep(1)
    return row["id"], dict(row)


async def _hops(seat: Seat) -> list[tuple[str, str, str]]:
    """Time, kind and text of each hop as they stand on the page."""
    return [
        (
            await hop.locator("time").inner_text(),
            (await hop.locator(".hop-kind").inner_text()).strip(),
            await hop.locator(".hop-body").inner_text(),
        )
        for hop in await seat.page.locator("main li.hop").all()
    ]


def _in_order(hops: list[tuple[str, str, str]], entered: datetime) -> None:
    """Each hop has a time between the department's act and now; none is before the one above."""
    assert hops
    assert all(_TIME.fullmatch(at) for at, _, _ in hops)
    times = [datetime.fromisoformat(at) for at, _, _ in hops]
    assert times == sorted(times)
    now = SystemClock().now().replace(tzinfo=None)
    assert entered - timedelta(seconds=1) <= times[0]
    assert times[-1] <= now


def _has(hops: list[tuple[str, str, str]], kind: str, *texts: str) -> bool:
    return any(own == kind and all(text in body for text in texts) for _, own, body in hops)
