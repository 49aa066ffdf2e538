"""Bench forward: the raw loop. Reads topics and sends the same bytes on, without any work.

What no program on these clients can beat, so figures can be read against the machine. Started as
``python -m hub.runtime.bench_forwards SOURCES TARGETS``; a pair SOURCE TARGET may be followed by
another, e.g. ``in.a x.b x.b x.c`` for two hops in one process.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from typing import Any

import aiokafka

from hub.kernel.settings import Settings, settings
from hub.runtime import garbage
from hub.runtime.clients import producer
from hub.runtime.sending import Batches

_CHUNK = 4000
_IN_FLIGHT = 3


async def forward(chosen: Settings, sources: Sequence[str], target: str) -> None:
    """Send on what lies and comes in the sources, until cancelled.

    Args:
        chosen: Name broker and prefix.
        sources: Topics to read, without prefix.
        target: Topic to write; a record keeps the number of its partition.
    """
    reader = aiokafka.AIOKafkaConsumer(
        *map(chosen.wire, sources),
        bootstrap_servers=chosen.kafka,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=1 << 20,
        fetch_max_wait_ms=100,
    )
    sender = producer(chosen.kafka)
    await reader.start()
    await sender.start()
    flying: list[list[Any]] = []
    try:
        while True:
            polled = await reader.getmany(timeout_ms=200, max_records=_CHUNK)
            batches = Batches(sender, chosen)
            for partition, records in polled.items():
                for one in records:
                    batches.add(target, partition.partition, one.key, one.value, one.headers)
            flying.append(await batches.send())
            if len(flying) > _IN_FLIGHT:
                await asyncio.gather(*flying.pop(0))
    finally:
        await reader.stop()
        await sender.stop()


async def main(pairs: Sequence[str]) -> None:
    """Forward along every pair until SIGTERM."""
    garbage.settle()
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    loop.add_signal_handler(signal.SIGTERM, task.cancel if task else loop.stop)
    chosen = settings()
    hops = zip(pairs[::2], pairs[1::2], strict=True)
    await asyncio.gather(*(forward(chosen, source.split(","), target) for source, target in hops))


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1:]))
    except asyncio.CancelledError:
        sys.exit(0)
