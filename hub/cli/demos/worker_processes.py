"""The worker as a process of its own: started again whenever it ends, killed for real."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time

import httpx

from hub.embedded.ports import free_ports
from hub.embedded.processes import end_child, end_orphan, log_tail, open_log, remove
from hub.kernel.errors import HubError
from hub.kernel.settings import Settings

_END = ((signal.SIGTERM, 4.0), (signal.SIGKILL, 2.0))
_TICK = 0.05
_READY_SECONDS = 60.0
_MOST_STARTS = 6
_WINDOW_SECONDS = 30.0


class WorkerProcess:
    """``hub worker`` in a child process.

    Args:
        settings: Of the demonstration, with the addresses of both services.

    Attributes:
        restarts: How often it was started again.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.data_dir.absolute()
        self._pid_file = self._folder / "worker.pid"
        self._log = self._folder / "worker.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._starts: list[float] = []
        self._port = 0
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """Number of the process; None: it does not run."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    async def start(self) -> None:
        """Start the process; what a killed demonstration left behind is ended first.

        Raises:
            HubError: an old process does not end.
        """
        await end_orphan(self._pid_file, ("hub.cli.main", str(self._folder)), _END)
        self._spawn()

    def _spawn(self) -> None:
        now = time.monotonic()
        self._starts = [at for at in self._starts if now - at < _WINDOW_SECONDS] + [now]
        if len(self._starts) > _MOST_STARTS:
            raise HubError(
                f"The worker ends again and again:\n{log_tail(self._log)}",
                hint=f"Read {self._log}.",
                message_zh=f"工作进程反复退出,请查看 {self._log}:\n{log_tail(self._log)}",
            )
        self._port = free_ports(1)[0]
        log = open_log(self._log)
        try:
            self._child = subprocess.Popen(  # noqa: S603 - our own program
                # The mark in the command line tells this folder's worker from others.
                [
                    *(sys.executable, "-X", f"hub-data={self._folder}", "-m", "hub.cli.main"),
                    *("worker", "--health-port", str(self._port)),
                ],
                env=_environment(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)
        self._pid_file.write_text(f"{self._child.pid}\n")

    async def ready(self) -> None:
        """Wait until the worker holds its partitions.

        Raises:
            HubError: it did not come in time.
        """
        limit = time.monotonic() + _READY_SECONDS
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            while time.monotonic() < limit:
                with contextlib.suppress(httpx.HTTPError):
                    answer = await client.get(f"http://127.0.0.1:{self._port}/ready")
                    if answer.is_success:
                        return
                await asyncio.sleep(_TICK)
        raise HubError(
            f"The worker did not become ready:\n{log_tail(self._log)}",
            hint=f"Read {self._log}.",
            message_zh=f"工作进程未就绪,请查看 {self._log}:\n{log_tail(self._log)}",
        )

    async def watch(self) -> None:
        """Start the process again whenever it ends.

        Raises:
            HubError: it ends too often.
        """
        while True:
            if self._child is not None and self._child.poll() is not None:
                self.restarts += 1
                self._spawn()
            await asyncio.sleep(_TICK)

    def kill(self) -> None:
        """End the process at once, as ``kill -9`` does."""
        if self._child is not None:
            self._child.kill()

    async def stop(self) -> None:
        """End the process in order."""
        if self._child is not None:
            await end_child(self._child, _END)
        remove(self._pid_file)


def _environment(settings: Settings) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return own | {
        "HUB_KAFKA": settings.kafka,
        "HUB_DATABASE": settings.database,
        "HUB_DATA_DIR": str(settings.data_dir.absolute()),
        "HUB_SYNTHETIC_PEOPLE": "1",
        "HUB_WEBHOOK_PRIVATE": "1",
        "HUB_PROFILE": settings.profile,
        "HUB_LANES": "2",
        "HUB_LOG_LEVEL": "WARNING",
    }
