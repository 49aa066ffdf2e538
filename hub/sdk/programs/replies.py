"""Replies: what a receiver answers, as an event whose id does not change when it is sent again."""

from __future__ import annotations

from typing import Any

from hub.contracts.catalogues import catalogue
from hub.contracts.cloudevents import source_of
from hub.contracts.digests import content_digest
from hub.contracts.events import CanonicalEvent, Groups
from hub.kernel.errors import DataError
from hub.kernel.event_ids import EventIds
from hub.sdk.instants import day_of
from hub.sdk.programs.copies import Copy

_OWN = ("reply", "meter")


def fields_of(copy: Copy, event_type: str, said: dict[str, Any]) -> dict[str, Any]:
    """What is said together with what the copy tells anyway: referral, person, snapshot.

    Raises:
        DataError: ``E-TYPE-UNKNOWN``, no type of a reply; ``E-FIELD-TYPE``, an unknown field;
            ``E-FIELD-MISSING``, a referral's answer to a copy without referral.
    """
    declared = catalogue().event(event_type)
    if "reply" not in declared.carried:
        raise DataError("E-TYPE-UNKNOWN", "type", "not a reply")
    known = {"person_ref": copy.person_ref} if "reply" in declared.groups else {}
    if event_type.startswith("referral."):
        known["referral_id"] = copy.referral_id
    if event_type.startswith("roster."):
        known["snapshot_id"] = (copy.data.get("roster") or {}).get("snapshot_id")
    found = {name: value for name, value in (known | said).items() if value is not None}
    allowed = {f for g in declared.groups if g in _OWN for f in catalogue().groups[g].fields}
    for name in found:
        if name not in allowed:
            raise DataError("E-FIELD-TYPE", name)
    if event_type.startswith("referral.") and "referral_id" not in found:
        raise DataError("E-FIELD-MISSING", "referral_id")
    return found


def event_of(copy: Copy, event_type: str, fields: dict[str, Any], *, now: int) -> CanonicalEvent:
    """The reply as the record of ``program.<id>.reply``.

    Args:
        copy: What is answered; one copy has one answer of a type, however often it is sent.
        event_type: E.g. ``referral.accepted``.
        fields: From :func:`fields_of`.
        now: ms since 1970.
    """
    place = catalogue()
    groups: Groups = {}
    for name in _OWN:
        if name in place.event(event_type).groups:
            own = {f: v for f, v in fields.items() if f in place.groups[name].fields}
            if own:
                groups[name] = own
    division = copy.attributes["source"].split("/")[2]
    return CanonicalEvent(
        event_id=EventIds(source_of(division, copy.program)).of(copy.id, event_type, ""),
        type=event_type,
        source=copy.program,
        source_record_key=copy.id,
        jurisdiction=division,
        occurred_at=now,
        effective_from=day_of(now),
        recorded=now,
        correlation_id=str(fields.get("referral_id") or fields.get("snapshot_id") or copy.id),
        digest=content_digest(event_type, groups),
        groups=groups,
    )
