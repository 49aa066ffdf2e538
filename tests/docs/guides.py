"""Guides: a copy of the checkout in which a reader follows the pages word for word."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import Block, page

ROOT = Path(__file__).parents[2]
COPIED = ("hub", "connectors", "schemas", "topics")
_LIVE = "live"
"""Commands of a running hub; the test runs them against the session's services."""


class Checkout:
    """A copy of what a reader changes, and the commands that see it.

    Args:
        folder: Where it is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        unwanted = shutil.ignore_patterns("__pycache__")
        for name in COPIED:
            shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
        self._before = self._files()
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HUB_")}
        self.environment = kept | {
            "PYTHONPATH": str(folder),
            "HUB_DATA_DIR": str(folder / ".hub"),
            "HUB_SYNTHETIC_PEOPLE": "1",
        }

    def follow(self, name: str) -> None:
        """Do what a page says, block by block."""
        for block in page(ROOT / "docs" / name).blocks:
            self._do(block)

    def hub(self, *words: str) -> str:
        """Standard output of one command."""
        return self.python("-m", "hub.cli.main", *words)

    def python(self, *words: str) -> str:
        """Standard output of one Python process."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def changed(self) -> set[str]:
        """Files that the pages made or changed, relative to the folder."""
        after = self._files()
        return {name for name in after | self._before if after.get(name) != self._before.get(name)}

    def _files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for name in COPIED
            for path in (self.folder / name).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    def _do(self, block: Block) -> None:
        if block.language == "sh":
            if block.place != _LIVE:
                for line in block.text.splitlines():
                    program, *words = line.split()
                    assert program == "hub", f"not a command of a reader: {line}"
                    self.hub(*words)
        elif block.language == "diff":
            self._edit(self.folder / block.place, block.text)
        elif block.place.startswith(">> "):
            path = self.folder / block.place.removeprefix(">> ")
            path.write_text(path.read_text(encoding="utf-8") + block.text, encoding="utf-8")
        elif block.place:
            path = self.folder / block.place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")

    @staticmethod
    def _edit(path: Path, text: str) -> None:
        old, new = text.splitlines()
        assert old.startswith("-")
        assert new.startswith("+")
        whole = path.read_text(encoding="utf-8")
        assert whole.count(old[1:]) == 1, f"{path.name}: {old[1:]}"
        path.write_text(whole.replace(old[1:], new[1:]), encoding="utf-8")
