"""The canonical event as the hub handles it between codec and deciders.

One flat structure per record: the envelope's attributes and the field groups. Decoding makes
it from bytes (:mod:`hub.contracts.codecs`), intake makes it from a department's record.
"""

from __future__ import annotations

from typing import Any

import msgspec

Groups = dict[str, dict[str, Any]]
"""Field group → field → value. Only groups that are present; values as the codec gives them:
text, int (fen for money, days since 1970-01-01 for dates, ms since 1970 for instants), bool,
list, dict, or None for "not provided"."""


class CanonicalEvent(msgspec.Struct, gc=False):
    """One fact of a department in the hub's own terms (vocabulary of the envelope).

    Attributes:
        event_id: UUIDv5 text over (source, source_record_key, type, version or occurred_at).
        type: ``family.fact``, e.g. ``health.hospitalized``.
        source: Connector id, e.g. ``health``; ``hub`` for the hub's own facts.
        source_record_key: The source's key of the record, without ID numbers.
        source_version: The source's version; empty where occurred_at serves.
        lifecycle: ``created``, ``corrected``, ``annulled`` or ``ceased``.
        replaces: event_id that this one corrects, annuls or ends.
        uid: 16 bytes, keyed hash of the resident ID; None where the record names no person.
        household: Household id issued by civil affairs.
        jurisdiction: Division code.
        occurred_at: ms since 1970.
        effective_from: Days since 1970-01-01 (civil date, Asia/Shanghai).
        observed_at: ms since 1970.
        recorded: ms since 1970, when the connector made the record.
        correlation_id: One matter.
        causation_id: event_id of the causing event.
        decision_id: The decision of a named person.
        authorization_ref: The signed authorisation.
        evidence_ref: Hash of the evidence.
        profile_version: Version of the profile in force.
        catalog_id: Sharing catalogue item of the source.
        digest: 8 bytes over the content, tells a changed record under an old version.
        groups: The field groups present.
    """

    event_id: str
    type: str
    source: str
    source_record_key: str
    source_version: str = ""
    lifecycle: str = "created"
    replaces: str | None = None
    uid: bytes | None = None
    household: str | None = None
    jurisdiction: str = ""
    occurred_at: int = 0
    effective_from: int = 0
    observed_at: int | None = None
    recorded: int = 0
    correlation_id: str = ""
    causation_id: str | None = None
    decision_id: str | None = None
    authorization_ref: str | None = None
    evidence_ref: str | None = None
    profile_version: str | None = None
    catalog_id: str = ""
    digest: bytes = b""
    groups: Groups = {}
