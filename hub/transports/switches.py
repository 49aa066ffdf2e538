"""Switches: pausing, resuming, restarting and hurrying a running connector, and what it counts."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any


class Switch:
    """Shared by a connector's loops and its heartbeat.

    Attributes:
        paused: Polls rest while this is set.
        counters: ``(item, way, name)`` → number.
    """

    def __init__(self) -> None:
        self.paused = False
        self.counters: Counter[tuple[str, str, str]] = Counter()
        self._failing: dict[tuple[str, str], tuple[int, str]] = {}
        self._rung = asyncio.Event()
        self._again = asyncio.Event()

    def obey(self, command: str) -> None:
        """Carry out a command of an operator; an unknown one is nothing."""
        match command:
            case "pause":
                self.paused = True
            case "resume":
                self.paused = False
            case "restart":
                self.paused = False
                self._again.set()
        self._rung.set()

    async def rest(self, seconds: float, stop: asyncio.Event) -> None:
        """Wait between two polls; a command or the end of the connector ends it early.

        While paused it does not return until something changes.
        """
        first = True
        while not stop.is_set() and not self._again.is_set() and (first or self.paused):
            first = False
            self._rung.clear()
            waits = [asyncio.create_task(stop.wait()), asyncio.create_task(self._rung.wait())]
            try:
                await asyncio.wait(
                    waits,
                    timeout=None if self.paused else seconds,
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                for one in waits:
                    one.cancel()

    @property
    def again(self) -> bool:
        """Whether the connector shall open its sources anew."""
        return self._again.is_set()

    def restarted(self) -> None:
        """It has."""
        self._again.clear()

    def polled(self, item: str, way: str, error: str = "") -> None:
        """Note how a poll ended: the class of its error, or nothing."""
        if error:
            count, _ = self._failing.get((item, way), (0, ""))
            self._failing[item, way] = count + 1, error
        else:
            self._failing.pop((item, way), None)

    def items(self) -> dict[str, dict[str, Any]]:
        """Item → what the heartbeat tells of it."""
        found: dict[str, dict[str, Any]] = {}
        for (item, _way, name), number in self.counters.items():
            told = found.setdefault(item, {})
            if name in {"sent", "polls", "rejected"}:
                told[name] = told.get(name, 0) + number
        for (item, _way), (count, error) in self._failing.items():
            told = found.setdefault(item, {})
            told["errors"], told["error"] = count, error
        return found
