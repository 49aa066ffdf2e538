"""Ledgers: what was planned and what came of sending it, one JSON line each.

A fact is ``planned`` before it is sent, and ``acked``, ``failed`` or ``unknown`` afterwards. A
generator that is killed leaves facts that are planned only: nobody knows whether they were sent.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Literal

import msgspec

from tests.faults.loads.facts import Fact

Outcome = Literal["acked", "failed", "unknown"]
FILE = "facts.jsonl"


class Line(msgspec.Struct, omit_defaults=True):
    """One line: a planned fact, or the outcome of one."""

    planned: Fact | None = None
    n: int = 0
    outcome: Outcome = "unknown"
    at: int = 0
    """ms of the monotonic clock, which all processes of a machine share."""


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Line).decode


class Ledger:
    """The ledger of one generator; every line is with the operating system before it counts.

    Args:
        folder: Where ``facts.jsonl`` is.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = (folder / FILE).open("ab", buffering=0)
        self.counts: dict[str, int] = {}

    def plan(self, facts: Iterable[Fact]) -> None:
        """Note facts that are sent next."""
        self._file.write(b"".join(_ENCODE(Line(planned=fact)) + b"\n" for fact in facts))

    def note(self, numbers: Iterable[int], outcome: Outcome) -> None:
        """Note what came of them."""
        numbers, at = list(numbers), time.monotonic_ns() // 1_000_000
        self.counts[outcome] = self.counts.get(outcome, 0) + len(numbers)
        lines = (_ENCODE(Line(n=n, outcome=outcome, at=at)) + b"\n" for n in numbers)
        self._file.write(b"".join(lines))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read(folder: Path) -> tuple[dict[int, Fact], dict[int, Outcome]]:
    """Facts by number, and the outcome of each; a cut last line is the generator's death.

    Raises:
        ValueError: two facts have one number, so two generators wrote into one ledger.
    """
    facts: dict[int, Fact] = {}
    outcomes: dict[int, Outcome] = {}
    for text in (folder / FILE).read_bytes().split(b"\n")[:-1]:
        line = _DECODE(text)
        if line.planned is None:
            outcomes[line.n] = line.outcome
        elif line.planned.n in facts:
            raise ValueError(f"fact {line.planned.n} stands twice in {folder}")
        else:
            facts[line.planned.n] = line.planned
    return facts, {n: outcomes.get(n, "unknown") for n in facts}
