"""Host names: resolved for a few seconds at a time, so that one dead name server holds up nobody.

The system's resolver blocks a thread for as long as it likes. Here each name waits for one
thread at most, and the threads are the resolver's own.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

_THREADS = 32
_FRESH_SECONDS = 30.0
_KEPT = 4096


class HostNames:
    """A small cache before the system's resolver."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "host-names")
        self._known: dict[tuple[str, int], tuple[float, list[str]]] = {}
        self._asked: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of a host.

        Raises:
            OSError: it cannot be resolved now.
        """
        place = host, port
        loop = asyncio.get_running_loop()
        until, found = self._known.get(place, (0.0, []))
        if loop.time() < until:
            return found
        asked = self._asked.get(place)
        if asked is None:
            asked = loop.run_in_executor(self._threads, _addresses, host, port)
            self._asked[place] = asked
            asked.add_done_callback(lambda done: self._answered(place, done))
        # Whoever stops waiting leaves the look-up to the others that wait for it.
        return await asyncio.shield(asked)

    def close(self) -> None:
        """Let the threads go; none is waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answered(self, place: tuple[str, int], done: asyncio.Future[list[str]]) -> None:
        self._asked.pop(place, None)
        if done.cancelled() or done.exception() is not None:
            return
        if len(self._known) >= _KEPT:
            del self._known[next(iter(self._known))]
        until = asyncio.get_running_loop().time() + _FRESH_SECONDS
        self._known[place] = until, done.result()


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
