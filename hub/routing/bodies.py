"""Bodies of copies: rosters, dispositions, cases, tasks and notices in the receiver's own terms."""

from __future__ import annotations

from typing import Any

from hub.contracts.events import Groups
from hub.routing.masks import Left, Mask
from hub.routing.pseudonyms import Pseudonyms
from hub.sdk.profiles import Profile

_UID_HEX = 32
_HEX = frozenset("0123456789abcdef")
_ROW_ONLY = ("row_key", "uid")


def row_key_of(row_key: str, names: Pseudonyms) -> str:
    """A row key as a receiver is told it: a person's becomes the pseudonym, others stay."""
    if len(row_key) == _UID_HEX and _HEX.issuperset(row_key):
        return names.person(bytes.fromhex(row_key))
    return row_key


def columns_only(left: Left, recipient: str, profile: Profile) -> Left:
    """What a delta holds: the columns of the roster, so that deltas and snapshots add up."""
    columns = profile.roster_columns.get(recipient, frozenset())
    groups: Groups = {}
    for path in left.fields:
        group, _, field = path.partition(".")
        if path in columns:
            groups.setdefault(group, {})[field] = left.groups[group][field]
    return Left(groups, [path for path in left.fields if path in columns])


def body_of(
    body: dict[str, Any], mask: Mask, met: frozenset[str], names: Pseudonyms, day: int
) -> dict[str, Any]:
    """Bodies with row keys as pseudonyms and every row under the mask.

    Args:
        body: Body name → content; ``rows`` holds {row_key, uid, group: {field: value}}.
        mask: The receiver's.
        met: Conditions met for the copy as a whole.
        names: The receiver's pseudonyms.
        day: Day of the copy.
    """
    found = dict(body)
    roster, notice = found.get("roster"), found.get("notice")
    if roster and roster.get("row_key"):
        found["roster"] = {**roster, "row_key": row_key_of(roster["row_key"], names)}
    if notice and notice.get("rows"):
        found["notice"] = {**notice, "rows": [row_key_of(key, names) for key in notice["rows"]]}
    if found.get("rows"):
        found["rows"] = [_row(row, mask, met, names, day) for row in found["rows"]]
    return found


def _row(
    row: dict[str, Any], mask: Mask, met: frozenset[str], names: Pseudonyms, day: int
) -> dict[str, Any]:
    groups: Groups = {name: group for name, group in row.items() if name not in _ROW_ONLY}
    # Whether a student number is known differs from row to row.
    own = mask.conditions("roster.part", groups, ()) | (met - {"no_student_no"})
    uid = row.get("uid")
    return {
        "row_key": row_key_of(row["row_key"], names),
        "person_ref": names.person(uid) if uid else None,
        **mask.apply(groups, own, names, day).groups,
    }


def row_fields(copy: dict[str, Any]) -> list[str]:
    """Paths that the rows of a roster hold, each once."""
    found = {
        f"{name}.{field}"
        for row in copy.get("rows") or ()
        for name, group in row.items()
        if isinstance(group, dict)
        for field in group
    }
    return sorted(found)
