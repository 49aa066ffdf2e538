"""Opening balance: the last snapshot of each recipient, so that deltas start from it."""

from __future__ import annotations

from hub.model.contexts import Context
from hub.model.households import View
from hub.model.records import RosterRow
from hub.rosters.rows import known_people, rows_of
from hub.sdk.rosters import row_digest


def last_rows(view: View, ctx: Context) -> list[RosterRow]:
    """The rows each recipient already has about a household."""
    people = known_people(view)
    return [
        RosterRow(
            rule.recipient,
            row.key,
            row.uid,
            view.household,
            row.fields,
            present=True,
            digest=row_digest(row.fields),
        )
        for rule in ctx.profile.rosters
        for row in rows_of(rule, view, people).values()
    ]
