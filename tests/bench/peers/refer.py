"""Job R as a faust agent with tables: repeats are dropped, people kept, grants referred.

Written as one would: one topic of both kinds of events, one table of events seen, one of people,
one send per referral. It reads the hub's Avro with fastavro and writes JSON; it imports nothing
from the hub. Start: ``python -m tests.bench.peers.refer worker``.
"""

from __future__ import annotations

import io
from typing import Any

import faust
from fastavro import schemaless_reader

from tests.bench.peers.apps import PARTITIONS, PREFIX, app_of, schema_of

PROGRAMS = ("medical-aid", "dibao", "employment-aid", "instant-settlement")
GRANT = "category.granted"

SCHEMAS = {
    head: (name, schema)
    for name in (GRANT, "employment.started")
    for head, schema in [schema_of(name)]
}


class Person(faust.Record):
    """What is kept about a person."""

    events: int = 0
    last: int = 0
    programs: list[str] = []  # noqa: RUF012 - replaced, never changed


class Referral(faust.Record, serializer="json"):
    """What a program is sent."""

    program: str
    subject: str
    episode: str
    since: int
    name: str
    id_number: str


app = app_of("peer-refer")
incoming = app.topic(
    f"{PREFIX}event.category", f"{PREFIX}event.employment", value_type=bytes, value_serializer="raw"
)
inboxes = {name: app.topic(f"{PREFIX}bench.inbox.{name}", value_type=Referral) for name in PROGRAMS}
seen = app.Table("seen", default=bool, partitions=PARTITIONS, key_type=str)
people = app.Table("people", default=Person, partitions=PARTITIONS, key_type=str)


def decoded(value: bytes) -> tuple[str, dict[str, Any]]:
    """Type and record of framed Avro."""
    name, schema = SCHEMAS[value[:5]]
    return name, schemaless_reader(io.BytesIO(value[5:]), schema, None)


@app.agent(incoming)
async def refer(stream: Any) -> None:
    """Every new event counts for its person; a grant is referred to one to four programs."""
    async for event in stream.events():
        name, record = decoded(event.value)
        envelope = record["envelope"]
        if envelope["event_id"] in seen:
            continue
        seen[envelope["event_id"]] = True
        subject = envelope["uid"].hex()
        person = people[subject]
        person.events += 1
        since = record["envelope"]["effective_from"].toordinal() - 719_163
        person.last = max(person.last, since)
        if name == GRANT:
            identity = record["id"]
            for program in PROGRAMS[: 1 + since % 4]:
                person.programs = [*person.programs, program]
                await inboxes[program].send(
                    key=subject,
                    value=Referral(
                        program=program,
                        subject=subject,
                        episode=envelope["event_id"],
                        since=since,
                        name=identity["name"],
                        id_number=identity["id_number"],
                    ),
                )
        people[subject] = person


if __name__ == "__main__":
    app.main()
