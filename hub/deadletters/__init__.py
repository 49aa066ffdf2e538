"""Dead letters: a record that came again corrected settles the one that could not be used."""

from __future__ import annotations

from hub.contracts.events import CanonicalEvent
from hub.model.contexts import Context
from hub.model.decisions import NOTHING, Decision, Settle
from hub.model.states import State


def settle(state: State, event: CanonicalEvent, ctx: Context) -> Decision:
    """Settle the open dead letters of a source record that came in a later version.

    A first version cannot follow a failed one of the same key, so ordinary traffic costs nothing.
    """
    del state, ctx
    if event.lifecycle == "corrected" or event.source_version not in _FIRST:
        return Decision(effects=(Settle(event.source, event.source_record_key),))
    return NOTHING


_FIRST = frozenset({"", "0", "1"})

ALWAYS = (settle,)
"""Deciders for every type that departments publish."""
