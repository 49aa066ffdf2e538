"""``python -m tests.faults.verifier.witnesses``: read what the hub sends while faults happen.

It reads committed records of all inboxes, ``event.*`` and ``dlq.*`` from where they stand at its
start, over any outage, and writes one JSON line for each; SIGTERM ends it.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
import time
from pathlib import Path

import msgspec
from confluent_kafka import KafkaException

from tests.faults import sites
from tests.faults.sites import Site
from tests.faults.verifier.readings import WITNESS_FILE
from tests.faults.verifier.sets import Sighting
from tests.faults.verifier.topics import (
    EVENTS,
    INBOXES,
    LETTERS,
    Record,
    digest_of,
    number_of,
    taken,
)
from tests.faults.verifier.watching import Watch

_ENCODE = msgspec.json.Encoder().encode


def main() -> int:
    """0: ended by a signal."""
    parser = argparse.ArgumentParser(prog="tests.faults.verifier.witnesses", description=__doc__)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watch(sites.load(chosen.site), chosen.out, stop)
    return 0


def watch(site: Site, folder: Path, stop: threading.Event) -> None:
    """Write sightings until ``stop`` is set."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / WITNESS_FILE).open("ab", buffering=0) as out, Watch(site, _is_watched) as seen:
        sys.stdout.write('{"phase": "watching"}\n')
        sys.stdout.flush()
        while not stop.is_set():
            with contextlib.suppress(KafkaException):
                records = seen.poll(0.25)
                out.write(b"".join(_ENCODE(_sighting(site, one)) + b"\n" for one in records))


def _is_watched(name: str) -> bool:
    return any(pattern.fullmatch(name) for pattern in (EVENTS, INBOXES, LETTERS))


def _sighting(site: Site, record: Record) -> Sighting:
    topic, off, key, value, headers = taken(record)
    return Sighting(
        topic=topic.removeprefix(site.prefix),
        part=record.partition() or 0,
        off=off,
        ce_id=(headers.get("ce_id") or b"").decode("latin-1"),
        seq=number_of(headers, "ce_subscriptionseq"),
        generation=number_of(headers, "ce_subscriptiongen"),
        digest=digest_of(key, value, headers),
        key=key.hex(),
        at=time.monotonic_ns() // 1_000_000,
    )


if __name__ == "__main__":
    sys.exit(main())
