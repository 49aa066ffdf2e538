"""Copies put into deliveries the way the relay does, by the product's own codecs and store."""

from __future__ import annotations

from hub.contracts import cloudevents
from hub.contracts.codecs import encode_copy
from hub.model.outbox import OutboxRow, pack
from hub.store import deliveries, outbox, subscriptions

EVENT = "0b9c3c0b-5f0e-5d55-8a6b-5a3b8b1d2f41"
NAME, NUMBER = "张三丰", "990682199001011236"


def copy_row(
    number: int, *, program: str = "medical-aid", event_id: str = EVENT, referral: str | None = None
) -> OutboxRow:
    copy = {
        "envelope": {
            "copy_id": f"00000000-0000-5000-8000-{number:012d}", "type": "referral.created",
            "subscription": program, "occurred_at": 1_743_000_000_000, "lifecycle": "created",
            "replaces": None, "correlation_id": "pairwise", "causation_id": None,
            "jurisdiction": "320682", "rule_id": "RG-03.medical-aid", "rule_version": "2025.1",
            "reason_zh": "已纳入低保", "reason_en": "on roll now", "mask_version": "1",
            "masked": ["diagnosis"], "referral_id": referral, "due_at": None,
            "decision_id": None, "profile_version": "2025.1",
            "legal_basis": "《社会救助暂行办法》", "purpose": "medical-aid", "catalog_id": "c",
        },
        "person_ref": "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "id": {"name": NAME, "id_number": NUMBER},
    }  # fmt: skip
    headers = cloudevents.copy_headers(program, copy, recorded=1_743_000_000_000)
    return OutboxRow(
        program, f"program.{program}.inbox", copy["envelope"]["copy_id"], b"k", pack(headers),
        encode_copy(program, copy), b"k", event_id, "referral.created", 1_743_000_000_000,
        referral, ["id.name", "id.id_number"], 1_743_000_000_000,
    )  # fmt: skip


async def deliver(db, *rows: OutboxRow, mode: str = "pull") -> None:
    """Number copies of one program as its relay does."""
    program = rows[0].subscription
    await subscriptions.register(db, {program: (rows[0].topic, mode)})
    await outbox.write(db, rows)
    await db.execute("UPDATE subscription SET owner = '', leased_until = '-infinity'")
    held = await subscriptions.take(db, "test", 99)
    await deliveries.move(db, held, limit=1000, now=1_743_000_001_000)
