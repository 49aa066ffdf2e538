"""The operators' overview: pipeline, dead letters, subscriptions, referrals, open work."""

from __future__ import annotations

import asyncio
from typing import Any

from hub.gateway import labels
from hub.gateway.contexts import Gateway
from hub.gateway.labels import Document, pair
from hub.gateway.samples import STAGES, delivered
from hub.kernel.clocks import from_epoch_ms, rfc3339
from hub.store import overviews

REFERRALS = 14


async def overview(gateway: Gateway) -> Document:
    """The figures of now; counts and ids only, never a person's data."""
    letters, subscriptions, referrals, work, states = await asyncio.gather(
        overviews.dead_letters(gateway.pool),
        overviews.subscriptions(gateway.pool),
        overviews.last_referrals(gateway.pool, REFERRALS),
        overviews.open_work(gateway.pool),
        overviews.referral_states(gateway.pool),
    )
    now = gateway.now()
    return {
        "as_of": rfc3339(from_epoch_ms(now)),
        "place": {"zh": gateway.profile.head.zh, "en": gateway.profile.head.en},
        "broker_ok": gateway.sampler.broker_ok,
        "stages": _stages(gateway),
        "lags": _lags(gateway),
        "dead_letters": [_letter(gateway, row, now) for row in letters],
        "subscriptions": [
            _subscription(row) for row in subscriptions if row["topic"].startswith("program.")
        ],
        "referrals": [_referral(gateway, row, now) for row in referrals],
        "referral_states": [
            {**row, "program_name": pair(labels.program(row["program"]))} for row in states
        ],
        "open": [_work(row, now) for row in work],
    }


def _stages(gateway: Gateway) -> list[Document]:
    last, rates = gateway.sampler.last, gateway.sampler.rates()
    return [
        {
            "stage": stage,
            "name": pair(labels.STAGES[stage]),
            "total": last.counts[stage] if last else None,
            "per_second": round(rates[stage], 1) if stage in rates else None,
            "steps": [round(step, 1) for step in gateway.sampler.steps(stage)],
        }
        for stage in STAGES
    ]


def _lags(gateway: Gateway) -> list[Document]:
    last = gateway.sampler.last
    found = [
        {"topic": topic, "name": pair(labels.topic(gateway, topic)), "lag": lag}
        for topic, lag in (last.lags if last else {}).items()
    ]
    return sorted(found, key=lambda row: (-int(str(row["lag"])), str(row["topic"])))


def _letter(gateway: Gateway, row: dict[str, Any], now: int) -> Document:
    return {
        **row,
        "source_name": pair(labels.connector(gateway, row["source"])),
        "reason": pair(labels.code(row["code"])),
        "oldest": pair(labels.age(row["first_at"], now)),
    }


def _subscription(row: dict[str, Any]) -> Document:
    return {
        "id": row["id"],
        "name": pair(labels.program(row["id"])),
        "mode": row["mode"],
        "way": pair(labels.of(labels.WAYS, row["mode"])),
        "generation": row["generation"],
        "next_seq": row["next_seq"],
        "sent_seq": row["sent_seq"],
        "acked_seq": row["acked_seq"],
        "delivered": delivered(row),
        "queued": row["queued"],
        "waiting": row["waiting"],
        "parked": row["parked"],
        "failures": row["failures"],
    }


def _referral(gateway: Gateway, row: dict[str, Any], now: int) -> Document:
    return {
        **row,
        "time": labels.moment(row["opened_at"], now),
        "program_name": pair(labels.program(row["program"])),
        "subject": pair(labels.of(labels.SUBJECTS, row["subject_kind"])),
        "state_name": pair(labels.of(labels.STATES, row["stop_state"] or row["state"])),
        "because": pair(labels.rule(gateway, row["rule"])),
        "late": bool(row["due_at"] and row["due_at"] < now and row["state"] == "created"),
    }


def _work(row: dict[str, Any], now: int) -> Document:
    return {
        **row,
        "kind_name": pair(labels.of(labels.KINDS, row["kind"])),
        "oldest": pair(labels.age(row["oldest_at"], now)),
        "late": bool(row["due_at"] and row["due_at"] < now),
    }
