"""What both faust peers share: an app as a careful faust user sets it up.

Acknowledgements of all replicas, no leader topic, no web server, a short linger so that sends share
requests, an empty stream is not waited for at a rebalance. State is kept in memory, which is faster
than RocksDB, with faust's changelog topics behind it; delivery is at least once, which is faster
and steadier than faust's exactly-once.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import faust
from fastavro import parse_schema

SCHEMAS = Path(__file__).parents[3] / "schemas"
PREFIX = os.environ.get("HUB_TOPIC_PREFIX", "")
PARTITIONS = int(os.environ.get("HUB_PARTITIONS", "4"))


def app_of(name: str) -> faust.App:
    """The app of one peer."""
    return faust.App(
        f"{PREFIX}{name}",
        broker=f"kafka://{os.environ['HUB_KAFKA']}",
        store="memory://",
        datadir=f"{os.environ['HUB_DATA_DIR']}/{PREFIX}{name}",
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        topic_disable_leader=True,
        web_enabled=False,
        stream_wait_empty=False,
        producer_acks=-1,
        producer_linger=0.005,
        consumer_auto_offset_reset="earliest",
    )


def schema_of(event_type: str) -> tuple[bytes, Any]:
    """The five bytes before a body of this type, and its schema, parsed."""
    ids = (SCHEMAS / "ids.yaml").read_text(encoding="utf-8").splitlines()
    (line,) = [one for one in ids if f"file: events/{event_type}.avsc," in one]
    number = int(line.partition("id: ")[2].partition(",")[0])
    text = (SCHEMAS / "events" / f"{event_type}.avsc").read_text(encoding="utf-8")
    return b"\x00" + number.to_bytes(4, "big"), parse_schema(json.loads(text))
