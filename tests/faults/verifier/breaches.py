"""Breaches: each kind has a key of its own; repeats and parked copies are counts, not breaches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.faults.verifier.sets import Sets
from tests.faults.verifier.truths import Truth

KINDS = {
    "lost": "acknowledged, and neither an event nor a dead letter",
    "unseen": "an event on the log with no disposition on record",
    "wrong_disposition": "decided, filtered or dead-lettered other than the truth says",
    "missing_referral": "a referral that must stand in the ledger does not",
    "duplicate_referral": "more than one referral for a program, subject and episode",
    "orphan_referral": "a referral without ledger row, or a row without an acknowledged cause",
    "changed_copy": "one copy id with different bytes",
    "renumbered_copy": "one copy id under two numbers, or one number for two copies",
    "gap": "a number of a subscription with neither a copy nor a parked row",
    "inversion": "first copies about one person in another order than facts or numbers",
    "offsets": "claims and the log disagree, or Kafka's mirror is ahead of the claim",
    "missing_copy": "a copy that a receiver must have did not come",
    "surplus_copy": "a copy that no fact causes, or one that came for one fact too often",
    "missing_retraction": "what was told and taken back was not annulled at the receiver",
    "wrong_fields": "a copy holds a field that is not granted, or lacks one that is",
    "final_state": "who is on roll with which open referrals differs from the reference model",
    "bug": "a dead letter E-BUG",
    "vanished": "what the witness saw is no longer on the log, or other bytes are",
    "unreadable": "a record that is not what its topic promises",
    "not_recovered": "the hub did not come to rest in time",
}


class Breach(NamedTuple):
    """One difference.

    Attributes:
        kind: Of :data:`KINDS`.
        what: Which one; names ids and numbers of facts, never a person's number.
    """

    kind: str
    what: str


class Allowed(NamedTuple):
    """What a case expects beyond its ledger.

    Attributes:
        codes: Codes of dead letters that may stand although no fact expects them.
        dead: How many dead letters no fact expects must stand; None: any number with these codes.
    """

    codes: frozenset[str] = frozenset()
    dead: int | None = None


Check = Callable[[Sets, Truth, Allowed, Counter[str]], Iterator[Breach]]
