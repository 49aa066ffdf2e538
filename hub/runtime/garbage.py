"""Garbage: the cyclic collector, set for a process that makes short-lived records.

Catalogues, tables and compiled codecs live as long as the process, and records hold no cycles.
With Python's defaults the collector walks all of them again and again: a third of intake's CPU.
"""

from __future__ import annotations

import gc

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 50


def settle() -> None:
    """Call once everything lasting is loaded: it is never walked again; the rest more rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
