"""The operators' overview: pipeline, dead letters, subscriptions, referrals, open work."""

from __future__ import annotations

import asyncio
from typing import Any

from hub.gateway.contexts import Gateway
from hub.gateway.samples import STAGES, delivered
from hub.kernel.clocks import from_epoch_ms, rfc3339
from hub.store import overviews, reading
from hub.store.reading import ReferralView, SubscriptionState
from hub.tracking import labels
from hub.tracking.labels import Document, Label, pair

REFERRALS = 14


async def overview(gateway: Gateway) -> Document:
    """The figures of now; counts and ids only, never a person's data."""
    letters, subscriptions, referrals, work, states = await asyncio.gather(
        overviews.dead_letters(gateway.pool),
        reading.subscription_states(gateway.pool),
        reading.recent_referrals(gateway.pool, limit=REFERRALS),
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
            _subscription(state) for state in subscriptions if state.topic.startswith("program.")
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


def _subscription(state: SubscriptionState) -> Document:
    return {
        "id": state.id,
        "name": pair(labels.program(state.id)),
        "mode": state.mode,
        "way": pair(labels.of(labels.WAYS, state.mode)),
        "generation": state.generation,
        "next_seq": state.next_seq,
        "sent_seq": state.sent_seq,
        "acked_seq": state.acked_seq,
        "delivered": delivered(state),
        "owned": state.owned,
        "queued": state.queued,
        "waiting": state.waiting,
        "parked": state.parked,
        "failures": state.failures,
    }


def _referral(gateway: Gateway, view: ReferralView, now: int) -> Document:
    late = view.due_at is not None and view.due_at < now and view.state == "created"
    return {
        "id": view.id,
        "program": view.program,
        "state": view.state,
        "stop_state": view.stop_state or "",
        "rule": view.rule,
        "correlation": view.correlation,
        "opened_at": view.opened_at,
        "time": labels.moment(view.opened_at, now),
        "program_name": pair(labels.program(view.program)),
        "subject": pair(labels.of(labels.SUBJECTS, view.subject_kind)),
        "state_name": pair(labels.of(labels.STATES, view.stop_state or view.state)),
        "because": pair(labels.rule(gateway, view.rule)),
        "late": late,
    }


def _work(row: dict[str, Any], now: int) -> Document:
    return {
        **row,
        "what_name": pair(labels.OPEN[row["what"]]),
        "kind_name": pair(_kind(row["what"], row["kind"])),
        "oldest": pair(labels.age(row["oldest_at"], now)),
        "late": bool(row["due_at"] and row["due_at"] < now),
    }


def _kind(what: str, kind: str) -> Label:
    if what in {"case", "task"}:
        return labels.of(labels.KINDS, kind)
    return labels.code(kind) if what == "dead_letter" else labels.program(kind)
