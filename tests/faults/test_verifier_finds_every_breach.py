"""Each kind of breach is put into sets that are right, and must be found under its own key."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.faults.doctoring import GRANTS, TOPIC, facts, settled, truth_of
from tests.faults.loads.facts import Fact
from tests.faults.loads.ledgers import Ledger
from tests.faults.verifier.breaches import KINDS, Allowed
from tests.faults.verifier.comparisons import compare
from tests.faults.verifier.sets import Copy, DeadLetter, Place, Sets
from tests.faults.verifier.truths import Truth

HERE = Path(__file__).resolve().parent


def _first(sets: Sets, kind: str, program: str = "medical-aid") -> Copy:
    return next(c for c in sets.copies if c.type == kind and c.program == program)


def _drop_copy(sets: Sets, gone: Copy) -> None:
    """The copy never existed: not decided, not logged, not numbered, not sent."""
    sets.copies.remove(gone)
    for copy in sets.copies:
        if copy.program == gone.program and copy.seq > gone.seq:
            copy.seq -= 1
            copy.off -= 1
    sets.deliveries = [
        replace(row, seq=row.seq - (row.program == gone.program and row.seq > gone.seq))
        for row in sets.deliveries
        if (row.program, row.copy_id) != (gone.program, gone.copy_id)
    ]
    one = sets.subscriptions[gone.program]
    one.next_seq -= 1
    sets.sightings = []


def _lost(sets: Sets) -> None:
    sets.events = [event for event in sets.events if event.type != "employment.lost"]


def _no_letter(sets: Sets) -> None:
    sets.dead_letters = [row for row in sets.dead_letters if row.code != "E-ID-CHECK"]


def _unseen(sets: Sets) -> None:
    del sets.seen[sets.events[0].event_id]


def _all_dead(sets: Sets) -> None:
    for seen in sets.seen.values():
        seen.disposition = "dead_letter"


def _unasked(sets: Sets) -> None:
    sets.dead_letters.append(
        DeadLetter("x", "decide", TOPIC, 0, 1, "police", "7", "", "E-DATE", "open")
    )


def _filtered(sets: Sets) -> None:
    next(s for s in sets.seen.values() if s.type == "employment.lost").disposition = "filtered"


def _bug(sets: Sets) -> None:
    sets.dead_letters.append(
        DeadLetter("x", "decide", TOPIC, 0, 1, "police", "7", "", "E-BUG", "open")
    )


def _no_row(sets: Sets) -> None:
    gone = next(iter(sets.referrals))
    del sets.referrals[gone]


def _second_row(sets: Sets) -> None:
    row = next(iter(sets.referrals.values()))
    sets.referrals["again"] = replace(row, id="again")


def _second_episode(sets: Sets) -> None:
    """Another row with an episode of its own, told by a copy of its own."""
    row = next(iter(sets.referrals.values()))
    copy = next(c for c in sets.copies if c.referral == row.id)
    sets.referrals["again"] = replace(row, id="again", episode="another")
    _another(sets, replace(copy, copy_id="again", referral="again"))


def _another(sets: Sets, copy: Copy) -> None:
    one = sets.subscriptions[copy.program]
    log = next(row for row in sets.deliveries if row.program == copy.program)
    copy.seq, copy.off = one.next_seq, one.next_seq - 1
    one.next_seq += 1
    sets.copies.append(copy)
    sets.deliveries.append(replace(log, seq=copy.seq, copy_id=copy.copy_id, body=copy.body))


def _no_cause(sets: Sets) -> None:
    next(iter(sets.referrals.values())).cause = "nothing"


def _other_bytes(sets: Sets) -> None:
    copy = sets.copies[0]
    sets.copies.append(replace(copy, off=99, digest="other"))


def _log_has_other_bytes(sets: Sets) -> None:
    sets.deliveries[0].body = "other"


def _other_number(sets: Sets) -> None:
    copy = sets.copies[0]
    sets.copies.append(replace(copy, off=99, seq=copy.seq + 1))


def _number_for_two(sets: Sets) -> None:
    """A generation is used again after a restore."""
    copy = sets.copies[0]
    sets.copies.append(replace(copy, off=99, copy_id="another"))


def _gap(sets: Sets) -> None:
    sets.copies.remove(_first(sets, "health.hospitalized"))


def _never_logged(sets: Sets) -> None:
    sets.deliveries.pop(0)


def _number_skipped(sets: Sets) -> None:
    sets.subscriptions["medical-aid"].next_seq += 1


def _links_swapped(sets: Sets) -> None:
    """Admission and discharge of one stay were decided in the wrong order."""
    one, two = _first(sets, "health.hospitalized"), _first(sets, "health.discharged")
    log = {row.copy_id: row for row in sets.deliveries if row.program == "medical-aid"}
    one.seq, two.seq = two.seq, one.seq
    one.off, two.off = two.off, one.off
    log[one.copy_id].seq, log[two.copy_id].seq = one.seq, two.seq
    sets.sightings = []


def _sent_backwards(sets: Sets) -> None:
    """Numbered in order, sent in another."""
    one, two = _first(sets, "health.hospitalized"), _first(sets, "health.discharged")
    one.off, two.off = two.off, one.off
    sets.sightings = []


def _claim_beyond(sets: Sets) -> None:
    sets.claims[Place(TOPIC, 0)] += 1


def _claim_before(sets: Sets) -> None:
    sets.starts[Place(TOPIC, 0)] = 99
    sets.ends[Place(TOPIC, 0)] = 100


def _mirror_ahead(sets: Sets) -> None:
    sets.claims[Place(TOPIC, 0)] -= 1


def _no_copy(sets: Sets) -> None:
    _drop_copy(sets, _first(sets, "medical.expense_recorded"))


def _told_too_often(sets: Sets) -> None:
    _another(sets, replace(_first(sets, "medical.expense_recorded"), copy_id="another"))


def _told_stranger(sets: Sets) -> None:
    copy = _first(sets, "health.hospitalized")
    _another(sets, replace(copy, copy_id="another", subject="a stranger", person="s"))


def _no_retraction(sets: Sets) -> None:
    _drop_copy(sets, _first(sets, "health.hospitalized-annulled"))


def _no_stop(sets: Sets) -> None:
    _drop_copy(sets, _first(sets, "referral.stop_notified"))


def _leak(sets: Sets) -> None:
    copy = _first(sets, "referral.created", "electricity-relief")
    copy.fields |= {"id.name"}


def _masked_away(sets: Sets) -> None:
    copy = _first(sets, "referral.created")
    copy.fields -= {"id.name"}


def _still_on_roll(sets: Sets) -> None:
    sets.roster |= {row.uid for row in sets.referrals.values() if row.stopped and row.uid}


def _off_roll(sets: Sets) -> None:
    sets.roster.pop()


def _open_still(sets: Sets) -> None:
    next(row for row in sets.referrals.values() if row.stopped).stopped = False


def _nobody_put_there(sets: Sets) -> None:
    sets.roster.add("somebody")


def _aborted(sets: Sets) -> None:
    sets.sightings.append(replace(sets.sightings[0], off=77))


def _rewritten(sets: Sets) -> None:
    sets.sightings[0].digest = "other"


def _not_quiet(sets: Sets) -> None:
    sets.quiet = False


def _unreadable(sets: Sets) -> None:
    sets.unreadable.append("event.some/0@3: ValueError")


@dataclass
class Spoilt:
    kind: str
    spoil: Callable[[Sets], None]


SPOILT = [
    Spoilt("lost", _lost),
    Spoilt("lost", _no_letter),
    Spoilt("unseen", _unseen),
    Spoilt("wrong_disposition", _all_dead),
    Spoilt("wrong_disposition", _filtered),
    Spoilt("wrong_disposition", _unasked),
    Spoilt("bug", _bug),
    Spoilt("missing_referral", _no_row),
    Spoilt("duplicate_referral", _second_row),
    Spoilt("duplicate_referral", _second_episode),
    Spoilt("orphan_referral", _no_row),
    Spoilt("orphan_referral", _no_cause),
    Spoilt("changed_copy", _other_bytes),
    Spoilt("changed_copy", _log_has_other_bytes),
    Spoilt("renumbered_copy", _other_number),
    Spoilt("renumbered_copy", _number_for_two),
    Spoilt("gap", _gap),
    Spoilt("gap", _never_logged),
    Spoilt("gap", _number_skipped),
    Spoilt("inversion", _links_swapped),
    Spoilt("inversion", _sent_backwards),
    Spoilt("offsets", _claim_beyond),
    Spoilt("offsets", _claim_before),
    Spoilt("offsets", _mirror_ahead),
    Spoilt("missing_copy", _no_copy),
    Spoilt("surplus_copy", _told_too_often),
    Spoilt("surplus_copy", _told_stranger),
    Spoilt("missing_retraction", _no_retraction),
    Spoilt("missing_retraction", _no_stop),
    Spoilt("wrong_fields", _leak),
    Spoilt("wrong_fields", _masked_away),
    Spoilt("final_state", _still_on_roll),
    Spoilt("final_state", _off_roll),
    Spoilt("final_state", _open_still),
    Spoilt("final_state", _nobody_put_there),
    Spoilt("vanished", _aborted),
    Spoilt("vanished", _rewritten),
    Spoilt("unreadable", _unreadable),
    Spoilt("not_recovered", _not_quiet),
]


def test_what_a_right_hub_leaves_is_clean():
    moves = facts()
    verdict = compare(settled(moves), truth_of(moves), GRANTS)

    assert verdict.samples == {}
    assert verdict.counts["acked"] == len(moves)
    assert verdict.counts["people_compared"] == 4


@pytest.mark.parametrize("spoilt", SPOILT, ids=lambda one: f"{one.kind}{one.spoil.__name__}")
def test_a_breach_is_found_under_its_own_key(spoilt: Spoilt):
    moves = facts()
    sets = settled(moves)
    spoilt.spoil(sets)

    verdict = compare(sets, truth_of(moves), GRANTS)

    assert spoilt.kind in verdict.breaches, verdict.samples


def test_every_kind_of_breach_has_a_doctored_input():
    assert {one.kind for one in SPOILT} == set(KINDS)


def test_the_same_copy_sent_again_is_counted_and_no_breach():
    moves = facts()
    sets = settled(moves)
    sets.copies.append(replace(sets.copies[0], off=99))

    verdict = compare(sets, truth_of(moves), GRANTS)

    assert verdict.is_clean
    assert verdict.counts["repeated_copies"] == 1


def test_a_number_without_copy_whose_row_is_parked_is_counted_and_no_breach():
    moves = facts()
    sets = settled(moves)
    gone = _first(sets, "health.hospitalized")
    sets.copies.remove(gone)
    sets.sightings = []
    log = next(r for r in sets.deliveries if (r.program, r.copy_id) == (gone.program, gone.copy_id))
    log.state = "parked"

    verdict = compare(sets, truth_of(moves), GRANTS)

    assert "gap" not in verdict.breaches
    assert verdict.counts["parked"] == 1


def test_a_fact_nobody_is_sure_of_may_have_come_or_not():
    moves = facts()
    without = [move for move in moves if move.fact.kind != "job_lost"]
    truth = truth_of(moves, job_lost="unknown")

    assert compare(settled(moves), truth, GRANTS).is_clean
    assert compare(settled(without), truth, GRANTS).is_clean


def test_a_refused_fact_must_not_come():
    moves = facts()

    verdict = compare(settled(moves), truth_of(moves, job_lost="failed"), GRANTS)

    assert {"surplus_copy", "orphan_referral"} <= verdict.breaches.keys()


def test_a_case_may_expect_dead_letters_of_its_own_and_how_many():
    moves = facts()
    sets = settled(moves)
    _unasked(sets)
    codes = frozenset({"E-DATE"})

    assert compare(sets, truth_of(moves), GRANTS, Allowed(codes, 1)).is_clean
    assert compare(sets, truth_of(moves), GRANTS, Allowed(codes)).is_clean
    assert not compare(sets, truth_of(moves), GRANTS, Allowed(codes, 2)).is_clean


def test_an_opening_balance_is_exactly_the_people_who_were_loaded():
    moves = facts()
    sets = settled(moves)
    row = next(iter(sets.referrals.values()))
    of = {"id": "opened", "ref": "somebody", "uid": "somebody", "cause_kind": "opening-balance"}
    sets.referrals["opened"] = replace(row, **of)
    sets.roster.add("somebody")
    opening = Fact(n=10**6, kind="opening", way="file", place="civil-affairs/roll", balance=1)
    truth = truth_of(moves)
    loaded = Truth(truth.facts | {opening.n: opening}, truth.outcomes | {opening.n: "unknown"})

    assert compare(sets, loaded, GRANTS).is_clean
    assert {"orphan_referral", "final_state"} <= compare(sets, truth, GRANTS).breaches.keys()
    assert "orphan_referral" in compare(settled(moves), loaded, GRANTS).breaches


def test_the_verifier_and_the_loads_share_no_code_with_the_hub_and_read_no_profile():
    files = [HERE / "sites.py", *(HERE / "verifier").rglob("*.py"), *(HERE / "loads").rglob("*.py")]
    assert len(files) > 20
    for path in files:
        text = path.read_text()
        names = [
            name
            for node in ast.walk(ast.parse(text))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        ]
        own = [name for name in names if name.split(".")[0] in {"hub", "connectors"}]
        assert not own, (path, own)
        assert not any(
            name.startswith("tests.") and not name.startswith("tests.faults") for name in names
        ), path
        assert "profiles/" not in text, path


def test_a_second_ledger_counts_on_behind_the_first(tmp_path: Path):
    moves = facts()
    for name in ("one", "two"):
        ledger = Ledger(tmp_path / name)
        ledger.plan(move.fact for move in moves)
        ledger.note((move.fact.n for move in moves[1:]), "acked")
        ledger.close()

    truth = Truth.load([tmp_path / "one", tmp_path / "two"])

    assert len(truth.facts) == 2 * len(moves)
    assert [n for n, outcome in truth.outcomes.items() if outcome == "unknown"] == [
        1,
        1 + len(moves),
    ]
    assert all(one.episode == n for n, fact in truth.facts.items() for one in fact.opens)


def test_a_ledger_cut_in_its_last_line_tells_what_stands_before(tmp_path: Path):
    moves = facts()
    ledger = Ledger(tmp_path)
    ledger.plan(move.fact for move in moves)
    ledger.note([1], "acked")
    ledger.close()
    with (tmp_path / "facts.jsonl").open("ab") as file:
        file.write(b'{"n": 2, "outco')

    truth = Truth.load([tmp_path])

    assert truth.outcomes[1] == "acked"
    assert truth.outcomes[2] == "unknown"
