"""Rows of one working day, written as the hub's stages write them."""

from __future__ import annotations

import json
from uuid import UUID, uuid5

from tests.console.conftest import Rig

_SPACE = UUID("6a1f3a9e-0c57-4d0e-8a4c-3d1b2f6c9b10")
HOUR = 3_600_000


def event(name: str) -> str:
    """An event id."""
    return str(uuid5(_SPACE, name))


async def subscription(rig: Rig, name: str, mode: str, **values: int) -> None:
    """A program's subscription."""
    given = {"next_seq": 10, "sent_seq": 9, "acked_seq": 0} | values
    await rig.fetch(
        "INSERT INTO subscription (id, topic, mode, next_seq, sent_seq, acked_seq)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        name, f"program.{name}.inbox", mode, given["next_seq"], given["sent_seq"],
        given["acked_seq"],
    )  # fmt: skip


async def copy(
    rig: Rig,
    program: str,
    seq: int,
    state: str = "cursor",
    *,
    at: int,
    referral: str | None = None,
    person: bytes = b"p1",
    kind: str = "referral.created",
) -> None:
    """A numbered copy."""
    await rig.fetch(
        "INSERT INTO delivery (subscription, generation, seq, topic, copy_id, key, headers, body,"
        " person_key, event_id, type, created_at, referral_id, fields, occurred_at, moved_at,"
        " state, done_at) VALUES ($1, 1, $2, $3, $4, '\\x00', '\\x00', '\\x00', $5, $6, $7, $8,"
        " $9, '[]', $8, $10, $11, $12)",
        program, seq, f"program.{program}.inbox", f"{program}-{seq}", person,
        event(f"{program}{seq}"), kind, at - 400, referral, at, state,
        at + 600 if state in {"sent", "parked"} else None,
    )  # fmt: skip


async def referral(
    rig: Rig, name: str, program: str, state: str, *, opened: int, due: int | None
) -> None:
    """A referral; one that was accepted or completed has that step in its history."""
    steps = [] if state in {"created", "closed"} else [[opened + 5, state, program, ""]]
    await rig.fetch(
        "INSERT INTO referral (id, program, subject_kind, subject_ref, episode, household, state,"
        " correlation, rule, opened_at, due_at, spell_from, history, rev)"
        " VALUES ($1, $2, 'person', $1, $3, $4, $5, $1, 'R1', $6, $7, 1, $8, 1)",
        name, program, event(f"grant-{name}"), f"H-{name}", state, opened, due,
        json.dumps(steps),
    )  # fmt: skip


async def task(rig: Rig, name: str, level: str, *, opened: int, due: int) -> None:
    """An open task."""
    await rig.fetch(
        "INSERT INTO task (id, kind, state, opened_by, correlation, opened_at, owner_level,"
        " due_at, rev) VALUES ($1, 'household_reassessment', 'open', 'e', $1, $2, $3, $4, 1)",
        name, opened, level, due,
    )  # fmt: skip


async def letter(
    rig: Rig, name: str, source: str, code: str, *, at: int, key: str = "K-1", state: str = "open"
) -> None:
    """A dead letter whose bytes name a person."""
    await rig.fetch(
        "INSERT INTO dead_letter (id, stage, topic, part, off, source, record_key, type,"
        " correlation, code, category, field, detail, value, attempts, first_failed_at,"
        " failed_at, state) VALUES ($1, 'intake', 'in.x.y', 0, 1, $2, $3, 'health.hospitalized',"
        " 'm', $4, 'schema', 'stay.admitted_on', 'wrong', $5, 1, $6, $6, $7)",
        name, source, key, code, "张三 320682".encode(), at, state,
    )  # fmt: skip


async def fact(
    rig: Rig,
    name: str,
    source: str,
    disposition: str = "decided",
    *,
    at: int,
    copies: tuple[str, ...] = (),
    denied: tuple[tuple[str, str], ...] = (),
    kind: str = "health.hospitalized",
) -> None:
    """A fact that was decided, with its audit row."""
    await rig.fetch(
        "INSERT INTO seen_event (month, event_id, digest, disposition, type, part, off, source,"
        " at) VALUES (202604, $1::text::uuid, '\\x00', $2, $3, 0, 1, $4, $5)",
        event(name), disposition, kind, source, at,
    )  # fmt: skip
    doc = {
        "because": [],
        "changed": [],
        "copies": [[one, f"{name}-{one}", "referral.created"] for one in copies],
        "denied": [[who, why, "health.hospitalized"] for who, why in denied],
    }
    await rig.fetch(
        "INSERT INTO audit (at, kind, actor, event_id, type, doc)"
        " VALUES ($1, 'decision', 'hub', $2, $3, $4)",
        at, event(name), kind, json.dumps(doc),
    )  # fmt: skip
