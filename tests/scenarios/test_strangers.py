"""A reader that knows nothing of the hub: Confluent framing and the .avsc file are enough."""

from __future__ import annotations

import json
import struct
from io import BytesIO
from pathlib import Path

import fastavro
import yaml
from confluent_kafka import Consumer

from hub.kernel.places import shipped
from tests.scenarios.harness.runs import Run
from tests.scenarios.harness.stages import Stage, Templates
from tests.scenarios.test_poison_everywhere import Family


async def test_a_stranger_with_the_schema_file_reads_an_inbox(
    kafka: str, database: str, templates: Templates, tmp_path: Path, keys_folder: Path
):
    story = Family()
    async with Stage(kafka, database, templates, tmp_path, keys_folder, story) as stage:
        await Run(stage, story, "plain", 0).play()
        consumer = Consumer(
            {
                "bootstrap.servers": kafka,
                "group.id": f"{stage.prefix}stranger",
                "auto.offset.reset": "earliest",
            }
        )
        consumer.subscribe([f"{stage.prefix}program.medical-aid.inbox"])
        message = consumer.poll(15)
        consumer.close()

    assert message is not None
    assert message.error() is None
    value = message.value()
    magic, schema_id = struct.unpack(">bI", value[:5])
    ids = yaml.safe_load((shipped("schemas") / "ids.yaml").read_text())
    names = {entry["id"]: entry["file"] for entry in ids["schemas"]}
    assert magic == 0
    assert names[schema_id] == "programs/medical-aid.avsc"
    schema = json.loads((shipped("schemas") / names[schema_id]).read_text())
    copy = fastavro.schemaless_reader(BytesIO(value[5:]), schema, None)
    assert copy["envelope"]["type"] == "referral.created"
    assert copy["id"]["id_number"] == story.cast.persons["A"].id_number
    assert dict(message.headers())["ce_type"] == b"gov.referral.created.v1"
