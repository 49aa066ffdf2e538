"""Obstacles: why a referral of one person does not leave, each made from outside and undone again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from hub.cli.demos.entering import Entering
from hub.embedded.city.households import Household
from hub.kernel.person_keys import UidKey
from tests.browser.families import facts, family, grant, on_record
from tests.browser.sites import Site
from tests.browser.waits import until

CHARITY, POWER = "charity-housing", "electricity-relief"
SENDER = "civil-affairs"
_STUCK = "event.category"
_REFUSED = 422
_OUTSIDE = "320681001"
_LONGEST = 40.0


class Obstacle(NamedTuple):
    """What keeps a referral from leaving.

    Attributes:
        cause: Which of them.
        program: Who complains that nothing came.
        family: Whose referral.
        who: Department, program or topic where it lies, as the console calls it.
    """

    cause: str
    program: str
    family: Household
    who: str


class Obstacles:
    """Puts one in the way of a grant.

    Args:
        city: Where.
    """

    def __init__(self, city: Site) -> None:
        self._city, self._stage = city, city.stage
        self.on_record: dict[str, Callable[[], Awaitable[Obstacle]]] = {
            "receiver": self._receiver,
            "refused": self._refused,
            "area": self._area,
            "meter": self._meter,
        }
        """Those that the person's own matters tell."""
        self.before: dict[str, Callable[[], Awaitable[Obstacle]]] = {
            "code": self._code,
            "connector": self._connector,
            "partition": self._partition,
        }
        """Those that lie before anything of the grant is on record."""

    async def over(self, one: Obstacle) -> None:
        """Take it away again."""
        stage = self._stage
        match one.cause:
            case "receiver" | "refused":
                stage.receivers.heal(one.program)
            case "code":
                # The department corrects its record: the dead letter closes by itself.
                await self._enter(grant(one.family, stage.town.today))
            case "connector":
                stage.connect(SENDER)
            case "partition":
                await self._claims("topic_id = nullif(topic_id, 'another')")
                await self._city.restart_worker()

    async def _receiver(self) -> Obstacle:
        stage = self._stage
        if self._city.draw.random() < 1 / 2:
            stage.receivers.hang(CHARITY)
        else:
            stage.receivers.break_down(CHARITY)
        one = await self._granted()
        await self.until(_COPY, one, CHARITY)
        await asyncio.sleep(1)
        return self._at("receiver", CHARITY, one)

    async def _refused(self) -> Obstacle:
        self._stage.receivers.break_down(CHARITY, _REFUSED)
        one = await self._granted()
        await self.until(_PARKED, one, CHARITY)
        return self._at("refused", CHARITY, one)

    async def _area(self) -> Obstacle:
        one = await self._granted(area=_OUTSIDE)
        await self.until(_REFERRAL, one, CHARITY)
        return self._at("area", CHARITY, one)

    async def _meter(self) -> Obstacle:
        one = await self._granted(meter=False)
        await self.until(_REFERRAL, one, "medical-aid")
        await asyncio.sleep(1)
        return self._at("meter", POWER, one)

    async def _code(self) -> Obstacle:
        one = await self._granted(category="LOWINC")
        return Obstacle("code", CHARITY, one, self._stage.manifests[SENDER].zh)

    async def _connector(self) -> Obstacle:
        one = await self._family()
        for task in self._stage.machines[SENDER]:
            task.cancel()
        await self._enter(grant(one, self._stage.town.today))
        return Obstacle("connector", CHARITY, one, self._stage.manifests[SENDER].zh)

    async def _partition(self) -> Obstacle:
        await self._claims("topic_id = 'another'")
        one = await self._granted()
        return Obstacle("partition", CHARITY, one, _STUCK)

    def _at(self, cause: str, program: str, one: Household) -> Obstacle:
        return Obstacle(cause, program, one, self._stage.receivers.agreed[program].names.zh)

    async def _granted(
        self, *, meter: bool = True, category: str = "DIBAO", area: str = ""
    ) -> Household:
        one = await self._family(meter=meter, area=area)
        await self._enter(grant(one, self._stage.town.today, category=category))
        return one

    async def _family(self, *, meter: bool = True, area: str = "") -> Household:
        today = self._stage.town.today
        one = family(self._city.draw, today)
        if area:
            one = msgspec.structs.replace(one, area=area)
        await self._enter(*facts(one, today, meter=meter))
        await on_record(self._stage.pool, one)
        return one

    async def _enter(self, *entries: Any) -> None:
        async with Entering(self._stage) as entering:
            for entry in entries:
                await entering.enter(entry)

    async def until(self, sql: str, one: Household, program: str) -> None:
        """Wait until the hub's own tables say that something of the family is there."""
        uids = [self._uid(member.person.id_number) for member in one.members]
        await until(
            lambda: self._stage.pool.fetchval(sql, uids, one.id, program),
            seconds=_LONGEST,
            about=f"{program} of {one.id}: {sql}",
        )

    def _uid(self, number: str) -> bytes:
        return UidKey(self._stage.secrets.k_uid).uid(number)

    async def _claims(self, change: str) -> None:
        await self._stage.pool.execute(
            f"UPDATE partition_claim SET {change}, epoch = epoch + 1, owner = ''"  # noqa: S608 - above
            " WHERE topic = $1",
            _STUCK,
        )


_REFERRAL = "SELECT id FROM referral WHERE (uid = ANY($1) OR household = $2) AND program = $3"
_COPY = f"SELECT 1 FROM delivery WHERE referral_id IN ({_REFERRAL})"  # noqa: S608 - two constants
_PARKED = f"{_COPY} AND state = 'parked'"
