"""Receipts: the way in of events, read from the records they came in."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition
from rigs import PARTITIONS, TOPIC, event

from hub.contracts.codecs import decode_event
from hub.runtime.originals import log
from hub.tracking.receipts import Place, Receipt, receipts


async def places(rig) -> dict[int, list[Place]]:
    """Partition → where its events lie."""
    topic = rig.settings.wire(TOPIC)
    async with log(rig.settings.kafka) as kept:
        bounds = await kept.all_bounds(topic, range(PARTITIONS))
        records = await kept.spans(topic, bounds)
    found: dict[int, list[Place]] = {}
    for one in sorted(records, key=lambda record: (record.partition, record.offset)):
        place = Place(decode_event(one.value).event_id, topic, one.partition, one.offset)
        found.setdefault(one.partition, []).append(place)
    return found


async def test_receipts_of_several_partitions_come_and_nothing_but_what_was_asked(rig):
    await rig.send(*(event(number) for number in range(60)))
    by_part = await places(rig)
    assert len(by_part) > 1
    # Two of each partition with others between them, and one whose event is another.
    asked = [one for each in by_part.values() for one in (each[1], each[-1])]
    strange = asked[0]._replace(event_id="another", off=asked[0].off + 1)
    found = await receipts(rig.settings.kafka, [*asked, strange])
    assert set(found) == {one.event_id for one in asked}
    keys = {event(number).event_id: f"record-{number}" for number in range(60)}
    assert {name: one.record_key for name, one in found.items()} == {
        one.event_id: keys[one.event_id] for one in asked
    }
    assert all(isinstance(one, Receipt) and one.source == "health" for one in found.values())


async def test_what_has_expired_is_left_out_and_holds_nothing_up(rig):
    await rig.send(*(event(number) for number in range(60)))
    each = next(iter((await places(rig)).values()))
    admin = AIOKafkaAdminClient(bootstrap_servers=rig.settings.kafka)
    await admin.start()
    try:
        at = TopicPartition(each[0].topic, each[0].part)
        await admin.delete_records({at: RecordsToDelete(before_offset=each[1].off)})
    finally:
        await admin.close()
    found = await receipts(rig.settings.kafka, [each[0], each[1]])
    assert set(found) == {each[1].event_id}
