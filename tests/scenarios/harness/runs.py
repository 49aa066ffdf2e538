"""Runs: a story played plainly, twice, shuffled or with a restart (rules G1 to G3)."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from typing import Any

from hub.contracts.codecs import decode_event
from hub.kernel.dates import days_of
from hub.kernel.person_keys import UidKey
from hub.model.openings import OpeningRow
from hub.routing.pseudonyms import Pseudonyms
from tests.scenarios.harness.sightings import Copy, Sightings
from tests.scenarios.harness.stages import ROSTERS, Stage
from tests.scenarios.harness.stories import (
    Block,
    ClockPasses,
    Entry,
    ProgramAct,
    Story,
    Trouble,
)
from tests.scenarios.harness.views import matters, operators_view, tracked, unrest

MODES = ("plain", "twice", "shuffled", "restarted")
_QUIET_SECONDS = 20.0


class Run:
    """One run of a story on a stage.

    Args:
        stage: The isolated hub.
        story: What happens.
        mode: One of :data:`MODES`.
        seed: Decides the shuffle and the moment of the restart.
    """

    def __init__(self, stage: Stage, story: Story, mode: str, seed: int) -> None:
        self.stage, self.story, self.mode = stage, story, mode
        self._random = random.Random(seed)  # noqa: S311 - drawn for a test
        self._entered: list[Entry] = []
        self._uid = UidKey(stage.secrets.k_uid)
        self._moved = True
        self._baseline: dict[str, int] = {}
        self._event_baseline: dict[Any, int] = {}

    async def play(self) -> Sightings:
        """Everything from the opening balance to the end; what was seen since the beginning."""
        await self._open()
        for part in self.story.before:
            await self._play(part)
        await self._settle()
        await self._take_baseline()
        parts = self.story.parts
        restart_at = self._random.randrange(len(parts)) if self.mode == "restarted" else -1
        for number, part in enumerate(parts):
            await self._play(part, restart=number == restart_at)
        if self.mode == "twice":
            await self.enter_all_again()
        await self._settle()
        return await self._sightings()

    async def _open(self) -> None:
        rows = [row for key in self.story.opening for row in self._opening_rows(key)]
        if rows:
            await self.stage.load_opening(rows)
        await self._pass_clock(self.story.begins_at)

    def _opening_rows(self, key: str) -> list[OpeningRow]:
        household = self.story.cast.households[key]
        care = household.care_level or None
        return [
            OpeningRow(
                household=household.id,
                uid=self._uid.uid(member.person.id_number),
                category=household.category,
                effective_from=days_of(self.story.on_roll_since),
                identity={"id": {"name": member.person.name, "id_number": member.person.id_number}},
                relation=member.relation,
                care_level=care,
                meters=(household.meter,),
            )
            for member in household.members
        ]

    async def _play(self, part: Any, *, restart: bool = False) -> None:
        match part:
            case Block():
                await self._enter_block(part, restart=restart)
            case ClockPasses():
                if restart:
                    await self._restart()
                await self._pass_clock(part.at)
            case Trouble():
                if restart:
                    await self._restart()
                await getattr(self, part.name)(*part.arguments)

    async def _enter_block(self, block: Block, *, restart: bool) -> None:
        entries = list(block.entries)
        if self.mode == "shuffled" and block.any_order:
            self._random.shuffle(entries)
            self.stage.set_clock(max(entry.at for entry in entries))
            self._moved = True
        stop_at = self._random.randrange(len(entries)) if restart else -1
        for number, entry in enumerate(entries):
            if entry.at > self.stage.now:
                await self._pass_clock(entry.at)
            await self._enter(entry)
            if number == stop_at:
                await self._restart()
        await self._settle()

    async def _enter(self, entry: Entry | ProgramAct) -> None:
        if isinstance(entry, ProgramAct):
            await self._settle()
            await self._answer(entry)
            return
        self._moved = True
        await self.stage.enter(entry)
        self._entered.append(entry)
        await self.stage.pump({entry.connector})

    async def _answer(self, act: ProgramAct) -> None:
        self._moved = True
        copies = await self.stage.recipients.copies(act.program)
        for copy in copies:
            if copy.type == "referral.created":
                await self.stage.recipients.reply(act.program, copy, act.answer, {"handler": "A-1"})

    async def _restart(self) -> None:
        self._moved = True
        await self.stage.stop_worker()
        await self.stage.start_worker()

    async def _pass_clock(self, at: Any) -> None:
        await self._settle()
        if at > self.stage.now:
            self.stage.set_clock(at)
            self._moved = True
        await self._settle()

    async def _settle(self) -> None:
        """Wait until nothing moves any more: G8, the clock stands still meanwhile."""
        if not self._moved:
            return
        until = time.monotonic() + _QUIET_SECONDS
        calm = 0
        while calm < 2:
            quiet = not await unrest(self.stage)
            answered = await self.stage.recipients.work() if quiet else False
            calm = calm + 1 if quiet and not answered else 0
            assert time.monotonic() < until, await unrest(self.stage)
            await asyncio.sleep(0.01)
        self._moved = False

    # Troubles that stories name.

    async def enter_all_again(self) -> None:
        """Every input a second time with the same deduplication key."""
        self._moved = True
        for entry in self._entered:
            await self.stage.enter_again(entry)
        await self.stage.pump({entry.connector for entry in self._entered})
        await self._settle()

    async def close_again(self, period: str) -> None:
        """The quarter's close runs again."""
        await self._settle()
        self._moved = True
        await self.stage.fire_close_again(period)
        await self._settle()

    async def receiver_down(self, name: str) -> None:
        """A recipient's transport does not answer: its copies wait, shown with their number."""
        await self._settle()
        self.stage.down.add(name)

    async def receiver_waits(self, name: str, kind: str) -> None:
        """Its copies are queued, and everybody else's have arrived."""
        await self._settle()
        answer = await self.stage.operator.get("/status.json")
        waiting = {row["id"]: row["waiting"] for row in answer.json()["subscriptions"]}
        assert waiting.pop(name) > 0, waiting
        assert not any(waiting.values()), waiting
        receipts = (await self._events())["roster.receipt"]
        assert receipts == len(ROSTERS) - 1, receipts
        arrived = [c for c in await self._all_copies() if (c.program, c.type) == (name, kind)]
        assert not [c for c in arrived if c.sequence > self._baseline.get(name, 0)]

    async def receiver_up(self, name: str) -> None:
        """The transport answers again."""
        self.stage.down.discard(name)
        self._moved = True

    async def drop_one(self, name: str, kind: str, person: str) -> None:
        """A recipient's own system loses one copy."""
        self.stage.recipients.drop_one(name, kind, self._person_ref(name, person))

    async def matter_is(self, program: str, state: str) -> None:
        """The matter of a program's referral, as the tracking view tells it."""
        await self._settle()
        (copy,) = [
            c
            for c in await self._all_copies()
            if (c.program, c.type) == (program, "referral.created")
        ]
        view = await tracked(self.stage, copy.envelope["referral_id"])
        ref = copy.envelope["referral_id"]
        (own,) = [row for row in view["referrals"] if row["id"] == ref]
        (matter,) = [m for m in view["matters"] if m["correlation"] == own["correlation"]]
        assert (matter["state"], matter["referrals"]) == (state, 2), view["matters"]

    def _person_ref(self, program: str, key: str) -> str:
        uid = self._uid.uid(self.story.cast.persons[key].id_number)
        return Pseudonyms(self.stage.secrets.k_program, program).person(uid)

    # Sightings.

    async def _take_baseline(self) -> None:
        self._event_baseline = await self.stage.ends(self.stage.event_topics)
        for copy in await self._all_copies():
            self._baseline[copy.program] = max(self._baseline.get(copy.program, 0), copy.sequence)

    async def _all_copies(self) -> list[Copy]:
        people = self._people()
        found = []
        for program, copy in await self.stage.copies():
            found.append(
                Copy(
                    program=program,
                    type=copy.type,
                    person=people.get((program, copy.person_ref or ""), ""),
                    body=copy.data,
                    headers=copy.attributes,
                    sequence=copy.sequence,
                    generation=copy.generation,
                )
            )
        return found

    def _people(self) -> dict[tuple[str, str], str]:
        return {
            (program, self._person_ref(program, key)): key
            for program in self.stage.wiring.subscriptions
            for key, person in self.story.cast.persons.items()
            if person.id_number
        }

    async def _sightings(self) -> Sightings:
        seen = Sightings()
        known: set[str] = set()
        for copy in await self._all_copies():
            if copy.sequence <= self._baseline.get(copy.program, 0):
                continue
            if copy.headers["id"] in known:
                seen.repeats += 1
                continue
            known.add(copy.headers["id"])
            seen.copies.append(copy)
        seen.events = await self._events()
        seen.open, seen.dead_letters = await operators_view(self.stage)
        self.story.matters = await matters(self.stage, seen)
        return seen

    async def _events(self) -> Counter[str]:
        found: dict[str, str] = {}
        for record in await self.stage.read(self.stage.event_topics):
            place = next(tp for tp in self._event_baseline if _same(tp, record))
            if record.offset >= self._event_baseline[place]:
                event = decode_event(record.value)
                found[event.event_id] = event.type
        return Counter(found.values())


def _same(place: Any, record: Any) -> bool:
    return bool(place.topic == record.topic and place.partition == record.partition)
