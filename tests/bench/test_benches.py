from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from hub.intake.decoding import DELETED
from hub.kernel.resident_ids import checked
from hub.kernel.settings import Settings
from hub.runtime.bench_records import CATEGORIES, id_number, mixture
from hub.runtime.benches import run


def test_invented_people_have_impossible_but_well_formed_numbers():
    numbers = {id_number(person) for person in range(0, 90_000, 7)}
    assert len(numbers) == len(range(0, 90_000, 7))
    assert all(checked(number, synthetic=True) == number for number in list(numbers)[:100])


def test_in_the_mixture_a_twentieth_of_the_people_are_granted_aid_and_of_the_records_repeats():
    records = list(mixture(10_000))
    repeats = sum(a == b for a, b in pairwise(records))
    granted = {person for topic, person, _ in records if topic == CATEGORIES}
    assert repeats == 500
    assert 90 <= len(granted) <= 100
    assert len({person for _, person, _ in records}) >= 1_900
    assert all(DELETED not in msgspec.json.decode(value) for _, _, value in records[:50])


@pytest.mark.parametrize("job", ["intake", "decide"])
async def test_a_bench_works_every_record_and_tells_where_the_time_went(services, tmp_path, job):
    settings = Settings(data_dir=tmp_path, synthetic_people=True)
    plain, figures = await run(settings, services, job, 2_000)
    assert plain.job == "forward"
    assert (figures.job, plain.events) == (job, 2_000)
    assert 0 <= figures.events <= 2_000
    assert set(figures.micros) == {"worker", "broker", "database"}
    if job == "decide":
        assert 0.9 < figures.rows["audit"] <= 1.0
        assert figures.rows["denials"] > 1.0 > figures.rows["deliveries"] > 0.0
