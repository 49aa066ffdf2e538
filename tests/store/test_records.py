from __future__ import annotations

import asyncio

import msgspec
import pytest

from hub.model.records import RECORDS, Decided, Fact, Household, Interest, Person, Referral
from hub.model.states import Keys, Need
from hub.store.connections import ConflictError
from hub.store.migrations import EXPAND, shipped
from hub.store.records import tables
from hub.store.unit_of_work import Outcome, UnitOfWork

A, B, C = (bytes([n]) * 16 for n in (1, 2, 3))
FACT = Fact(
    "e1", "category.granted", 19_000, 1, 2, "", "civil-affairs", "c", None, "created", None, {}
)


def work(connection, now=1):
    return UnitOfWork(connection, now=now, subscriptions=set())


def referral(**values):
    base = {
        "id": "r1",
        "program": "medical-aid",
        "subject_kind": "person",
        "subject_ref": A.hex(),
        "episode": "e1",
        "uid": A,
        "household": "H-1",
        "state": "created",
        "correlation": "c",
        "rule": "RG-1",
        "opened_at": 1,
    }
    return Referral(**(base | values))


async def test_every_record_type_has_the_columns_of_its_table(db):
    for record in RECORDS:
        table = tables()[record.TABLE]
        rows = await db.fetch(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
            " WHERE table_name = $1",
            table.name,
        )
        found = {row["column_name"]: row["data_type"] for row in rows}
        assert found == table.types | {"rev": "bigint"}


async def test_what_was_written_is_loaded_again_with_its_household_and_ledger(db):
    async with work(db) as unit:
        await unit.load(Keys(uids=frozenset({A})))
        unit.state.apply(
            (
                Household("H-1", [FACT], [A, B]),
                Person(A, ["H-1"], [FACT], {"id": {"name": "x"}}),
                Person(B, [], [], {}),
                referral(),
                Interest(A, "medical-aid", 19_000),
            )
        )
        await unit.write(Outcome())
    async with work(db) as unit:
        await unit.load(Keys(uids=frozenset({A, C})))
        state = unit.state
        assert state.persons[A].facts == [FACT]
        assert state.households["H-1"].uids == [A, B]
        assert B in state.persons
        assert C not in state.persons
        assert {A, B, C} <= state.loaded.uids
        assert state.referrals["r1"].household == "H-1"
        assert state.interests[A]["medical-aid", 19_000].quality == "provisional"


async def test_a_meter_brings_its_ledger_row_and_its_household(db):
    async with work(db) as unit:
        unit.state.apply((Household("H-1", [], [A]), referral(subject_ref="M-7", uid=None)))
        await unit.write(Outcome())
    async with work(db) as unit:
        await unit.load(Keys(subjects=frozenset({"M-7"})))
        assert "H-1" in unit.state.households
        assert unit.state.by_subject["M-7"] == {"r1"}
        assert A in unit.state.loaded.uids


async def test_loading_more_keeps_what_the_batch_has_changed(db):
    async with work(db) as unit:
        unit.state.apply((Person(A, [], [], {}),))
        await unit.write(Outcome())
    async with work(db) as unit:
        await unit.load(Keys(uids=frozenset({A})))
        changed = msgspec.structs.replace(unit.state.persons[A], identity={"id": {"name": "y"}})
        unit.state.apply((changed,))
        await unit.load(Keys(uids=frozenset({B})))
        await unit.load(Keys(decisions=frozenset({"D"}), recipients=frozenset({"education"})))
        assert unit.state.persons[A] is changed
        await unit.write(Outcome())
    assert await db.fetchval("SELECT identity->'id'->>'name' FROM person") == "y"


async def test_two_batches_that_found_a_row_absent_do_not_overwrite_each_other(db, other):
    loaded, go_on = asyncio.Event(), asyncio.Event()

    async def late():
        async with work(other) as unit:
            await unit.load(Keys(decisions=frozenset({"D"})))
            loaded.set()
            await go_on.wait()
            unit.state.apply((Decided("D", "awaited"),))
            await unit.write(Outcome())

    task = asyncio.create_task(late())
    await loaded.wait()
    async with work(db) as unit:
        await unit.load(Keys(decisions=frozenset({"D"})))
        unit.state.apply((Decided("D", "recorded"),))
        await unit.write(Outcome())
    go_on.set()
    with pytest.raises(ConflictError):
        await task
    assert await db.fetchval("SELECT state FROM decision") == "recorded"


async def test_a_locked_household_makes_the_second_batch_wait(db, other):
    async with work(db) as unit:
        unit.state.apply((Household("H-1", [], []),))
        await unit.write(Outcome())
    async with work(db) as unit:
        await unit.load(Keys(households=frozenset({"H-1"})))
        held = "SELECT id FROM household FOR UPDATE SKIP LOCKED"
        assert await other.fetchval(held) is None


def test_migrations_have_numbers_of_their_own_and_only_add():
    numbers = [migration.number for migration in shipped()]
    assert len(numbers) == len(set(numbers))
    assert [one.name for one in shipped() if one.number > 2 and one.kind != EXPAND] == []


async def test_of_a_person_alone_the_record_is_loaded_and_locked_and_nothing_around(db, other):
    async with work(db) as unit:
        await unit.load(Keys(uids=frozenset({A, B})))
        unit.state.apply((Household("H-1", [FACT], [A, B]), referral()))
        unit.state.apply((Person(A, ["H-1"], [FACT], {}), Person(B, ["H-1"], [], {})))
        await unit.write(Outcome())
    async with work(db) as unit:
        await unit.load(Keys(persons=frozenset({A, C})))
        assert unit.state.persons.keys() == {A}
        assert not unit.state.households
        assert not unit.state.referrals
        free = "SELECT uid FROM person ORDER BY uid FOR UPDATE SKIP LOCKED"
        assert [row["uid"] for row in await other.fetch(free)] == [B]
        with pytest.raises(Need):
            unit.state.require(Keys(uids=frozenset({A})))
        await unit.load(Keys(uids=frozenset({A})))
        assert unit.state.persons.keys() == {A, B}
        assert unit.state.referrals.keys() == {"r1"}
    async with work(db) as unit:
        await unit.load(Keys(uids=frozenset({B}), persons=frozenset({A, B})))
        assert unit.state.households.keys() == {"H-1"}
        assert unit.state.referrals.keys() == {"r1"}
