"""Readings: wait until the hub is at rest, then read topics, tables and the witness."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path

import asyncpg
import msgspec

from tests.faults.sites import Site
from tests.faults.verifier.sets import Sets, Sighting
from tests.faults.verifier.tables import Tables
from tests.faults.verifier.topics import (
    EVENTS,
    INBOXES,
    LETTERS,
    READ,
    Reader,
    Record,
    copy_of,
    event_of,
    letter_of,
    taken,
)

WITNESS_FILE = "witness.jsonl"
_PAUSE = 0.5
_STILL = 3
"""So many looks in a row must find the hub at rest with nothing moving."""


class Reading:
    """What was read of a site so far.

    Args:
        site: Of the hub.
        reader: Of its topics.
    """

    def __init__(self, site: Site, reader: Reader) -> None:
        self._site, self._reader = site, reader
        self._tables = Tables(site)
        self._kept = Sets()

    async def rest(self, seconds: float) -> bool:
        """Wait until nothing is behind and nothing moves; False: something was behind at the end."""
        limit = time.monotonic() + seconds
        still, before = 0, None
        while True:
            found = await self._look()
            is_idle = found is not None and found[0] == 0
            still = still + 1 if is_idle and found == before else 0
            before = found
            if still >= _STILL:
                return True
            if time.monotonic() > limit:
                return is_idle
            await asyncio.sleep(_PAUSE)

    async def _look(self) -> tuple[int, int] | None:
        """What is behind, and a sum that grows with all that moves; None: nobody answers."""
        try:
            connection = await self._tables.connect()
            try:
                queued = await self._tables.queued(connection)
                claims = await self._tables.claims(connection)
            finally:
                await connection.close(timeout=5)
            bounds = self._reader.bounds(self._reader.places(READ.fullmatch))
        except (
            OSError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            TimeoutError,
        ):
            return None
        behind = sum(
            max(0, end - claims.get(place, start)) for place, (start, end) in bounds.items()
        )
        return behind + sum(queued.values()), sum(end for _, end in bounds.values())

    async def read(self, *, quiet: bool, witness: Path | None) -> Sets:
        """Everything as it stands now; topics are read on from where the last call ended."""
        kept = self._kept
        for record in await asyncio.to_thread(self._new):
            self._sort(record)
        found = msgspec.structs.replace(
            kept, copies=list(kept.copies), unreadable=list(kept.unreadable), quiet=quiet
        )
        # Mirrors before claims: a mirror that is ahead was ahead already.
        found.mirrors = await asyncio.to_thread(self._reader.mirrors)
        await self._tables.read(found, self._reader.schemas)
        bounds = self._reader.bounds(self._reader.places(READ.fullmatch))
        found.starts = {place: start for place, (start, _) in bounds.items()}
        found.ends = {place: end for place, (_, end) in bounds.items()}
        found.sightings = list(sightings(witness)) if witness else []
        return found

    def _new(self) -> list[Record]:
        return self._reader.new(
            lambda name: (
                EVENTS.fullmatch(name) or INBOXES.fullmatch(name) or LETTERS.fullmatch(name)
            )
        )

    def _sort(self, record: Record) -> None:
        kept, schemas = self._kept, self._reader.schemas
        topic, off, key, value, headers = taken(record)
        name, part = topic.removeprefix(self._site.prefix), record.partition() or 0
        try:
            if INBOXES.fullmatch(name):
                kept.copies.append(copy_of(schemas, topic, off, key, value, headers))
            elif EVENTS.fullmatch(name):
                kept.events.append(event_of(schemas, name, off, value, part=part))
            else:
                kept.letters.append(letter_of(name, off, value, headers, part=part))
        except (ValueError, KeyError, EOFError, IndexError, TypeError) as error:
            kept.unreadable.append(f"{name}/{part}@{off}: {type(error).__name__}")


def sightings(folder: Path) -> Iterable[Sighting]:
    """What the witness wrote; a cut last line is its death."""
    decode = msgspec.json.Decoder(Sighting).decode
    for path in sorted(folder.rglob(WITNESS_FILE)):
        for line in path.read_bytes().split(b"\n")[:-1]:
            yield decode(line)
