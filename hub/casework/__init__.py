"""Casework: lists, cases, decisions of named people, tasks for humans."""

from __future__ import annotations

from collections.abc import Callable

from hub.casework import decisions, lists, tasks
from hub.contracts.events import CanonicalEvent
from hub.model.contexts import Context
from hub.model.decisions import Decision
from hub.model.folding import RANKS
from hub.model.states import State

Decider = Callable[[State, CanonicalEvent, Context], Decision]

DECIDERS: dict[str, tuple[Decider, ...]] = {
    **dict.fromkeys(RANKS, (tasks.decide,)),
    "category.granted": (decisions.granted, tasks.decide),
    "poverty.relapsed": (lists.decide,),
    "poverty.backstop_needed": (lists.decide,),
    "record.dead_lettered": (lists.reject,),
    "decision.recorded": (decisions.recorded,),
    "timer.decision_overdue": (decisions.overdue,),
}
"""Event type → deciders."""
