"""Files: every row of a dropped list becomes a raw record, wrong rows go back to the office.

A wrong row is published too, so that intake makes the dead letter that is counted and answered;
the file of rejects is for the office, which corrects it and drops it again. Rows get the same
ids under any file name, so reading a file twice publishes nothing new for the hub.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

import structlog

from hub.kernel.errors import DataError
from hub.kernel.failpoints import Hit, passed
from hub.kernel.reasons import CODES
from hub.kernel.resident_ids import check
from hub.sdk.ways import FileOptions
from hub.transports.cursors import CursorStore
from hub.transports.drops import DropFolder
from hub.transports.publishers import RecordSink
from hub.transports.records import RawRecord, RecordMaker, Refusal, text_at
from hub.transports.spreadsheets import Line, Sheet, opened, write_rejects

BATCH = 500
"""Rows published together; the cursor moves after each batch."""

Check = Callable[[RawRecord], None]
"""Raises DataError where the manifest's mapping refuses a record."""
Progress = Callable[[str, int], None]
"""Told the file's name and how many of its rows are read."""
T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Taken(NamedTuple):
    """What one poll did: files read and refused, rows published and sent back."""

    files: int = 0
    refused_files: int = 0
    rows: int = 0
    rejected: int = 0


class _Reject(NamedTuple):
    cells: Sequence[str]
    reason: str


def no_check(_record: RawRecord) -> None:
    """Refuse nothing."""


def no_progress(_name: str, _rows: int) -> None:
    """Tell nobody."""


class FileReader:
    """Reads one item's files from a drop folder.

    Args:
        folder: The connector's drop folder.
        options: Of the manifest.
        maker: Makes the raw records.
        sink: Publishes them.
        cursors: Keeps how far a file was read.
        synthetic: Whether invented people (prefix 99) are accepted.
        check: The manifest's mapping, run for its errors only.
        progress: Called after every batch.
        hit: Told of every failpoint that is passed.
    """

    def __init__(
        self,
        folder: DropFolder,
        options: FileOptions,
        maker: RecordMaker,
        sink: RecordSink,
        cursors: CursorStore,
        *,
        synthetic: bool,
        check: Check = no_check,
        progress: Progress = no_progress,
        hit: Hit = passed,
    ) -> None:
        self._folder = folder
        self._options = options
        self._maker = maker
        self._sink = sink
        self._cursors = cursors
        self._synthetic = synthetic
        self._check = check
        self._progress = progress
        self._hit = hit

    async def poll(self) -> Taken:
        """Read every file that is whole, one after the other."""
        done = Taken()
        for path in await self._folder.take(self._options.pattern):
            with _FileThread() as thread:
                taken = await self._take(path, thread)
            done = Taken(*(one + more for one, more in zip(done, taken, strict=True)))
        return done

    async def _take(self, path: Path, thread: _FileThread) -> Taken:
        digest = await thread.run(lambda: _digest(path))
        rejects: list[_Reject] = []
        try:
            sheet = await thread.run(lambda: thread.keep(opened(path, self._options)))
            rows = await self._rows(path.name, sheet, digest, rejects, thread)
        except DataError as error:
            size = await thread.run(lambda: path.stat().st_size)
            return await self._refuse(path, Refusal(error.code, digest, size, error.detail), error)
        if rejects:
            await thread.run(lambda: self._send_back(path, sheet.titles, rejects))
        # Forgotten first: dropping the same file again later is a wish to have it read again.
        await self._save({})
        self._folder.finish(path, digest)
        # No file name: offices put ID numbers there.
        _log.info("file_read", item=self._maker.feed.item, rows=rows, rejected=len(rejects))
        return Taken(files=1, rows=rows, rejected=len(rejects))

    async def _rows(
        self,
        name: str,
        sheet: Sheet,
        digest: str,
        rejects: list[_Reject],
        thread: _FileThread,
    ) -> int:
        feed = self._maker.feed
        position = await self._cursors.load(feed.connector, f"{feed.item}.file")
        published = position["rows"] if position.get("digest") == digest else 0
        rows = 0
        while lines := await thread.run(lambda: list(islice(sheet.lines, BATCH))):
            self._hit("src.read")
            records = [self._one(sheet, line, rejects) for line in lines]
            # What a stopped run has published is only checked again, for the file of rejects.
            await self._sink.publish(records[max(0, published - rows) :])
            self._hit("src.published")
            rows += len(lines)
            await self._save({"digest": digest, "rows": max(rows, published)})
            self._hit("src.cursor")
            self._progress(name, rows)
        return rows

    def _one(self, sheet: Sheet, line: Line, rejects: list[_Reject]) -> RawRecord:
        row = sheet.row(line)
        record = self._maker.of_row(row)
        try:
            self._judge(record, text_at(row, self._maker.feed.person))
        except DataError as error:
            rejects.append(_Reject(line.cells, reason_text(error)))
        return record

    def _judge(self, record: RawRecord, number: str) -> None:
        if record.refused:
            raise DataError(record.refused)
        try:
            if number:
                check(number, recorded=None, synthetic=self._synthetic)
        except DataError as error:
            # Fifteen digits are judged where known people are at hand.
            if error.code != "E-ID-15":
                raise
        self._check(record)

    def _send_back(self, path: Path, titles: Sequence[str], rejects: list[_Reject]) -> None:
        target = self._folder.free(path.name)
        draft = target.with_name(f".{target.name}")
        write_rejects(draft, titles, rejects)
        draft.replace(target)

    async def _refuse(self, path: Path, refusal: Refusal, error: DataError) -> Taken:
        await self._sink.publish([self._maker.of_refused(refusal)])
        self._hit("src.published")
        await self._save({})
        self._folder.refuse(path, reason_text(error))
        _log.warning("file_refused", item=self._maker.feed.item, code=error.code)
        return Taken(refused_files=1)

    async def _save(self, position: dict[str, object]) -> None:
        feed = self._maker.feed
        await self._cursors.save(feed.connector, f"{feed.item}.file", position)


class _FileThread:
    """One thread for one file: a workbook is bound to the thread that opened it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "file")
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.submit(self._stack.close).result()
        self._pool.shutdown()

    def keep(self, opening: object) -> Sheet:
        """Enter a context that ends with the thread."""
        sheet: Sheet = self._stack.enter_context(opening)  # type: ignore[arg-type]
        return sheet

    async def run(self, work: Callable[[], T]) -> T:
        """Run in the thread; the event loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def reason_text(error: DataError) -> str:
    """What an office must mend, Chinese first."""
    reason = CODES[error.code]
    place = f"【{error.field}】" if error.field else ""
    return f"{place}{reason.zh} {reason.en} ({error.code})"


def _digest(path: Path) -> str:
    found = sha256()
    with path.open("rb") as file:
        for chunk in _chunks(file.read):
            found.update(chunk)
    return found.hexdigest()


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(1 << 20):
        yield chunk
