"""Topics of one test with records in them, for pages that browse."""

from __future__ import annotations

import os
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hub.contracts.catalogues import catalogue
from hub.contracts.codecs import encode_copy, encode_event
from hub.contracts.digests import content_digest
from hub.contracts.events import CanonicalEvent
from tests.console.conftest import Rig

NUMBER, NAME, PHONE = "110101199003078515", "欧阳春晓", "13812345678"
IDS = [f"0b9c3c0b-5f0e-5d55-8a6b-5a3b8b1d2f{n:02x}" for n in range(100)]
TOPICS = ("event.need", "in.village.reports", "program.medical-aid.inbox")
PARTS = 2


class Sent(NamedTuple):
    """A record that a test sends."""

    topic: str
    value: bytes
    key: bytes = b"\x01\xab\xcd\xef" * 4
    part: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


def need(number: int, urgency: str = "urgent") -> bytes:
    """An event with a person in it."""
    groups = {
        "id": {"name": NAME, "id_number": NUMBER},
        "contact": {"phone": PHONE},
        "need": {"need_kind": "living", "urgency": urgency, "note": NAME},
    }
    event = CanonicalEvent(
        IDS[number], "need.discovered", "village", f"R-{number}", uid=b"\xfe" * 16,
        jurisdiction="320682", correlation_id=IDS[number], digest=content_digest(groups),
        groups=groups,
    )  # fmt: skip
    return encode_event(event)


def copy(program: str) -> bytes:
    """A copy with everything granted filled in where it is a text."""
    schema = catalogue().schemas_by_id[catalogue().schema_id(f"programs/{program}.avsc")]
    envelope = next(one for one in schema["fields"] if one["name"] == "envelope")["type"]
    filled = {one["name"]: _filled(one["type"]) for one in envelope["fields"]}
    filled["type"] = "referral.created"
    return encode_copy(
        program,
        {"envelope": filled, "person_ref": "ABCDEFGH", "id": {"name": NAME, "id_number": NUMBER}},
    )


def _filled(kind: object) -> object:
    if isinstance(kind, list):
        return None
    if isinstance(kind, dict) and kind["type"] == "array":
        return []
    if isinstance(kind, dict) and kind["type"] == "enum":
        return kind["symbols"][0]
    return 0 if isinstance(kind, dict) and kind["type"] == "long" else "x"


def raw(**fields: object) -> bytes:
    """A department's record."""
    return msgspec.json.encode(fields)


async def fill(rig: Rig, records: list[Sent]) -> None:
    """Make the topics of a test under a prefix of their own and send records in order."""
    settings = rig.settings.model_copy(update={"topic_prefix": f"b{os.urandom(4).hex()}-"})
    rig.console.settings = settings
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    await admin.create_topics([NewTopic(settings.wire(name), PARTS, 1) for name in TOPICS])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka) as producer:
        for one in records:
            await producer.send_and_wait(
                settings.wire(one.topic), one.value, key=one.key, partition=one.part,
                headers=list(one.headers),
            )  # fmt: skip
