"""Opening balance: rights already served, so that a later change creates no new referral."""

from __future__ import annotations

from hub.model.contexts import Context
from hub.model.households import View
from hub.model.records import Interest, Referral
from hub.referrals.ledgers import referral_id
from hub.referrals.rights import desired


def served(view: View, ctx: Context) -> list[Referral | Interest]:
    """A served ledger row and interests for every right of a household that is open now."""
    found: list[Referral | Interest] = []
    for key, right in desired(view, ctx.profile).items():
        if right.end is not None or right.rule.subject == "job":
            continue
        row = Referral(
            id=referral_id(key),
            program=right.rule.program,
            subject_kind=right.kind,
            subject_ref=right.ref,
            episode=right.episode,
            uid=right.uid,
            household=view.household,
            state="served",
            correlation=right.correlation,
            rule=right.rule.id,
            opened_at=ctx.now_ms,
            spell_from=right.start,
            history=[[ctx.now_ms, "served", "opening-balance", right.episode]],
        )
        people = [right.uid] if right.uid is not None else [r.uid for r in view.residents]
        found.append(row)
        found += [
            Interest(
                uid=uid,
                program=row.program,
                valid_from=right.start,
                household=view.household,
                quality="definitive",
                referral=row.id,
            )
            for uid in people
            if uid is not None
        ]
    return found
