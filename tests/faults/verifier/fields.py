"""Fields: what a copy holds is what its receiver may see, no more and no less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.faults.verifier.breaches import Allowed, Breach, Check
from tests.faults.verifier.grants import MUST, Grants
from tests.faults.verifier.sets import Sets
from tests.faults.verifier.truths import Truth

_NAMES = frozenset({"id.name", "id.id_number"})


def checking(grants: Grants) -> Check:
    """The check by these grants."""
    judged: dict[tuple[str, str, frozenset[str]], str] = {}

    def check(sets: Sets, truth: Truth, allowed: Allowed, counts: Counter[str]) -> Iterator[Breach]:
        del truth, allowed
        for copy in sets.copies:
            key = copy.program, copy.type, copy.fields
            found = judged.get(key)
            if found is None:
                found = judged[key] = _judged(grants, *key)
            if found:
                yield Breach("wrong_fields", f"{copy.program} {copy.type} {copy.copy_id}: {found}")
            counts["fields_checked"] += 1

    return check


def _judged(grants: Grants, program: str, kind: str, fields: frozenset[str]) -> str:
    """What is wrong with the fields of such a copy; empty: nothing."""
    groups = grants.groups(program)
    held = {field for field in fields if field.partition(".")[0] in groups}
    granted = grants.granted(program, kind.removesuffix("-annulled"))
    if "school.student_no" in held and program.startswith("education"):
        granted -= _NAMES
    extra = sorted(held - granted)
    if extra:
        return f"not granted {extra}"
    missing = sorted(MUST.get((program, kind), frozenset()) - held)
    return f"granted and missing {missing}" if missing else ""
