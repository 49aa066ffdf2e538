"""Job N as a faust agent: a pydantic model of the row, plain functions, fastavro, one send per event.

The output must be the hub's own bytes, so three things are imported from the hub: its digest of the
content (a format of its own), its table of divisions, and the names of its settings. Everything
else is written as one would write it with these libraries. Look-ups that a good programmer caches
are cached. Start: ``python -m tests.bench.peers.normalise worker``.
"""

from __future__ import annotations

import hmac
import io
import os
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid5

from fastavro import schemaless_writer
from pydantic import BaseModel, Field, ValidationError

from hub.contracts.digests import content_digest
from hub.kernel.divisions import Divisions
from hub.kernel.errors import DataError
from tests.bench.peers.apps import PREFIX, app_of, schema_of

SOURCE = "/gov/320682/health"
NAMESPACE = uuid5(UUID("6a1f0d6e-58c4-5c0e-9b52-0f3f5f0c7a11"), SOURCE)
EVENT = "health.hospitalized"
EPOCH = date(1970, 1, 1)
SHANGHAI_MS = 8 * 3_600_000
DAY_MS = 86_400_000
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
LIFECYCLES = {"1": "created", "2": "corrected", "3": "annulled"}
LOCAL = {"1": True, "0": False, "是": True, "否": False}

HEAD, SCHEMA = schema_of(EVENT)
UID_KEY = bytes.fromhex(
    (Path(os.environ["HUB_DATA_DIR"]) / "secrets" / "k_uid").read_text().strip()
)
DIVISIONS = Divisions.load()

app = app_of("peer-normalise")
admissions = app.topic(f"{PREFIX}in.health.admissions", value_type=bytes, value_serializer="raw")
events = app.topic(f"{PREFIX}bench.events", value_type=bytes, value_serializer="raw")
letters = app.topic(f"{PREFIX}bench.letters", value_type=bytes, value_serializer="raw")


class Admission(BaseModel):
    """One row of 住院登记表; job N has admissions only."""

    number: str = Field(alias="登记流水号")
    institution: str = Field(alias="机构代码")
    action: Literal["1"] = Field(alias="业务类型")
    stay: str = Field(alias="住院号")
    admitted: date = Field(alias="入院日期")
    state: Literal["1", "2", "3"] = Field(alias="记录状态")
    version: int = Field(alias="版本号")
    person: str | None = Field(None, alias="姓名")
    id_number: str = Field(alias="证件号码")
    hospital: str | None = Field(None, alias="机构名称")
    residence: str | None = Field(None, alias="现住区划")
    hukou: str | None = Field(None, alias="户籍区划")
    icd_code: str | None = Field(None, alias="主要诊断编码")
    icd_text: str | None = Field(None, alias="主要诊断名称")
    local: str | None = Field(None, alias="本地住院")


class WrongRecordError(Exception):
    """A record that cannot be used."""


@lru_cache(maxsize=65_536)
def division(code: str, day: date) -> str:
    """The unit that is live on a day."""
    try:
        return DIVISIONS.resolve(code, day)
    except DataError as error:
        raise WrongRecordError(error.code) from None


def birth_of(number: str) -> date:
    """Date of birth in a checked ID number."""
    if len(number) != 18 or not number[:17].isdigit():
        raise WrongRecordError("E-ID-FORMAT")
    total = sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=False))
    if CHECKS[total % 11] != number[17]:
        raise WrongRecordError("E-ID-CHECK")
    try:
        return date.fromisoformat(number[6:14])
    except ValueError:
        raise WrongRecordError("E-ID-BIRTH") from None


def days(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def normalised(value: bytes, recorded: int) -> dict[str, Any]:
    """The canonical event of a row, as the schema has it."""
    try:
        row = Admission.model_validate_json(value)
    except ValidationError as error:
        raise WrongRecordError(str(error.errors()[0]["loc"])) from None
    born = birth_of(row.id_number)
    if days(row.admitted) * DAY_MS - SHANGHAI_MS > recorded:
        raise WrongRecordError("E-FUTURE")
    uid = hmac.digest(UID_KEY, f"resident|{row.id_number}".encode(), "sha256")[:16]
    key, version = f"{row.institution}/{row.number}", f"{row.version:020d}"
    effective = days(row.admitted)
    occurred = effective * DAY_MS - SHANGHAI_MS
    matter = f"{row.institution}/{row.stay}"
    groups: dict[str, dict[str, Any]] = {
        "stay": {
            "hospital": row.hospital,
            "admitted_on": effective,
            "local": LOCAL[row.local] if row.local else None,
        },
        "diagnosis": {"icd_code": row.icd_code, "icd_text": row.icd_text},
        "area": {
            "residence_area": division(row.residence, row.admitted) if row.residence else None,
            "hukou_area": division(row.hukou, row.admitted) if row.hukou else None,
        },
        "id": {
            "name": row.person,
            "id_type": "resident",
            "id_number": row.id_number,
            "birth_date": days(born),
            "sex": "male" if int(row.id_number[16]) % 2 else "female",
        },
    }
    lifecycle = LIFECYCLES[row.state]
    name = f"{len(key)}:{key}{len(EVENT)}:{EVENT}{version}"
    envelope = {
        "event_id": str(uuid5(NAMESPACE, name)),
        "source": "health",
        "source_record_key": key,
        "source_version": version,
        "lifecycle": lifecycle,
        "uid": uid,
        "jurisdiction": division("320682", row.admitted),
        "occurred_at": occurred,
        "effective_from": effective,
        "recorded": recorded,
        "correlation_id": f"health:{matter}",
        "catalog_id": "320682/health/001",
        "digest": content_digest(uid, None, occurred, effective, lifecycle, matter, groups),
    }
    return {"envelope": envelope, **groups}


def encoded(record: dict[str, Any]) -> bytes:
    """Framed Avro."""
    out = io.BytesIO()
    out.write(HEAD)
    schemaless_writer(out, SCHEMA, record)
    return out.getvalue()


def recorded_ms(headers: Any) -> int:
    """When the connector made the record."""
    text = dict(headers)["ce_recordedtime"].decode()
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@app.agent(admissions)
async def normalise(stream: Any) -> None:
    """One row in, one canonical event or one dead letter out, on the same partition number."""
    async for event in stream.events():
        message = event.message
        try:
            record = normalised(event.value, recorded_ms(message.headers))
        except WrongRecordError as error:
            headers = [*message.headers, ("error", str(error).encode())]
            await letters.send(
                key=message.key, value=event.value, partition=message.partition, headers=headers
            )
            continue
        headers = [
            ("ce_id", record["envelope"]["event_id"].encode()),
            ("ce_specversion", b"1.0"),
            ("ce_source", SOURCE.encode()),
            ("ce_type", b"gov.health.hospitalized.v1"),
            ("content-type", b"application/avro"),
        ]
        await events.send(
            key=record["envelope"]["uid"],
            value=encoded(record),
            partition=message.partition,
            headers=headers,
        )


if __name__ == "__main__":
    app.main()
