"""Memories: a control group whose limit makes the kernel kill for want of memory."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Self

from tests.faults.harness.children import Child
from tests.faults.harness.declarations import NotRunError

_ROOT = Path("/sys/fs/cgroup/memory")
_ROOM = 24 << 20
_EATER = """
import time
eaten = []
for _ in range({chunks}):
    eaten.append(b"x" * (1 << 20))
time.sleep(2)
"""


class MemoryGroup:
    """A group for one process; a context.

    Raises:
        NotRunError: the machine has no memory groups, or none may be made.
    """

    def __enter__(self) -> Self:
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="hub-faults-", dir=_ROOT))
        except OSError as error:
            raise NotRunError("memory cgroup") from error
        return self

    def __exit__(self, *_error: object) -> None:
        for pid in (self._folder / "cgroup.procs").read_text().split():
            (_ROOT / "cgroup.procs").write_text(pid)
        self._folder.rmdir()

    def admit(self, child: Child) -> None:
        """Every coming life of a process begins in this group."""
        script = 'echo $$ > "$0" && exec "$@"'
        child.command = ["sh", "-c", script, str(self._folder / "cgroup.procs"), *child.command]

    def dismiss(self, child: Child) -> None:
        """Coming lives begin outside again."""
        child.command = child.command[4:]

    async def exhaust(self, child: Child) -> None:
        """Let a neighbour take the memory that is left; the kernel looks at the child first."""
        _first(child)
        used = int((self._folder / "memory.usage_in_bytes").read_text())
        (self._folder / "memory.limit_in_bytes").write_text(str(used + _ROOM))
        script = ('echo $$ > "$0" && exec "$@"', str(self._folder / "cgroup.procs"))
        code = _EATER.format(chunks=2 * (_ROOM >> 20))
        eater = await asyncio.create_subprocess_exec(
            "sh", "-c", *script, sys.executable, "-c", code
        )
        try:
            await eater.wait()
        except asyncio.CancelledError:
            eater.kill()
            raise
        (self._folder / "memory.limit_in_bytes").write_text("-1")


def _first(child: Child) -> None:
    Path(f"/proc/{child.pid}/oom_score_adj").write_text("1000")
