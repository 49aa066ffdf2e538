"""A hub with one small decider and one program, on the session's real broker and database."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from pathlib import Path
from uuid import UUID, uuid5

import aiokafka
import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hub.contracts.cloudevents import event_headers
from hub.contracts.codecs import decode_event, encode_event
from hub.contracts.digests import content_digest
from hub.contracts.events import CanonicalEvent
from hub.kernel.errors import DataError
from hub.kernel.person_keys import partition_of
from hub.kernel.settings import Settings
from hub.model.decisions import DeadLetter, Decision, Deliver, Reason, Schedule
from hub.model.outbox import OutboxRow, pack
from hub.model.records import Fact, Person, Referral
from hub.runtime.services import STAGES, Worker
from hub.runtime.wirings import DECIDE, INTAKE, Row, Wiring
from hub.store.connections import connect

TOPIC = "event.health"
RAW = "in.health.admissions"
INBOX = "program.alpha.inbox"
PARTITIONS = 4
WHY = Reason("RG-0", "test")


def event(number: int, key: str = "record", *, content: int = 0, uid: bytes | None = None):
    groups = {"stay": {"hospital": str(content)}}
    return CanonicalEvent(
        event_id=str(uuid5(UUID(int=7), f"{key}-{number}")),
        type="health.hospitalized",
        source="health",
        source_record_key=f"{key}-{number}",
        uid=uid or (number % 50).to_bytes(16, "big"),
        jurisdiction="320682",
        occurred_at=1_743_500_000_000 + number,
        effective_from=20_000,
        digest=content_digest(groups),
        groups=groups,
    )


def decide(state, event, ctx):
    """Keeps the fact, opens a referral, tells alpha; some record keys make it misbehave."""
    key = event.source_record_key
    if key.startswith("crash"):
        raise RuntimeError(key)
    if key.startswith("kill") or event.type == "timer.kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if key.startswith("hog"):
        hog()
    if key.startswith("bad"):
        raise DataError("E-DATE", "stay.from")
    if key.startswith("quiet"):
        return Decision(because=(Reason("RG-0", "nothing_to_do"),))
    if key.startswith("refused"):
        notice = _tell(event, "audit.violation")
        return Decision(effects=(notice, DeadLetter("E-EFFECT-WITHOUT-DECISION", "decision_id")))
    if event.type == "timer.remind":
        return Decision(effects=(_tell(event, "referral.overdue"),))
    held = state.persons.get(event.uid) or Person(event.uid)
    fact = Fact(
        event.event_id, event.type, event.effective_from, event.occurred_at, 0, "", event.source,
        "", None, "created", None, {},
    )  # fmt: skip
    person = msgspec.structs.replace(held, facts=[*held.facts, fact])
    referral = Referral(
        f"r-{event.event_id}", "alpha", "person", event.uid.hex(), event.event_id, event.uid, None,
        "created", "", "RG-0", ctx,
    )  # fmt: skip
    effects = [_tell(event, "referral.created")]
    if key.startswith("timer"):
        effects.append(Schedule(f"t-{key}", ctx, "remind", {}))
    return Decision((person, referral), tuple(effects), (WHY,))


def bad_late(state, event, ctx):
    """A second decider that fails after the first one has changed the state."""
    if event.source_record_key.startswith("late"):
        raise DataError("E-AMOUNT", "stay.cost")
    return Decision()


def _tell(event, kind):
    return Deliver(
        "alpha", kind, event.event_id, WHY, uid=event.uid, referral_id=f"r-{event.event_id}"
    )


def copies(deliver, ctx):
    copy_id = str(uuid5(UUID(int=8), f"{deliver.type}-{deliver.cause}"))
    headers = [("ce_id", copy_id.encode())]
    return [
        OutboxRow(
            deliver.program, INBOX, copy_id, deliver.uid, pack(headers), deliver.cause.encode(),
            deliver.uid, deliver.cause, deliver.type, ctx, deliver.referral_id, ["stay.from"],
        )
    ]  # fmt: skip


def pipeline(record):
    """Intake of the rig: the raw record is the encoded event; ``junk`` is a dead letter."""
    if record.value == b"junk":
        return [(f"dlq.hub.{RAW}", record.key, record.value, [("hub.dlq.code", b"E-JSON")])]
    if record.value == b"boom":
        raise RuntimeError
    if record.value == b"kill":
        os.kill(os.getpid(), signal.SIGKILL)
    return [(TOPIC, record.key, record.value, [])]


def buried(record, code):
    return [(f"dlq.hub.{RAW}", record.key, record.value, [("hub.dlq.code", code.encode())])]


def hog():
    """Ask for memory until there is no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20), hard))
    try:
        held = [bytes(1 << 20) for _ in range(1000)]
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    raise AssertionError(len(held))


