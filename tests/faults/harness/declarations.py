"""Declarations: what a case says about itself, and what a run of it says afterwards."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SINGLE = "single"
TRIPLE = "triple"
ROOT_RIGHTS = "root"
"""A need: mount, cgroups, network settings."""


class NotRunError(Exception):
    """The machine lacks what the case needs; the text says what."""


@dataclass(frozen=True)
class Load:
    """What departments send meanwhile; see ``python -m tests.faults.loads --help``.

    Attributes:
        rate: Facts per second; 0: the case sends its own.
        people: Persons they are about.
        mix: Name of the mix.
        roll: Families granted aid before the faults begin.
    """

    rate: float = 200
    people: int = 2000
    mix: str = "baseline"
    roll: int = 20


@dataclass(frozen=True)
class Scale:
    """One size of a case.

    Attributes:
        name: ``quick`` or ``full``.
        rounds: How often the fault is made; its meaning is the case's.
        seconds: Length of the fault, or of the whole; its meaning is the case's.
        load: Background load.
        recovery: Seconds from the heal to R6, at most; None: nothing was broken that could heal.
        stall: Longest gap between two end-to-end deliveries; None: not a matter of this case.
    """

    name: str = "quick"
    rounds: int = 1
    seconds: float = 20.0
    load: Load = Load()
    recovery: float | None = 60.0
    stall: float | None = None


@dataclass(frozen=True)
class Case:
    """A case; its module has ``CASE`` and ``async def inject(site, scale, dice)``.

    Attributes:
        id: As in the catalogue, e.g. ``F04``.
        zh: Title.
        en: The same, English.
        quick: Scale of every change.
        full: Scale of a release.
        topology: ``single`` or ``triple``.
        needs: E.g. :data:`ROOT_RIGHTS`, or the name of a program.
        ci: Part of the CI set.
        workers: How many workers the site has.
        stages: Stages per worker; empty: all, in each.
        connectors: Connectors that run as processes.
        webhooks: Programs that get webhooks at this site, though the profile says Kafka.
        disks: Services with a disk of 512 MB of their own (``kafka``, ``postgres``); the case
            then has services of its own and needs root.
        partitions: Of in.* and event.* topics.
        environ: Settings of the hub's processes on top, ``HUB_…``.
        allow: Breach codes the verifier may report without failing the case.
        dead: Dead letters expected beyond those the ledger expects.
        sabotages: Names in ``tests/faults/sabotages.py``; each must turn this case red.
    """

    id: str
    zh: str
    en: str
    quick: Scale = Scale()
    full: Scale = Scale("full")
    topology: str = SINGLE
    needs: Sequence[str] = ()
    ci: bool = False
    workers: int = 2
    stages: Sequence[str] = ()
    connectors: Sequence[str] = ("civil-affairs", "hrss", "medical-insurance")
    webhooks: Sequence[str] = ()
    disks: Sequence[str] = ()
    partitions: int = 4
    environ: dict[str, str] = field(default_factory=dict)
    allow: Sequence[str] = ()
    dead: int = 0
    sabotages: Sequence[str] = ()

    def scale(self, name: str) -> Scale:
        """The scale of that name."""
        return self.full if name == "full" else self.quick

    def check_needs(self) -> None:
        """See whether the machine has what the case needs.

        Raises:
            NotRunError: it has not.
        """
        for need in self.needs:
            if need == ROOT_RIGHTS and os.geteuid() != 0:
                raise NotRunError("root")
            if need != ROOT_RIGHTS and shutil.which(need) is None:
                raise NotRunError(need)


@dataclass
class Result:
    """How a case went.

    Attributes:
        id: Of the case.
        seed: Of its dice.
        scale: Name of the scale.
        sabotage: Name; empty: an honest hub.
        rounds: Of the scale as it was run, which need not be its own.
        length: ``seconds`` of the scale, likewise.
        verdict: ``green``, ``red`` or ``not run``.
        reasons: Why it is red or was not run.
        seconds: How long it took.
        recovery: Seconds from the heal to R6; None: not reached.
        stall: Longest gap in deliveries, seconds.
        breaches: Kind → number, as the verifier counted them.
        notes: What the case found worth telling.
        verifier: The verifier's whole report.
    """

    id: str
    seed: int
    scale: str
    sabotage: str = ""
    rounds: int = 0
    length: float = 0.0
    verdict: str = "green"
    reasons: list[str] = field(default_factory=list)
    seconds: float = 0.0
    recovery: float | None = None
    stall: float | None = None
    breaches: dict[str, int] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    verifier: dict[str, Any] = field(default_factory=dict)

    def fail(self, reason: str) -> None:
        """Turn it red."""
        self.verdict = "red"
        self.reasons.append(reason)
