"""Referrals: rights that follow from facts, the ledger, and what programs answer."""

from __future__ import annotations

from collections.abc import Callable

from hub.contracts.events import CanonicalEvent
from hub.model.contexts import Context
from hub.model.decisions import Decision
from hub.model.folding import RANKS
from hub.model.keys import REPLIES
from hub.model.states import State
from hub.referrals import ledgers, meters, replies

Decider = Callable[[State, CanonicalEvent, Context], Decision]

DECIDERS: dict[str, tuple[Decider, ...]] = {
    **dict.fromkeys(RANKS, (ledgers.decide, meters.decide)),
    **dict.fromkeys(REPLIES, (replies.decide,)),
}
"""Event type → deciders, to be run in this order after ``hub.model.facts.record``."""
