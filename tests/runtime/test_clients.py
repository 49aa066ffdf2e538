from __future__ import annotations

import asyncio

from rigs import PARTITIONS, TOPIC

from hub.runtime.clients import consumer

HOUR = 3600


async def test_a_member_that_polled_nothing_for_an_hour_still_makes_room_for_another(rig):
    group, topic = rig.settings.wire("hub.members"), rig.settings.wire(TOPIC)
    members = [consumer(rig.settings.kafka, group, f"{group}.{n}") for n in range(2)]
    try:
        await members[0].start()
        members[0].subscribe([topic])
        await shared(members, [PARTITIONS, 0])
        members[0]._subscription._last_fetch_ended -= HOUR
        await members[1].start()
        members[1].subscribe([topic])
        await shared(members, [PARTITIONS // 2, PARTITIONS // 2])
    finally:
        await asyncio.gather(*(one.stop() for one in members))


async def shared(members, wanted):
    """Wait until each member has so many partitions."""
    for _ in range(600):
        found = [len(one.assignment()) for one in members]
        if found == wanted:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{found}, not {wanted}")
