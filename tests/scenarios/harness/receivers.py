"""Recipients: the test's side of the four rosters; each keeps its list and confirms snapshots."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hub.contracts.cloudevents import event_headers
from hub.contracts.codecs import encode_event
from hub.kernel.clocks import epoch_ms
from hub.sdk.programs.copies import Copy
from hub.sdk.programs.replies import event_of, fields_of
from hub.sdk.rosters import roster_digest, row_digest

if TYPE_CHECKING:
    from tests.scenarios.harness.stages import Stage

_ENVELOPE = frozenset({"envelope", "person_ref", "household_ref", "roster", "rows", "row_key"})
_EVERYONE = frozenset({"area", "decision"})


class Recipients:
    """Reads the inboxes by position, applies deltas, answers each snapshot once its parts are in.

    Args:
        stage: Where the topics are.
        names: The recipients.
    """

    def __init__(self, stage: Stage, names: Iterable[str]) -> None:
        self._stage = stage
        self.books: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in names}
        self._seen: set[str] = set()
        self._pending: dict[str, list[Copy]] = {}
        self._dropped: dict[str, tuple[str, str]] = {}
        self.away: set[str] = set()

    def drop_one(self, name: str, kind: str, person_ref: str) -> None:
        """Lose the next copy of a type about a person, below everything that would notice."""
        self._dropped[name] = (kind, person_ref)

    async def work(self) -> bool:
        """Take what has come; True if something was answered."""
        answered = False
        for name in self.books:
            if name in self.away:
                continue
            for copy in await self.copies(name):
                if copy.id not in self._seen:
                    self._seen.add(copy.id)
                    answered |= await self._take(name, copy)
        return answered

    async def copies(self, name: str) -> list[Copy]:
        """Everything on an inbox, in order."""
        return [copy for _, copy in await self._stage.copies(name)]

    async def _take(self, name: str, copy: Copy) -> bool:
        if self._dropped.get(name) == (copy.type, copy.person_ref):
            del self._dropped[name]
            return False
        roster = copy.data.get("roster") or {}
        if copy.type == "roster.delta":
            self._apply(name, copy, roster)
        elif copy.type in {"roster.snapshot", "roster.part"}:
            waiting = self._pending.setdefault(name, [])
            if copy.type == "roster.snapshot":
                waiting.clear()
            waiting.append(copy)
            manifest = waiting[0].data["roster"]
            if len(waiting) == 1 + manifest["parts"]:
                await self._confirm(name, waiting[0], waiting[1:])
                waiting.clear()
                return True
        return False

    def _apply(self, name: str, copy: Copy, roster: dict[str, Any]) -> None:
        key = roster["row_key"]
        if roster["op"] == "removed":
            self.books[name].pop(key, None)
        else:
            self.books[name][key] = _fields(copy.data)

    async def _confirm(self, name: str, manifest: Copy, parts: list[Copy]) -> None:
        told = {row["row_key"]: _fields(row) for part in parts for row in part.data["rows"]}
        book = self.books[name]
        mine = {key: row_digest(row) for key, row in book.items()}
        theirs = {key: row_digest(row) for key, row in told.items()}
        first = not book and manifest.data["roster"]["period"] < _quarter(self._stage.story.begins)
        said = {
            "rows": len(theirs if first else mine),
            "digest": roster_digest((theirs if first else mine).values()),
            "differing": []
            if first
            else sorted(k for k in mine.keys() | theirs.keys() if mine.get(k) != theirs.get(k)),
        }
        self.books[name] = told
        await self.reply(name, manifest, "roster.receipt", said)

    async def reply(self, name: str, copy: Copy, kind: str, said: dict[str, Any]) -> None:
        """Publish an answer, as the program kit does."""
        event = event_of(copy, kind, fields_of(copy, kind, said), now=epoch_ms(self._stage.now))
        await self._stage.producer.send_and_wait(
            f"{self._stage.prefix}program.{name}.reply",
            encode_event(event),
            key=(copy.referral_id or event.event_id).encode(),
            headers=event_headers(event),
        )


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k not in _ENVELOPE | _EVERYONE and v is not None}


def _quarter(begins: str) -> str:
    return f"{begins[:4]}-Q{(int(begins[5:7]) + 2) // 3}"
