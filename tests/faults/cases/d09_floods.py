"""D09: a disaster in one county while another connector floods the hub with garbage."""

from __future__ import annotations

import asyncio
import random
import time

from aiokafka import AIOKafkaProducer

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.machines import crowding
from tests.faults.harness.pulses import Pulse
from tests.faults.harness.sites import Site

CASE = Case(
    "D09",
    "灾害突发叠加一个连接器以每秒 5000 条灌垃圾",
    "A disaster's burst, and a connector flooding garbage at 5,000/s",
    quick=Scale(seconds=10, load=Load(80), recovery=120),
    full=Scale("full", seconds=600, load=Load(90, people=50_000), recovery=600),
    allow=("E-JSON", "E-ENCODING", "E-FIELD-MISSING"),
    sabotages=("crash_swallowed",),
)
_FLOOD = "in.health.admissions"
_PER_S = 5000
_TICK = 0.1
_LIMIT = 5.0


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Urgent grants of civil affairs keep coming meanwhile; each is timed to its program."""
    async with Pulse(site, dice.randrange(4001, 5000)) as pulse:
        await asyncio.sleep(3)
        calm = pulse.cut()
        site.tell(f"灌入垃圾 {_PER_S}/s · flood {scale.seconds:.0f} s")
        sent = await _flood(site, scale.seconds, dice)
        await asyncio.sleep(2)
        stormy = pulse.cut()
    slow = crowding()
    site.notes["garbage per second"] = round(sent / scale.seconds)
    site.notes["urgent p95 s, calm and meanwhile"] = calm.p95, stormy.p95
    if stormy.p95 > _LIMIT * slow:
        site.broken.append(f"urgent facts: p95 {stormy.p95:.1f} s, at most {_LIMIT * slow:.1f}")


async def _flood(site: Site, seconds: float, dice: random.Random) -> int:
    """Bytes that mean nothing, as a connector gone wild would publish them."""
    producer = AIOKafkaProducer(bootstrap_servers=site.cluster.direct, acks=1, linger_ms=20)
    await producer.start()
    sent, begin = 0, time.monotonic()
    try:
        while (passed := time.monotonic() - begin) < seconds:
            while sent < _PER_S * passed:
                body = b'{"' + dice.randbytes(60)
                await producer.send(
                    site.prefix + _FLOOD, body, partition=sent % site.case.partitions
                )
                sent += 1
            await asyncio.sleep(_TICK)
        await producer.flush()
    finally:
        await producer.stop()
    return sent
