"""Comparisons: all checks over sets that were read, pure, so that each can be proved by a test."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from tests.faults.verifier import contents, deliveries, dispositions, fields
from tests.faults.verifier.breaches import KINDS, Allowed
from tests.faults.verifier.grants import Grants
from tests.faults.verifier.sets import Sets
from tests.faults.verifier.truths import Truth

SAMPLES = 20


class Verdict(NamedTuple):
    """What came out.

    Attributes:
        breaches: Kind → number.
        samples: Kind → at most 20 of them.
        counts: Everything that was counted and is no breach.
    """

    breaches: Counter[str]
    samples: dict[str, list[str]]
    counts: Counter[str]

    @property
    def is_clean(self) -> bool:
        """Whether there is no breach."""
        return not self.breaches


def compare(sets: Sets, truth: Truth, grants: Grants, allowed: Allowed | None = None) -> Verdict:
    """Run every check."""
    counts: Counter[str] = Counter()
    breaches: Counter[str] = Counter()
    samples: dict[str, list[str]] = {}
    checks = (dispositions.check, deliveries.check, contents.check, fields.checking(grants))
    for check in checks:
        for breach in check(sets, truth, allowed or Allowed(), counts):
            if breach.kind not in KINDS:
                raise KeyError(breach.kind)
            breaches[breach.kind] += 1
            kept = samples.setdefault(breach.kind, [])
            if len(kept) < SAMPLES:
                kept.append(breach.what)
    return Verdict(breaches, samples, counts)
