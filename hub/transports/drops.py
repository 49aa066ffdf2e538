"""Drop folders: which file is whole, and where it goes next.

``inbox/`` → ``working/`` → ``done/``; rows and files to be corrected wait in ``rejects/``. Every
step is a rename within one file system, so a file is always in exactly one place.
"""

from __future__ import annotations

import asyncio
import unicodedata
from fnmatch import fnmatch
from pathlib import Path

from hub.transports.cursors import sync_folder

MARKER = ".ok"
"""``list.csv.ok`` tells that ``list.csv`` is whole."""

_UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload", MARKER)
_HIDDEN = (".", "~$")


class DropFolder:
    """The folder of one connector.

    Args:
        root: Holds the four folders, which are made when missing.
        settle: Seconds in which a file without marker must not change before it is taken.
    """

    def __init__(self, root: Path, settle: float = 5.0) -> None:
        self.root = root
        self._settle = settle

    async def take(self, pattern: str) -> list[Path]:
        """Files that are whole, moved to ``working/``, after those a stopped run left there.

        Args:
            pattern: As in the manifest; upper and lower case are one.
        """
        for name in ("inbox", "working", "done", "rejects"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        first = self._look(pattern)
        if any(not _marker(path).exists() for path in first):
            await asyncio.sleep(self._settle)
        second = self._look(pattern)
        for path, state in second.items():
            if _marker(path).exists() or first.get(path) == state:
                self._accept(path)
        return sorted(p for p in (self.root / "working").iterdir() if matches(p.name, pattern))

    def unmatched(self, patterns: list[str]) -> list[Path]:
        """Whole-looking files in ``inbox/`` that belong to no item."""
        return [
            path
            for path in _files(self.root / "inbox")
            if not any(matches(path.name, pattern) for pattern in patterns)
        ]

    def finish(self, path: Path, digest: str) -> None:
        """Move a file that was read to ``done/``."""
        self._move(path, self.root / "done" / f"{path.stem}.{digest[:8]}{path.suffix}")

    def refuse(self, path: Path, reason: str) -> None:
        """Move a file that cannot be read to ``rejects/``, with a text beside it."""
        target = self.free(path.name)
        self._move(path, target)
        target.with_name(f"{target.name}.原因.txt").write_text(f"{reason}\n", encoding="utf-8-sig")

    def free(self, name: str) -> Path:
        """A name in ``rejects/`` that is not taken, so that nothing uncorrected is lost."""
        path = self.root / "rejects" / name
        number = 2
        while path.exists():
            path = path.with_name(f"{Path(name).stem}-{number}{Path(name).suffix}")
            number += 1
        return path

    def _look(self, pattern: str) -> dict[Path, tuple[int, int]]:
        found = {}
        for path in _files(self.root / "inbox"):
            if matches(path.name, pattern):
                state = path.stat()
                found[path] = (state.st_size, state.st_mtime_ns)
        return found

    def _accept(self, path: Path) -> None:
        target = self.root / "working" / path.name
        if not target.exists():
            # While a file of the same name is being read, this one waits.
            self._move(path, target)
            _marker(path).unlink(missing_ok=True)

    def _move(self, path: Path, target: Path) -> None:
        path.replace(target)
        sync_folder(target.parent)
        sync_folder(path.parent)


def matches(name: str, pattern: str) -> bool:
    """Whether a file name fits a manifest's pattern, however its characters are composed."""
    folded = unicodedata.normalize("NFC", name).casefold()
    return fnmatch(folded, unicodedata.normalize("NFC", pattern).casefold())


def _files(folder: Path) -> list[Path]:
    # Links are left alone: they would let a department read this machine's files.
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file()
        and not path.is_symlink()
        and not path.name.startswith(_HIDDEN)
        and not path.name.lower().endswith(_UNFINISHED)
    )


def _marker(path: Path) -> Path:
    return path.with_name(path.name + MARKER)
