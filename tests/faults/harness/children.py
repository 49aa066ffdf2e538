"""Children: the hub's processes, killed and stopped for real, and started again when they end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.embedded.processes import log_tail

_AGAIN_SECONDS = 0.3
_END_SECONDS = 8.0
_MOST_STARTS = 60
ROOT = Path(__file__).parents[3]
"""The checkout."""
Limits = Mapping[int, int]
"""``resource.RLIMIT_…`` → soft and hard limit."""


class CrashLoopError(Exception):
    """A process ends again and again."""


@dataclass(frozen=True)
class Exit:
    """One end of a process: exit code (negative: the signal) and when, in monotonic seconds."""

    code: int
    at: float


class Child:
    """One process of the site under supervision.

    Args:
        name: For people, and of its log.
        command: What is run, in the checkout.
        environ: Its whole environment.
        log: File that gets both outputs.
        limits: Resource limits of the process.
        again: Start it again when it ends.

    Attributes:
        lives: Variables of the coming lives, each used once; a life beyond them has none.
        exits: How each life ended.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        log: Path,
        *,
        limits: Limits | None = None,
        again: bool = True,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.environ = dict(environ)
        self.log = log
        self.limits = dict(limits or {})
        self.again = again
        self.exits: list[Exit] = []
        self.starts = 0
        self.lives: deque[dict[str, str]] = deque()
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Number of the process that runs now; None: none does."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self, **environ: str) -> None:
        """Start it.

        Args:
            environ: Variables for this life only; the next one goes without.
        """
        self.lives.appendleft(environ)
        await self._spawn()
        self._watching = asyncio.create_task(self._watch(), name=f"watch {self.name}")

    async def _spawn(self) -> None:
        self.starts += 1
        if self.starts > _MOST_STARTS:
            raise CrashLoopError(f"{self.name} ends again and again:\n{log_tail(self.log)}")
        environ = self.environ | (self.lives.popleft() if self.lives else {})
        self._ended.clear()
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=ROOT,
                env=environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=self._limiter(),
            )

    def _limiter(self) -> Callable[[], None] | None:
        if not self.limits:
            return None

        def limit() -> None:
            for kind, most in self.limits.items():
                resource.setrlimit(kind, (most, most))

        return limit

    async def _watch(self) -> None:
        while True:
            assert self._process is not None
            code = await self._process.wait()
            self.exits.append(Exit(code, time.monotonic()))
            self._ended.set()
            if not self.again:
                return
            await asyncio.sleep(_AGAIN_SECONDS)
            if not self.again:
                return
            await self._spawn()

    async def ended(self, seconds: float) -> int:
        """Wait for the end of the life that runs now.

        Returns:
            Its exit code.

        Raises:
            TimeoutError: it did not end.
        """
        lives = len(self.exits)
        async with asyncio.timeout(seconds):
            while len(self.exits) == lives:
                await self._ended.wait()
                await asyncio.sleep(0.01)
        return self.exits[-1].code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if there is one."""
        if pid := self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """``kill -9``."""
        self.signal(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.signal(signal.SIGCONT)

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL; it is not started again."""
        self.again = False
        self.thaw()
        self.signal(signal.SIGTERM)
        if self._watching is None:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._watching), _END_SECONDS)
        self.kill()
        await asyncio.gather(self._watching, return_exceptions=True)

    def failure(self) -> BaseException | None:
        """What ended the supervision, if anything."""
        task = self._watching
        return task.exception() if task and task.done() and not task.cancelled() else None
