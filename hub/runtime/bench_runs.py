"""Bench runs: one program as real processes over records that lie ready, measured from outside."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from hub.contracts.catalogues import catalogue
from hub.kernel.errors import HubError
from hub.runtime.bench_grounds import Ground, environment
from hub.runtime.bench_meters import Look, Meter, micros, resident_mb

FORWARD = "hub.runtime.bench_forwards"
_TICK = 0.02
_SETTLE = 1.0
_STOP_SECONDS = 30.0
_MOST_SECONDS = 900.0
Done = Callable[[], Awaitable[int]]


class Figures(msgspec.Struct):
    """What one run measured.

    Attributes:
        job: What ran.
        events: Records worked between the first and the last look.
        seconds: Wall time between them.
        per_second: Records per second.
        micros: CPU per record in µs: worker, broker, database; -1 where it runs elsewhere.
        memory_mb: Largest resident memory of one worker process at the end.
        rows: What decide left per event: deliveries, denials, audit rows; empty for other jobs.
        ratio: Records per second by those of the forward loop of the same run.
        mix: What the input holds: topic → share of the records and their mean size.
    """

    job: str
    events: int
    seconds: float
    per_second: int
    micros: dict[str, float]
    memory_mb: float = 0.0
    rows: dict[str, float] = {}
    ratio: float = 1.0
    mix: dict[str, str] = {}


@asynccontextmanager
async def processes(
    ground: Ground, command: Sequence[str], *, count: int = 1
) -> AsyncIterator[list[int]]:
    """Processes of a Python module with the ground's settings; ended in order at the end.

    Args:
        ground: Where they run.
        command: Module and arguments.
        count: How many.
    """
    log = ground.settings.data_dir / f"{command[0].rpartition('.')[2]}.log"
    started = [_start(ground, command, log) for _ in range(count)]
    try:
        yield [one.pid for one in started]
        _all_alive(started, log)
    except HubError as error:
        # The folder is gone by the time somebody reads this.
        error.add_note(log.read_text(encoding="utf-8", errors="replace")[-9000:])
        raise
    finally:
        for one in started:
            one.terminate()
        for one in started:
            await asyncio.to_thread(_end, one)


def _start(ground: Ground, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, "-m", *command],
            env=environment(ground.settings),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def _all_alive(started: Sequence[subprocess.Popen[bytes]], log: Path) -> None:
    for one in started:
        if one.poll() is not None:
            raise HubError(
                f"A measured process ended with code {one.returncode}.",
                hint=f"See {log}.",
                message_zh=f"被测进程以代码 {one.returncode} 退出,请查看 {log}。",
            )


def _end(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def meter(ground: Ground, pids: Sequence[int]) -> Meter:
    """The meter of worker processes, broker and database."""
    services = ground.services
    return Meter(
        {
            "worker": pids,
            "broker": [services.broker.pid if services.broker else None],
            "database": [services.server.pid if services.server else None],
        }
    )


async def until(done: Done, wanted: int, read: Meter, pids: Sequence[int]) -> Look:
    """Wait until so many records are worked; the look of that moment.

    Raises:
        HubError: a process ended, or it takes too long.
    """
    limit = time.monotonic() + _MOST_SECONDS
    while time.monotonic() < limit:
        found = await done()
        if found >= wanted:
            return read.look(found)
        if any(not _lives(pid) for pid in pids):
            break
        await asyncio.sleep(_TICK)
    raise HubError(
        f"{await done()} of {wanted} records were worked.",
        hint="See the log of the measured process.",
        message_zh=f"只处理了 {await done()} / {wanted} 条记录。",
    )


def _lives(pid: int) -> bool:
    # A child that ended stays as a zombie until it is waited for.
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def figures(job: str, first: Look, last: Look, pids: Sequence[int] = ()) -> Figures:
    """Figures between two looks."""
    events, seconds = last.done - first.done, max(last.at - first.at, 1e-9)
    memory = max(map(resident_mb, pids), default=0.0)
    return Figures(
        job, events, round(seconds, 3), round(events / seconds), micros(first, last), memory
    )


async def run_worker(
    ground: Ground, stages: str, total: int, *, job: str = "", count: int = 1
) -> Figures:
    """``hub worker`` with its own wiring, until records, outbox and sends are all worked.

    The claims are locked until every process is up and wants them, so nobody starts early.

    Args:
        ground: Where the records lie.
        stages: Value of ``--stages``.
        total: How many records lie there.
        job: Name of the run; by default the first stage.
        count: Worker processes.
    """
    worked = claimed(ground)

    async def done() -> int:
        found = await worked()
        # The hub's own facts come back to it, so more than the input may have to be worked.
        return found if found < total else total - int(await _busy(ground, stages, found))

    command = ("hub.cli.main", "worker", "--stages", stages)
    async with processes(ground, command, count=count) as pids:
        read = meter(ground, pids)
        async with _gun(ground, pids):
            start = read.look(await worked())
        first = await until(worked, start.done + 1, read, pids)
        if first.done > (start.done + total) // 2:
            # So few records that the first poll took most of them.
            first = start
        last = await until(done, total, read, pids)
        return figures(job or stages.partition(",")[0], first, last, pids)


@asynccontextmanager
async def _gun(ground: Ground, pids: Sequence[int]) -> AsyncIterator[None]:
    """Hold back the workers until each of them waits for its claims."""
    async with ground.db.transaction():
        await ground.db.execute("LOCK TABLE partition_claim IN ACCESS EXCLUSIVE MODE")
        limit = time.monotonic() + 60
        while time.monotonic() < limit and all(map(_lives, pids)):
            waiting = await ground.db.fetchval(
                "SELECT count(*) FROM pg_locks WHERE NOT granted"
                " AND relation = 'partition_claim'::regclass"
            )
            if waiting >= len(pids):
                break
            await asyncio.sleep(_TICK)
        yield
        if len(pids) > 1:
            # The second process has yet to get its share of the partitions.
            await asyncio.sleep(_SETTLE)


async def until_claimed(ground: Ground, seconds: float = 30.0) -> None:
    """Wait until a worker that was just started holds partitions."""
    for _ in range(int(seconds / _TICK)):
        if await ground.db.fetchval("SELECT count(*) FROM partition_claim"):
            return
        await asyncio.sleep(_TICK)


def claimed(ground: Ground) -> Done:
    """Records that workers have moved past."""

    async def done() -> int:
        found: int = await ground.db.fetchval(
            "SELECT coalesce(sum(next_offset), 0)::bigint FROM partition_claim"
        )
        return found

    return done


async def _busy(ground: Ground, stages: str, worked: int) -> bool:
    if stages == "intake":
        return False
    facts = [name for name in catalogue().topics if name.startswith("event.")]
    return bool(await queued(ground)) or await ground.made(facts) > worked


async def queued(ground: Ground) -> int:
    """Copies that are not numbered, or not acknowledged by the broker as far as is known."""
    found: int = await ground.db.fetchval(
        "SELECT (SELECT count(*) FROM outbox)"
        " + (SELECT coalesce(sum(next_seq - 1 - sent_seq), 0)::bigint FROM subscription"
        " WHERE mode = 'kafka')"
    )
    return found


async def run_until_made(
    ground: Ground,
    command: Sequence[str],
    outputs: Sequence[str],
    total: int,
    *,
    events: int = 0,
) -> Figures:
    """Another program over the same input, until its outputs hold so many records.

    Args:
        ground: Where the records lie.
        command: Module and arguments.
        outputs: Topics it writes.
        total: How many records it will have written.
        events: How many it will have read for that; by default as many.
    """
    read_ones = events or total
    before = await ground.made(outputs)

    async def done() -> int:
        return (await ground.made(outputs) - before) * read_ones // total

    async with processes(ground, command) as pids:
        read = meter(ground, pids)
        first = await until(done, 1, read, pids)
        last = await until(done, read_ones, read, pids)
        return figures(command[0].rpartition(".")[2], first, last, pids)


async def run_forward(ground: Ground, topics: Sequence[str], total: int) -> Figures:
    """The raw loop over topics; the ground has the topic ``bench.forward``."""
    command = (FORWARD, ",".join(topics), "bench.forward")
    found = await run_until_made(ground, command, ["bench.forward"], total)
    found.job = "forward"
    return found
