"""Rosters: rows, deltas at once, snapshots at the end of a quarter, receipts, opening balance."""

from __future__ import annotations

from collections.abc import Callable

from hub.contracts.events import CanonicalEvent
from hub.model.contexts import Context
from hub.model.decisions import Decision
from hub.model.folding import RANKS
from hub.model.states import State
from hub.rosters import deltas, periods, snapshots

Decider = Callable[[State, CanonicalEvent, Context], Decision]

DECIDERS: dict[str, tuple[Decider, ...]] = {
    **dict.fromkeys(RANKS, (deltas.decide,)),
    f"timer.{periods.KIND}": (snapshots.close,),
    "roster.receipt": (snapshots.receipt,),
}
"""Event type → deciders."""
