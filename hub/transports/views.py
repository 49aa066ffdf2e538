"""Views: polling a department's table or view, without missing what commits late.

A row's timestamp or number is given before its transaction commits, so a row may appear behind
one that was already read. Every poll therefore starts again an overlap behind the end of the
last one and remembers what it has published there. A row later still, and a row deleted, is
found by the key sweep, which reads everything and compares.

What is kept: under ``<item>.view`` ``from``, where the next poll starts, and ``swept``, ms since
1970 of the last sweep; under ``<item>.view.window`` the marks of published rows at or after
``from`` and the keys published since the last sweep; under ``<item>.view.keys`` the keys of the
last sweep.
Losing any of it costs work only, as the same row has the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.kernel.clocks import Clock, epoch_ms
from hub.kernel.failpoints import Hit, passed
from hub.sdk.durations import duration_ms
from hub.sdk.ways import ViewOptions
from hub.transports.cursors import CursorStore
from hub.transports.publishers import RecordSink
from hub.transports.records import RawRecord, RecordMaker, Row, key_text
from hub.transports.tables import Order, SourceTable, readable

MAX_FRESH = 20_000
"""Keys kept apart from those of the last sweep, so that few bytes are written at each poll."""
HELD_SHARE = 0.1
"""Share of all keys whose vanishing at once looks like a reload of the table."""
HELD_LEAST = 20
"""Keys that may always vanish at once."""

REFLECT_MS = 60_000
"""How long the columns that were found are believed."""

_PRUNE = 50_000
_MARK = 24
_KEY = 32

_log = structlog.get_logger(__name__)


class Polled(NamedTuple):
    """What one poll did, in rows; ``held`` are deletions not believed."""

    read: int = 0
    sent: int = 0
    refused: int = 0
    deleted: int = 0
    held: int = 0

    def plus(self, **more: int) -> Polled:
        """Counts added."""
        return Polled(**{name: old + more.get(name, 0) for name, old in self._asdict().items()})


class _Made(NamedTuple):
    """A row of the source with its record."""

    row: Row
    record: RawRecord
    key: str
    entry: str


class _Window:
    """Rows published at or after the start of the next poll, and keys since the last sweep."""

    def __init__(self, order: Order, kept: dict[str, Any]) -> None:
        self._order = order
        self._prune_at = _PRUNE
        self.marks = {mark: order.load(at) for mark, at in kept.get("marks", {}).items()}
        self.fresh: dict[str, str] = kept.get("fresh", {})

    def add(self, made: Iterable[_Made], column: str) -> None:
        for one in made:
            self.marks[_mark(one.record)] = one.row[column]
            if one.key:
                self.fresh[one.key] = one.entry

    def prune(self, start: Any, *, now: bool) -> None:
        if now or len(self.marks) > self._prune_at:
            self.marks = {mark: at for mark, at in self.marks.items() if at >= start}
            self._prune_at = max(_PRUNE, 2 * len(self.marks))

    def dump(self) -> dict[str, Any]:
        marks = {mark: self._order.dump(at) for mark, at in self.marks.items()}
        return {"marks": marks, "fresh": self.fresh}


class ViewReader:
    """Reads one item's view.

    Args:
        engine: Engine of the department's database.
        options: Of the manifest.
        maker: Makes the raw records.
        sink: Publishes them.
        cursors: Keeps the position.
        clock: Tells when a sweep is due.
        deletions: ``annul``: a row that vanished is published as its key fields with
            ``__deleted: true``; ``ignore``: it is not, as where departments archive old rows.
        hit: Told of every failpoint that is passed.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        options: ViewOptions,
        maker: RecordMaker,
        sink: RecordSink,
        cursors: CursorStore,
        clock: Clock,
        *,
        deletions: str = "ignore",
        hit: Hit = passed,
    ) -> None:
        self._options = options
        self._maker = maker
        self._sink = sink
        self._cursors = cursors
        self._clock = clock
        self._annul = deletions == "annul"
        self._hit = hit
        self._source = SourceTable(engine, options)
        self._reflected: int | None = None

    async def poll(self) -> Polled:
        """Publish what is new, and everything that differs when a sweep is due.

        Raises:
            ConfigurationError: the table or a column is not there.
            sqlalchemy.exc.SQLAlchemyError: the department's database failed; poll again later.
        """
        await self._reflect()
        try:
            return await self._poll()
        except Exception:
            self._reflected = None
            raise

    async def _reflect(self) -> None:
        """Look the columns up, again after a while or a failure: departments change tables."""
        now = epoch_ms(self._clock.now())
        if self._reflected is None or now - self._reflected >= REFLECT_MS:
            await self._source.reflect()
            self._reflected = now

    async def _poll(self) -> Polled:
        # The source's time before the first page: rows of transactions open now may appear
        # behind any row that a later page shows.
        order = await self._source.order()
        position = {"from": None, "swept": 0} | await self._load("")
        window = _Window(order, await self._load(".window"))
        done = await self._read_new(position, order, window)
        elapsed = epoch_ms(self._clock.now()) - position["swept"]
        if elapsed >= duration_ms(self._options.sweep):
            done = await self._sweep(position, window, done)
        elif len(window.fresh) > MAX_FRESH:
            await self._save(".keys", await self._load(".keys") | window.fresh)
            window.fresh = {}
            await self._save(".window", window.dump())
        return done

    async def _load(self, part: str) -> dict[str, Any]:
        feed = self._maker.feed
        return await self._cursors.load(feed.connector, f"{feed.item}.view{part}")

    async def _save(self, part: str, value: dict[str, Any]) -> None:
        feed = self._maker.feed
        await self._cursors.save(feed.connector, f"{feed.item}.view{part}", value)

    async def _read_new(self, position: dict[str, Any], order: Order, window: _Window) -> Polled:
        start, page, done = order.load(position["from"]), None, Polled()
        while True:
            rows = await self._source.after(start, page)
            self._hit("src.read")
            made = [one for one in self._made(rows) if _mark(one.record) not in window.marks]
            done = (await self._published(made, done)).plus(read=len(rows))
            window.add(made, self._options.order)
            last = len(rows) < self._options.page
            if rows:
                end = rows[-1]
                page = [end[name] for name in (self._options.order, *self._options.key)]
                start = order.behind(page[0], start)
                window.prune(start, now=last)
                position["from"] = order.dump(start)
            if last:
                break
            await self._save("", position)
        if done.sent or done.refused:
            await self._save(".window", window.dump())
        await self._save("", position)
        self._hit("src.cursor")
        return done

    def _made(self, rows: Iterable[Row]) -> list[_Made]:
        return [self._one(row) for row in rows]

    def _one(self, raw: Row) -> _Made:
        row, keys = readable(raw), self._options.key
        record = self._maker.of_row(row)
        fields = {name: row.get(name) for name in (*keys, *self._maker.feed.keys)}
        entry = f"{_mark(record)}{record.key.hex()}{orjson.dumps(fields).decode()}"
        return _Made(raw, record, key_text(row, tuple(keys)), entry)

    async def _published(self, made: Sequence[_Made], done: Polled) -> Polled:
        published = await self._sink.publish(one.record for one in made)
        self._hit("src.published")
        return done.plus(sent=published.sent, refused=published.refused)

    async def _sweep(self, position: dict[str, Any], window: _Window, done: Polled) -> Polled:
        # The start, not the end: what commits while the sweep runs belongs to the next one.
        started = epoch_ms(self._clock.now())
        known: dict[str, str] = await self._load(".keys") | window.fresh
        seen: set[str] = set()
        async for rows in self._source.everything():
            made = self._made(rows)
            changed = [one for one in made if known.get(one.key, "")[:_MARK] != one.entry[:_MARK]]
            done = (await self._published(changed, done)).plus(read=len(rows))
            known.update({one.key: one.entry for one in made if one.key})
            seen.update(one.key for one in made)
        done = await self._gone(known, known.keys() - seen, done)
        await self._save(".keys", known)
        window.fresh = {}
        await self._save(".window", window.dump())
        position["swept"] = started
        await self._save("", position)
        self._hit("src.cursor")
        return done

    async def _gone(self, known: dict[str, str], gone: set[str], done: Polled) -> Polled:
        if self._annul and len(gone) > max(HELD_LEAST, HELD_SHARE * len(known)):
            _log.error(
                "deletions_held",
                item=self._maker.feed.item,
                rows=len(gone),
                known=len(known),
                hint="Too many rows vanished at once to believe it; ask the department.",
            )
            return done.plus(held=len(gone))
        if self._annul:
            await self._sink.publish([self._deleted(known[key]) for key in sorted(gone)])
            done = done.plus(deleted=len(gone))
        for key in gone:
            del known[key]
        return done

    def _deleted(self, entry: str) -> RawRecord:
        mark, route, fields = entry[:_MARK], entry[_MARK : _MARK + _KEY], entry[_MARK + _KEY :]
        return self._maker.of_deleted(orjson.loads(fields), bytes.fromhex(route), mark)


def _mark(record: RawRecord) -> str:
    # Content under the same version counts as new, so that the hub can refuse it aloud.
    return record.digest[:_MARK]
