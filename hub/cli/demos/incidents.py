"""Incidents: something of the city goes wrong, always from outside, never in a picture.

Whom it hits and how is drawn; the console must show both.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple

import msgspec
import orjson

from hub.cli.demos.entering import Entering
from hub.cli.demos.stages import Stage
from hub.embedded.city.loads import FED, Load
from hub.embedded.city.stories import Entry
from hub.sdk.ways import Way

READ = ("civil-affairs", "education", "health", "housing", "hrss", "medical-insurance")
"""Departments whose records a connector of the load reads; the others push."""
QUEUED = ("civil-affairs", "hospital")
SPOILT = ("health", "hospital", "housing", "hrss", "medical-insurance")
"""Departments with a record in which one field can be spoilt."""
_FLOOD_RECORDS, _AT_ONCE = 200, 25
_POISON_RECORDS = 25
_CUT = 3
"""Bytes that each cut-off message lacks; their rest differs, so each is a record of its own."""


class Incident(NamedTuple):
    """What went wrong.

    Attributes:
        kind: Key of the table below.
        who: Department or program; empty: the hub itself.
        cause: How it was done.
        what: Topic and partition, or item.
    """

    kind: str
    who: str
    cause: str
    what: str = ""


class Incidents:
    """Makes them happen on a stage.

    Args:
        stage: Whose city.
        draw: Chooses whom and how.
    """

    def __init__(self, stage: Stage, draw: random.Random) -> None:
        self._stage, self._draw = stage, draw
        self._runs = stage.run.number * 1000
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def kinds(self) -> dict[str, Callable[[], Coroutine[Any, Any, Incident]]]:
        """Name on the command line → what makes it happen."""
        return {
            "silent": self.silent,
            "poison": self.poison,
            "slow-program": self.slow_program,
            "flood": self.flood,
            "stuck": self.stuck,
        }

    async def silent(self, cause: str = "") -> Incident:
        """A department says nothing more: its system stopped writing, or its connector ended."""
        cause = cause or self._draw.choice(("source", "connector"))
        who = self._draw.choice(READ if cause == "connector" else sorted({one for one, _ in FED}))
        if cause == "connector":
            for task in self._stage.machines[who]:
                task.cancel()
        else:
            self._stage.muted.add(who)
        return Incident("silent", who, cause)

    async def poison(self, cause: str = "") -> Incident:
        """A department changes a format: ID numbers lose a digit, or messages are cut off."""
        cause = cause or self._draw.choice(("id-number", "cut-off"))
        who = self._draw.choice(QUEUED if cause == "cut-off" else SPOILT)
        async with Entering(self._stage) as entering:
            records = self._records(who)
            for _ in range(_POISON_RECORDS):
                entry = next(records)
                await entering.enter(
                    Entry(who, entry.item, raw=orjson.dumps(entry.records[0])[:-_CUT])
                    if cause == "cut-off"
                    else self._spoilt(entry)
                )
        return Incident("poison", who, cause)

    async def slow_program(self, cause: str = "") -> Incident:
        """A program's system hangs, or its web server fails; copies for it go on coming."""
        ways = {"hang": "charity-housing", "broken": "charity-housing", "no-fetch": "education-aid"}
        cause = cause or self._draw.choice(("hang", "broken"))
        who = ways[cause]
        if cause == "broken":
            self._stage.receivers.break_down(who)
        else:
            self._stage.receivers.hang(who)
        self._tasks.append(self._stage.beside(self._grants()))
        return Incident("slow-program", who, cause)

    async def flood(self) -> Incident:
        """A department sends a backlog at once, again and again."""
        who = self._draw.choice(READ[2:])
        self._tasks.append(self._stage.beside(self._flooding(who)))
        return Incident("flood", who, "backlog")

    async def over(self, incident: Incident) -> None:
        """Mend it: the department, the program or the database is as it was before.

        Dead letters stay: they are people's work.
        """
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        match incident:
            case Incident("silent", who, "connector"):
                self._stage.connect(who)
            case Incident("silent", who):
                self._stage.muted.discard(who)
            case Incident("slow-program", who):
                self._stage.receivers.heal(who)
            case Incident("stuck"):
                await self._stage.pool.execute(
                    "UPDATE partition_claim SET topic_id = nullif(topic_id, 'another'),"
                    " next_offset = next_offset % 1000000, epoch = epoch + 1, owner = ''"
                    " WHERE topic || '/' || part = $1",
                    incident.what,
                )

    async def stuck(self, cause: str = "") -> Incident:
        """A partition whose claim does not fit its log any more: a database put back by hand."""
        cause = cause or self._draw.choice(("replaced", "beyond"))
        rows = await self._stage.pool.fetch(
            "SELECT topic, part FROM partition_claim WHERE topic LIKE 'event.%'"
            " AND next_offset > 5 ORDER BY next_offset DESC LIMIT 6"
        )
        topic, part = self._draw.choice(rows)
        change = {
            "replaced": "topic_id = 'another'",
            "beyond": "next_offset = next_offset + 1000000",
        }[cause]
        await self._stage.pool.execute(
            f"UPDATE partition_claim SET {change}, epoch = epoch + 1"  # noqa: S608 - from above
            " WHERE topic = $1 AND part = $2",
            topic,
            part,
        )
        return Incident("stuck", "", cause, f"{topic}/{part}")

    async def _grants(self) -> None:
        """Families in dangerous houses are granted aid: every program gets copies."""
        async with Entering(self._stage) as entering:
            for entries in self._loads(("grant", "assessment", "enrolment")):
                for entry in entries:
                    await entering.enter(entry)
                await asyncio.sleep(0.15)

    async def _flooding(self, who: str) -> None:
        records = self._records(who)
        async with Entering(self._stage) as entering:
            while True:
                batch = [next(records) for _ in range(_FLOOD_RECORDS)]
                for at in range(0, len(batch), _AT_ONCE):
                    some = batch[at : at + _AT_ONCE]
                    rows = tuple(row for one in some for row in one.records)
                    await entering.enter(Entry(who, some[0].item, rows))
                await asyncio.sleep(1)

    def _loads(self, kinds: tuple[str, ...] = ()) -> Iterator[tuple[Entry, ...]]:
        self._runs += 1
        stage = self._stage
        seed = self._draw.randrange(1 << 30)
        city = stage.town.city
        if kinds:
            # Where only grants come every house is a dangerous one: the charity hears of each.
            city = [msgspec.structs.replace(one, danger="D") for one in city]
        return Load(city, self._runs, seed, stage.town.today, kinds).entries()

    def _records(self, who: str) -> Iterator[Entry]:
        """Records of one department without end."""
        for entries in self._loads():
            yield from (entry for entry in entries if entry.connector == who)

    def _spoilt(self, entry: Entry) -> Entry:
        item = self._stage.manifests[entry.connector].item(entry.item)
        records = tuple(row | {item.person: row[item.person][:-1]} for row in entry.records)
        # What a department pushes is judged at the door; what lies in its queue is not.
        return Entry(entry.connector, entry.item, records, Way.QUEUE if item.queue else "")
