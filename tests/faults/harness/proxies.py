"""Proxies: TCP between the hub's processes and a broker or the database, with faults on demand.

A proxy keeps its port for its whole life, so clients find the way again when the weather clears.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.harness.commits import CommitCut

_CHUNK = 1 << 20
_RESET_EVERY = 1.0
Target = tuple[str, int] | Path
"""Host and port, or the path of a Unix socket."""


@dataclass
class Weather:
    """What happens to connections now; the default is a clear sky.

    Attributes:
        refuse: New connections are closed at once.
        half_open: New connections are accepted and never answered until it ends.
        hold_up: Bytes towards the server wait until it ends, as on a line that lost its packets.
        hold_down: Bytes towards the client wait.
        delay: Seconds each chunk is late.
        jitter: Seconds of random difference to the delay.
        resets: Share of the open connections that is reset each second.
    """

    refuse: bool = False
    half_open: bool = False
    hold_up: bool = False
    hold_down: bool = False
    delay: float = 0.0
    jitter: float = 0.0
    resets: float = 0.0


@dataclass(eq=False)
class _Link:
    """One client connection and its line to the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    swallow: bool = False
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def reset(self) -> None:
        """End both sides at once; the client sees a reset."""
        for writer in filter(None, (self.client, self.server)):
            raw = writer.get_extra_info("socket")
            if raw is not None and raw.family != socket.AF_UNIX and writer is self.client:
                with contextlib.suppress(OSError):
                    linger = struct.pack("ii", 1, 0)
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()


class Proxy:
    """One port in front of one server.

    Args:
        target: Where the server is; may be a function, as a server can move.
        dice: Random numbers of resets and jitter.
        port: Port to listen on; 0: any free one.

    Attributes:
        port: Where clients connect, on 127.0.0.1; known after the start.
        weather: Assign another one, or call :meth:`clear`; open connections feel it too.
        commits: Cuts of PostgreSQL's COMMIT, armed by a case.
        resets: How many connections the proxy has reset.
    """

    def __init__(self, target: Callable[[], Target], dice: random.Random, *, port: int = 0) -> None:
        self._target = target
        self._dice = dice
        self.port = port
        self.commits: CommitCut | None = None
        self.resets = 0
        self._weather = Weather()
        self._changed = asyncio.Event()
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self._resetting: asyncio.Task[None] | None = None

    @property
    def weather(self) -> Weather:
        """What happens now."""
        return self._weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        self._weather = weather
        self._changed.set()
        self._changed = asyncio.Event()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(
            self._accepted, "127.0.0.1", self.port, limit=_CHUNK
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._resetting = asyncio.create_task(self._reset_some())

    async def stop(self) -> None:
        """Close everything."""
        if self._resetting:
            self._resetting.cancel()
        if self._server:
            self._server.close()
        self.sever()
        tasks = [task for link in self._links for task in link.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def clear(self) -> None:
        """A clear sky again."""
        self.weather = Weather()
        self.commits = None

    def sever(self) -> None:
        """Reset every open connection; new ones are let in as the weather says."""
        for link in list(self._links):
            self.resets += 1
            link.reset()

    def cut(self) -> None:
        """Reset every open connection and refuse new ones until the weather clears."""
        self.weather = Weather(refuse=True)
        self.sever()

    @property
    def connections(self) -> int:
        """Open connections."""
        return len(self._links)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(writer)
        self._links.add(link)
        try:
            if self._weather.refuse:
                link.reset()
                return
            await self._while(lambda: self._weather.half_open)
            await self._joined(link, reader)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            link.reset()
            self._links.discard(link)

    async def _joined(self, link: _Link, reader: asyncio.StreamReader) -> None:
        target = self._target()
        if isinstance(target, Path):
            back, link.server = await asyncio.open_unix_connection(str(target), limit=_CHUNK)
        else:
            back, link.server = await asyncio.open_connection(*target, limit=_CHUNK)
        up = asyncio.create_task(self._pump(link, reader, link.server, up=True))
        down = asyncio.create_task(self._pump(link, back, link.client, up=False))
        link.tasks = [up, down]
        await asyncio.wait(link.tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in link.tasks:
            task.cancel()
        await asyncio.gather(*link.tasks, return_exceptions=True)

    async def _pump(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool
    ) -> None:
        parser = None
        while chunk := await reader.read(_CHUNK):
            if up:
                parser = parser or CommitCut.parser()
                seen = parser.feed(chunk) if isinstance(self._target(), Path) else 0
                if seen and self.commits and await self.commits.met(link, chunk, writer):
                    continue
            elif link.swallow:
                # The server has answered the COMMIT; the client must never learn it.
                self.resets += 1
                return
            await self._late()
            await self._while(lambda: self._weather.hold_up if up else self._weather.hold_down)
            writer.write(chunk)
            await writer.drain()

    async def _late(self) -> None:
        weather = self._weather
        if weather.delay:
            spread = self._dice.uniform(-weather.jitter, weather.jitter)
            await asyncio.sleep(max(0.0, weather.delay + spread))

    async def _while(self, bad: Callable[[], bool]) -> None:
        while bad():
            await self._changed.wait()

    async def _reset_some(self) -> None:
        while True:
            await asyncio.sleep(_RESET_EVERY)
            if share := self._weather.resets:
                for link in list(self._links):
                    if self._dice.random() < share:
                        self.resets += 1
                        link.reset()
