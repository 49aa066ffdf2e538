"""Memories: ids of copies already handled, so that a copy sent again is handled once."""

from __future__ import annotations

from collections import deque
from pathlib import Path


class Memory:
    """The last ids, in order; kept in a file if one is named.

    Args:
        path: One id a line; survives a restart. None: this run only.
        limit: How many are kept.
    """

    def __init__(self, path: Path | None = None, limit: int = 100_000) -> None:
        self._path = path
        self._limit = limit
        self._order: deque[str] = deque()
        self._ids: set[str] = set()
        if path is not None and path.exists():
            lines = path.read_text(encoding="ascii").splitlines()
            for name in lines[-limit:]:
                self._keep(name)
            if len(lines) > 2 * limit:
                self._rewrite(path)

    def __contains__(self, name: str) -> bool:
        return name in self._ids

    def add(self, name: str) -> None:
        """Remember an id; with a file it is on its way to the disk when this returns."""
        if name in self._ids:
            return
        self._keep(name)
        if self._path is not None:
            with self._path.open("a", encoding="ascii") as file:
                file.write(f"{name}\n")

    def _keep(self, name: str) -> None:
        self._order.append(name)
        self._ids.add(name)
        if len(self._order) > self._limit:
            self._ids.discard(self._order.popleft())

    def _rewrite(self, path: Path) -> None:
        draft = path.with_suffix(".new")
        draft.write_text("".join(f"{name}\n" for name in self._order), encoding="ascii")
        draft.replace(path)
