"""Redrives: dead letters sent again to the consumer that failed on them, as an operation.

The plan is the dry run. One unchanged record may be sent by one person; several, or a changed
one, wait for a second person. Every record is counted before it is sent and ended after the
broker has it, so a run that was cut off goes on where it stopped; what it sends twice is dropped
by the events' ids.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec

from hub.contracts.replay_marks import ReplayKey
from hub.deadletters import routes
from hub.deadletters.routes import Refusal
from hub.kernel.failpoints import passed
from hub.kernel.settings import Settings
from hub.runtime.edits import Editor
from hub.runtime.originals import Log, Original, locate, original
from hub.store import audit, dead_letter_index, operations
from hub.store.dead_letter_index import Filter, Letter
from hub.store.operations import Item, Operation

MOST = 10_000
"""Records of one operation."""
RATE = 50
"""Records per second unless another rate is asked for."""


class Line(msgspec.Struct):
    """One dead letter of a plan.

    Attributes:
        letter: The dead letter.
        source: Where its bytes lie.
        target: Topic and partition it goes to; empty where it is refused.
        refusal: Why it is not sent.
    """

    letter: Letter
    source: str = ""
    target: tuple[str, int] = ("", -1)
    refusal: Refusal | None = None


class Plan(msgspec.Struct):
    """What a redrive would do."""

    lines: list[Line]

    @property
    def sent(self) -> list[Line]:
        """Those that would be sent."""
        return [line for line in self.lines if line.refusal is None]

    @property
    def codes(self) -> dict[str, int]:
        """Count by code, of those that would be sent."""
        return dict(Counter(line.letter.code for line in self.sent).most_common())

    @property
    def refused(self) -> dict[Refusal, int]:
        """Count by reason, of those that would not."""
        return dict(Counter(line.refusal for line in self.lines if line.refusal).most_common())


class Redriver:
    """Plans and runs redrives.

    Args:
        connection: The command's or console's own.
        log: Reads the bytes.
        settings: Names of topics.
        now: Tells ms since 1970.
    """

    def __init__(
        self, connection: asyncpg.Connection, log: Log, settings: Settings, now: Callable[[], int]
    ) -> None:
        self._connection = connection
        self._log = log
        self._settings = settings
        self._now = now

    async def chosen(self, wanted: Filter, ids: Sequence[str] = ()) -> list[Letter]:
        """The dead letters that are meant, in the order they are sent: by id, or by filter."""
        if ids:
            found = {one.id: one for one in await dead_letter_index.by_ids(self._connection, ids)}
            return [found[one] for one in ids if one in found]
        return await dead_letter_index.oldest_first(self._connection, wanted, limit=MOST)

    async def plan(self, letters: Sequence[Letter]) -> Plan:
        """The dry run: where each would go, or why it would not."""
        usable = [one for one in letters if one.state != "settled" and not one.is_spent]
        await locate(self._connection, self._log, self._settings, usable)
        return Plan([(await self._line(letter))[0] for letter in letters])

    async def _line(self, letter: Letter) -> tuple[Line, Original | None]:
        refusal = _unfit(letter)
        if refusal:
            return Line(letter, refusal=refusal), None
        topic = self._settings.wire(self._settings.plain(letter.topic))
        if not routes.is_target(self._settings.plain(topic)):
            return Line(letter, refusal=routes.TOPIC), None
        bytes_ = await original(self._connection, self._log, self._settings, letter)
        if bytes_ is None:
            return Line(letter, refusal=routes.GONE), None
        found = routes.origin(bytes_.headers, topic, letter.part)
        if isinstance(found, Refusal):
            return Line(letter, bytes_.place, refusal=found), None
        return Line(letter, bytes_.place, found), bytes_

    async def content(self, letter: Letter) -> Original | None:
        """The bytes of one dead letter."""
        return await original(self._connection, self._log, self._settings, letter)

    async def ask(
        self,
        plan: Plan,
        *,
        person: str,
        reason: str,
        rate: int = RATE,
        spec: dict[str, Any] | None = None,
        edited: bytes | None = None,
        editor: Editor | None = None,
    ) -> Operation:
        """Put the redrive of a plan on record; it waits for a second person unless it is small.

        Args:
            plan: What is to be sent; its refused lines are left out.
            person: Account of who asks.
            reason: Why.
            rate: Records per second at most.
            spec: What was chosen, for people to read.
            edited: The changed value of the only record.
            editor: Checks it.

        Raises:
            DataError: the changed value is refused.
            ValueError: a changed value and not exactly one record.
        """
        sent = plan.sent
        doc = dict(spec or {})
        if edited is not None:
            if len(sent) != 1 or editor is None:
                raise ValueError("one record is changed at a time")
            bytes_ = await self.content(sent[0].letter)
            change = editor.checked(sent[0].letter, bytes_.value if bytes_ else b"", edited)
            edited, doc["changed"] = change.value, list(change.fields)
        now = self._now()
        two = len(sent) > 1 or edited is not None
        wanted = Operation(
            id=str(uuid4()), kind="redrive", asked_by=person, asked_at=now, reason=reason,
            spec=doc, total=len(sent), edited=edited is not None, two_persons=two,
            approved_by=None, state=operations.ASKED if two else operations.READY, rate=rate,
            changed_at=now,
        )  # fmt: skip
        items = [(line.letter.id, edited) for line in sent]
        await operations.ask(self._connection, wanted, items)
        return wanted

    async def run(
        self,
        operation: Operation,
        producer: Any,
        marks: ReplayKey,
        person: str,
        told: Callable[[Item, str], None] | None = None,
    ) -> Operation:
        """Send what is left of an operation, until its end or until somebody pauses or stops it.

        Args:
            operation: Approved where it has to be.
            producer: A started producer.
            marks: Signs what is sent.
            person: Who runs it.
            told: Called after each item with its result.

        Raises:
            HubError: not approved, ended, or run by another process.
        """
        connection = self._connection
        async with operations.alone(connection, operation.id):
            await operations.turn(
                connection, operation, operations.RUNNING, person, now=self._now()
            )
            while item := await operations.next_item(connection, operation.id):
                result = await self._send(operation, item, producer, marks, person)
                if told is not None:
                    told(item, result)
                await asyncio.sleep(1 / operation.rate)
            await operations.finish(connection, operation, now=self._now())
        return await operations.found(connection, operation.id)

    async def _send(
        self, operation: Operation, item: Item, producer: Any, marks: ReplayKey, person: str
    ) -> str:
        connection = self._connection
        letters = await dead_letter_index.by_ids(connection, [item.ref])
        line, bytes_ = await self._line(letters[0])
        if item.replay is not None and line.refusal is routes.QUARANTINED:
            # Its last redrive was begun and cut off: that one is still to be sent.
            letters[0].replays = item.replay - 1
            line, bytes_ = await self._line(letters[0])
        if line.refusal is not None or bytes_ is None:
            refusal = line.refusal or routes.GONE
            if refusal is routes.QUARANTINED:
                await dead_letter_index.quarantine(connection, item.ref)
            await self._end(operation, item, operations.SKIPPED, refusal.key, line.letter, person)
            return refusal.key
        count = await operations.begin(connection, operation.id, item, now=self._now())
        place = await self._publish(operation, item, line, bytes_, count, producer, marks)
        passed("redrive.published")
        await self._end(operation, item, operations.DONE, place, line.letter, person)
        return place

    async def _publish(
        self,
        operation: Operation,
        item: Item,
        line: Line,
        bytes_: Original,
        count: int,
        producer: Any,
        marks: ReplayKey,
    ) -> str:
        letter, (topic, part) = line.letter, line.target
        value = bytes_.value if item.edited is None else item.edited
        mark = routes.mark(
            bytes_.headers,
            of=letter.id,
            count=count,
            by=operation.id,
            first_code=letter.first_code or letter.code,
            first_failed_at=letter.first_failed_at,
            place=(topic, letter.part, letter.off),
        )
        headers = routes.redriven(bytes_.headers, letter.recorded_at)
        headers += marks.sign(mark, topic, value)
        sent = await producer.send_and_wait(
            topic, value, key=bytes_.key, partition=part, headers=headers
        )
        return f"{topic}/{sent.partition}/{sent.offset}"

    async def _end(
        self,
        operation: Operation,
        item: Item,
        state: str,
        result: str,
        letter: Letter,
        person: str,
    ) -> None:
        now = self._now()
        async with self._connection.transaction():
            await operations.end_item(self._connection, operation.id, item, state, result, now=now)
            doc = {
                "operation": operation.id,
                "dead_letter": letter.id,
                "code": letter.code,
                "state": state,
                "result": result,
                "edited": item.edited is not None,
                "approved_by": operation.approved_by,
            }
            await audit.act(
                self._connection, "redrive", person, doc, now=now,
                event_id=letter.event_id, correlation=letter.correlation or None,
            )  # fmt: skip


def _unfit(letter: Letter) -> Refusal | None:
    if letter.state == "settled":
        return routes.SETTLED
    if letter.is_spent:
        return routes.QUARANTINED
    if letter.stage == "edge":
        return routes.EDGE
    if letter.topic == "timer":
        return routes.TIMER
    return None
