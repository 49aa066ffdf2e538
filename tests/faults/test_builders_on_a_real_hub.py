"""The truth of the builders that only cases use, proved on a real hub."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.faults.loads.builders import Builder
from tests.faults.loads.facts import Move
from tests.faults.loads.generators import Generator
from tests.faults.loads.ledgers import Ledger
from tests.faults.loads.people import family
from tests.faults.small_sites import small_site
from tests.faults.verifier.__main__ import verified
from tests.faults.verifier.topics import Reader
from tests.faults.verifier.truths import Truth

pytestmark = [pytest.mark.proof, pytest.mark.embedded, pytest.mark.timeout(300)]


async def test_a_large_household_a_job_wrong_areas_and_discharges_taken_back(
    kafka: str, database: str, tmp_path: Path
):
    builder = Builder("b", None)
    large = family(7, "b", 1, 100, size=6)
    small = family(7, "b", 2, 200)
    async with small_site(kafka, database, tmp_path, prefix="built.") as site:
        ledger = Ledger(tmp_path / "ledger")
        async with Generator(site.site, ledger, "b") as generator:
            generator.give([builder.grant(large), builder.grant(small)])
            with Reader(site.site) as reader:
                await _told(reader, {who.id_number for who in (*large.people, *small.people)})
            generator.give(_later(builder, large, small))
        ledger.close()
        report = await verified(site.site, Truth.load([tmp_path / "ledger"]), None, settle=60)

    assert report["breaches"] == {}
    assert report["counts"]["people_compared"] == 8
    assert report["counts"]["dead_letter E-AREA-UNKNOWN"] == 2


def _later(builder, large, small) -> list[Move]:
    started = builder.job_started(large)
    return [
        started,
        builder.misplaced(family(7, "b", 3, 300), "999999"),
        builder.misplaced(family(7, "b", 4, 400), "320682999999999"),
        *builder.discharge_undone(small.head),
        *builder.stay(small.head, cancelled=True),
    ]


async def _told(reader: Reader, people: set[str]) -> None:
    """Until medical aid has a referral of each."""
    async with asyncio.timeout(60):
        while people:
            for copy in await asyncio.to_thread(reader.copies_since, ("medical-aid",), wait=0.5):
                people.discard(copy.subject)
