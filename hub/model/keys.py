"""Keys: which records an event needs before anything can be decided about it.

A timer that fired is the event ``timer.<kind>`` with the group ``timer`` = its payload.
The reply of a program has the program's id as ``source``.
"""

from __future__ import annotations

from typing import Any

from hub.contracts.events import CanonicalEvent
from hub.model.states import Keys

REPLIES = frozenset(
    {"referral.accepted", "referral.rejected", "referral.completed", "referral.stop_answered"}
)
_NONE: frozenset[Any] = frozenset()


def keys(event: CanonicalEvent) -> Keys:
    """What to load for an event; deciders ask for more with ``Need``.

    Telling asks for every event who was told of it or of what it replaces; loaded with the
    others it costs no statement of its own.
    """
    groups = event.groups
    uids: frozenset[bytes] = frozenset((event.uid,)) if event.uid is not None else _NONE
    if "household" in groups:
        uids = uids.union(member_uids(groups["household"]))
    household = frozenset((event.household,)) if event.household else _NONE
    told = (event.event_id, event.replaces) if event.replaces else (event.event_id,)
    found = Keys(uids=uids, households=household, told=frozenset(told))
    if event.type in _SPECIAL or event.decision_id or event.type.startswith("timer."):
        return found | _special(event)
    if event.household or event.uid:
        return found
    return found | Keys(subjects=_subjects(groups))


def own_record(event: CanonicalEvent) -> Keys:
    """What to load for an event that only may tell a new address: its person, nothing around."""
    return Keys(persons=frozenset((event.uid,)) if event.uid is not None else _NONE)


def member_uids(group: dict[str, Any]) -> list[bytes]:
    """Uids of the members that a ``household`` group lists."""
    return [bytes.fromhex(m["ref"]) for m in group.get("members") or () if m.get("ref")]


def list_key(event: CanonicalEvent) -> tuple[str, str] | None:
    """(source, list_ref) of the list a row belongs to; the department's id also for rejects."""
    row = event.groups.get("list")
    if not row or not row.get("list_ref"):
        return None
    return sender(event), row["list_ref"]


def sender(event: CanonicalEvent) -> str:
    """The connector a fact came from; a reject is the hub's fact about a department's topic."""
    topic = (event.groups.get("failure") or {}).get("topic") or ""
    parts = topic.split(".")
    return parts[1] if len(parts) > 2 and parts[0] == "in" else event.source


def decision_of(event: CanonicalEvent) -> str | None:
    """The decision a fact rests on, from the envelope or its ``decision`` group."""
    return event.decision_id or (event.groups.get("decision") or {}).get("decision_id")


def _subjects(groups: dict[str, dict[str, Any]]) -> frozenset[str]:
    found = [
        value
        for group, field in (("meter", "meter_account"), ("house", "house_ref"))
        if (value := (groups.get(group) or {}).get(field))
    ]
    return frozenset(found)


def _special(event: CanonicalEvent) -> Keys:
    reply = event.groups.get("reply") or {}
    timer = event.groups.get("timer") or {}
    listed = list_key(event)
    decision = decision_of(event) or timer.get("decision_id")
    recipient = timer.get("recipient")
    if event.type == "roster.receipt":
        recipient = event.source
    return Keys(
        referrals=frozenset(x for x in (reply.get("referral_id"),) if x),
        lists=frozenset(x for x in (listed,) if x),
        decisions=frozenset(x for x in (decision,) if x),
        recipients=frozenset(x for x in (recipient,) if x),
    )


_SPECIAL = REPLIES | {
    "roster.receipt",
    "decision.recorded",
    "poverty.relapsed",
    "poverty.backstop_needed",
    "record.dead_lettered",
}
