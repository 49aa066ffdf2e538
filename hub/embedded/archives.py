"""Class archives: a node that starts in half the time, made in the background of a first start.

The first start writes the list of classes it loads; once it serves, a second Java of the lowest
priority turns the list into a shared archive. Without an archive everything works, only slower.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

_KEEP = 3


class ClassArchive:
    """The archive for one Java and one class path.

    Args:
        folder: Where archives are kept, e.g. beside the cached jars.
        java: The Java program.
        flags: Flags of the node that the archive depends on.
        jars: The class path; an archive is bound to times and sizes of these very files.
    """

    def __init__(
        self, folder: Path, java: Path, flags: Sequence[str], jars: Sequence[Path]
    ) -> None:
        stamps = [f"{p}:{p.stat().st_mtime_ns}:{p.stat().st_size}" for p in (java, *jars)]
        key = hashlib.sha256("\n".join([*flags, *stamps]).encode()).hexdigest()[:16]
        self.path = folder / f"classes-{key}.jsa"
        self._command = ["nice", "-n", "19", str(java), *flags, "-cp", ":".join(map(str, jars))]

    def flags(self, class_list: Path) -> list[str]:
        """Flags for the node: use the archive, or record what an archive needs."""
        if self.path.exists():
            # The time of use, so that the oldest archives are those nobody uses.
            os.utime(self.path)
            return [f"-XX:SharedArchiveFile={self.path}", "-Xshare:auto"]
        return [f"-XX:DumpLoadedClassList={class_list}"]

    async def make(self, class_list: Path) -> bool:
        """Make the archive; may be cancelled at any time.

        Returns:
            Whether it is there now. False also when another process is making it.
        """
        if not self.path.exists() and _complete_lines(class_list):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with (self.path.parent / "classes.lock").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                await self._dump(class_list.with_suffix(".copy"))
        return self.path.exists()

    async def _dump(self, classes: Path) -> None:
        draft = self.path.with_suffix(".draft")
        child = await asyncio.create_subprocess_exec(
            *self._command,
            "-Xshare:dump",
            # Classes are stored linked, too: a quarter less at every later start.
            "-XX:+AOTClassLinking",
            f"-XX:SharedClassListFile={classes}",
            f"-XX:SharedArchiveFile={draft}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            await child.wait()
        except asyncio.CancelledError:
            child.kill()
            await child.wait()
            raise
        if child.returncode == 0 and draft.exists():
            draft.replace(self.path)
            self._forget_old()

    def _forget_old(self) -> None:
        every = sorted(self.path.parent.glob("classes-*.jsa"), key=lambda p: -p.stat().st_mtime)
        for old in every[_KEEP:]:
            old.unlink(missing_ok=True)


def _complete_lines(class_list: Path) -> bool:
    """Copy the complete lines of a list that the running node may still be appending to."""
    if not class_list.exists():
        return False
    text = class_list.read_text()
    class_list.with_suffix(".copy").write_text(text[: text.rfind("\n") + 1])
    return True