def decode(value):
    if value == b"boom":
        raise RuntimeError
    if value == b"kill":
        os.kill(os.getpid(), signal.SIGKILL)
    return decode_event(value)


def wiring() -> Wiring:
    return Wiring(
        rows=(
            Row("in.*", INTAKE),
            Row("event.*", DECIDE, "health.*", (decide, bad_late)),
            Row("timer", DECIDE, "timer.*", (decide,)),
        ),
        topics=(RAW, TOPIC, INBOX),
        context=lambda now: now,
        copies=copies,
        decode=decode,
        pipelines={RAW: pipeline},
        buried=buried,
        subscriptions={"alpha": (INBOX, "kafka")},
    )


class Rig:
    """Names of its own on the shared broker, a database of its own."""

    def __init__(self, kafka: str, dsn: str, folder: Path, **values) -> None:
        self.folder = folder
        own = {
            "kafka": kafka, "database": dsn, "data_dir": folder, "synthetic_people": True,
            "topic_prefix": f"t{os.urandom(4).hex()}-", "batch": 100,
        }  # fmt: skip
        self.settings = Settings(**(own | values))
        self.died: list[str] = []
        self._processes: list[asyncio.subprocess.Process] = []

    async def open(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.kafka)
        await admin.start()
        wanted = {TOPIC: PARTITIONS, RAW: PARTITIONS, INBOX: 1, f"dlq.hub.{RAW}": PARTITIONS}
        await admin.create_topics(
            [NewTopic(self.settings.wire(name), parts, 1) for name, parts in wanted.items()]
        )
        await admin.close()
        self.producer = aiokafka.AIOKafkaProducer(bootstrap_servers=self.settings.kafka)
        await self.producer.start()
        self.db = await connect(self.settings.database)

    async def close(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
                await process.wait()
        await self.producer.stop()
        await self.db.close()

    def worker(self, stages=STAGES, **values) -> Worker:
        return Worker(self.settings, wiring(), stages=stages, fatal=self.died.append, **values)

    async def process(self, *stages: str, failpoints: str = "") -> asyncio.subprocess.Process:
        """A worker in a process of its own, which may be killed."""
        environ = {f"HUB_{k.upper()}": str(v) for k, v in self.settings.model_dump().items() if v}
        environ["HUB_SYNTHETIC_PEOPLE"] = "1"
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(Path(__file__)), *(stages or STAGES),
            env=os.environ | environ | {
                "HUB_FAILPOINTS": failpoints,
                "HUB_FAILPOINTS_LOG": str(self.folder / "failpoints"),
                "PYTHONPATH": str(Path.cwd()),
            },
            stderr=(self.folder / "worker.log").open("ab"),
        )  # fmt: skip
        self._processes.append(process)
        return process

    async def send(self, *events, topic=TOPIC) -> None:
        for one in events:
            value = one if isinstance(one, bytes) else encode_event(one)
            key = b"k" if isinstance(one, bytes) else one.uid
            headers = [] if isinstance(one, bytes) else event_headers(one)
            await self.producer.send(
                self.settings.wire(topic), value, key, headers=headers,
                partition=partition_of(key, PARTITIONS),
            )  # fmt: skip
        await self.producer.flush()

    async def until(self, sql, wanted, seconds=25.0):
        """Wait until a query gives a value."""
        found = None
        for _ in range(int(seconds * 20)):
            found = await self.db.fetchval(sql)
            if found == wanted:
                return
            await asyncio.sleep(0.05)
        log = self.folder / "worker.log"
        tail = log.read_text()[-3000:] if log.exists() else ""
        raise AssertionError(f"{sql}: {found}, not {wanted}; died: {self.died}\n{tail}")

    async def inbox(self, count, topic=INBOX):
        """All records of a topic once there are so many."""
        consumer = aiokafka.AIOKafkaConsumer(
            self.settings.wire(topic),
            bootstrap_servers=self.settings.kafka,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        await consumer.start()
        found = []
        try:
            for _ in range(100):
                polled = await consumer.getmany(timeout_ms=200)
                found += [record for records in polled.values() for record in records]
                if len({record.value for record in found}) >= count:
                    return found
        finally:
            await consumer.stop()
        raise AssertionError(f"{len(found)} records, not {count}")


def numbers(records):
    """Sequence number → ids of the copies that carry it."""
    found: dict[int, set[bytes]] = {}
    for record in records:
        headers = dict(record.headers)
        found.setdefault(int(headers["ce_subscriptionseq"]), set()).add(headers["ce_id"])
    return found


async def main(stages: list[str]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Worker(Settings(), wiring(), stages=stages):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
