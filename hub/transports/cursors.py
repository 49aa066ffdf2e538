"""Cursors: how far a connector has read, kept where the connector runs.

A cursor moves only after the broker has acknowledged everything before it. Losing one costs
work, never an event: what is read again gets the same ids.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import orjson

from hub.kernel.clocks import Clock, epoch_ms
from hub.kernel.errors import HubError

Position = dict[str, Any]
"""JSON object; its shape is the business of the way that reads."""


class CursorStore(Protocol):
    """Where positions are kept."""

    async def load(self, connector: str, item: str) -> Position:
        """The last saved position; an empty one where nothing was read yet."""

    async def save(self, connector: str, item: str, position: Position) -> None:
        """Keep a position durably; on return it survives a power cut."""


class FileCursors:
    """Cursors as files ``<folder>/<connector>/<item>.json``, on the department's machine.

    Args:
        folder: Made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def load(self, connector: str, item: str) -> Position:
        """The saved position, or an empty one.

        Raises:
            HubError: the file holds no JSON object.
        """
        return await asyncio.to_thread(_read, self._path(connector, item))

    async def save(self, connector: str, item: str, position: Position) -> None:
        """Write beside the old file, force it to disk, then take the old one's name."""
        await asyncio.to_thread(_write, self._path(connector, item), orjson.dumps(position))

    def _path(self, connector: str, item: str) -> Path:
        return self.folder / connector / f"{item}.json"


def _read(path: Path) -> Position:
    try:
        found = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise HubError(
            f"The cursor {path} cannot be read.",
            hint="Remove the file; the source is then read from its beginning, harmlessly.",
            message_zh=f"读取位置文件 {path} 已损坏;删除后将从头重新读取,不会产生重复事件。",
        )
    return found


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk, as a rename alone does not."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class DatabaseCursors:
    """Cursors in the hub's table ``connector_cursor``, for connectors that run beside the hub.

    Args:
        pool: Pool of the hub's database.
        clock: Tells ``updated_at``.
    """

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def load(self, connector: str, item: str) -> Position:
        """The saved position, or an empty one."""
        found = await self._pool.fetchval(
            "SELECT position::text FROM connector_cursor WHERE connector = $1 AND item = $2",
            connector,
            item,
        )
        return orjson.loads(found) if found else {}

    async def save(self, connector: str, item: str, position: Position) -> None:
        """Commit a position."""
        await self._pool.execute(
            "INSERT INTO connector_cursor (connector, item, position, updated_at)"
            " VALUES ($1, $2, $3::text::jsonb, $4) ON CONFLICT (connector, item)"
            " DO UPDATE SET position = excluded.position, updated_at = excluded.updated_at",
            connector,
            item,
            orjson.dumps(position).decode(),
            epoch_ms(self._clock.now()),
        )
