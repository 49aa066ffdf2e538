from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from hub.kernel.resident_ids import checked
from hub.kernel.settings import Settings
from hub.runtime.bench_admissions import admissions, id_number
from hub.runtime.bench_cities import city
from hub.runtime.bench_inputs import raw
from hub.runtime.benches import run
from tests.bench.grants import referring
from tests.bench.jobs import (
    Place,
    normalise,
    normalise_by_two,
    refer,
    rugao,
    rugao_input,
)

EVENTS = 2_000
PROFILES = Path(__file__).with_name("profile")


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(data_dir=tmp_path, synthetic_people=True)


def test_invented_people_have_impossible_but_well_formed_numbers():
    numbers = {id_number(person) for person in range(0, 90_000, 7)}
    assert len(numbers) == len(range(0, 90_000, 7))
    assert all(checked(number, synthetic=True) == number for number in list(numbers)[:100])


def test_the_day_of_a_city_is_the_same_for_one_seed_and_has_its_repeats():
    made = city(EVENTS)
    assert made == city(EVENTS)
    assert len(made.day) == EVENTS
    assert sum(a == b for a, b in pairwise(made.day)) == EVENTS // 20
    assert len({topic for topic, _ in made.day}) > 8
    assert {topic for topic, _ in made.opening} == {
        "in.civil-affairs.households",
        "in.civil-affairs.categories",
    }


@pytest.mark.bench
@pytest.mark.parametrize("job", ["intake", "decide"])
async def test_hub_bench_works_every_record_and_tells_where_the_time_went(services, settings, job):
    plain, figures = await run(settings, services, job, EVENTS)
    assert plain.job == "forward"
    assert figures.job == job
    assert 0 <= figures.events <= EVENTS * 1.1
    assert set(figures.micros) == {"worker", "broker", "database"}
    if job == "decide":
        assert 0.8 < figures.rows["audit"] <= 1.1
        assert min(figures.rows["denials"], figures.rows["deliveries"]) > 0.3


@pytest.mark.bench
async def test_job_n_writes_the_same_bytes_as_the_faust_agent(services, settings):
    found = await normalise(Place(settings, services), raw(settings, admissions(EVENTS)), EVENTS)
    assert found.problems == []
    assert set(found.figures) == {"raw", "hub", "faust"}


@pytest.mark.bench
async def test_job_n_by_two_workers_loses_nothing(services, settings):
    records = raw(settings, admissions(EVENTS))
    found = await normalise_by_two(Place(settings, services), records)
    assert found.problems == []


@pytest.mark.bench
async def test_job_r_makes_the_same_referrals_as_the_faust_tables(services, settings):
    chosen = settings.model_copy(update={"profile": "bench", "profiles_dir": PROFILES})
    found = await refer(Place(chosen, services), referring(chosen, EVENTS), EVENTS)
    assert found.problems == []


@pytest.mark.bench
async def test_a_run_with_a_lost_or_foreign_referral_is_invalid(services, settings):
    chosen = settings.model_copy(update={"profile": "bench", "profiles_dir": PROFILES})
    made = referring(chosen, EVENTS)
    some = sorted(made.referrals)
    wrong = made._replace(referrals={*some[1:], ("dibao", "ff", "nobody")})
    found = await refer(Place(chosen, services), wrong, EVENTS // 10)
    assert found.problems == ["R hub: lost: 1, not 0", "R hub: invented: 1, not 0"]


@pytest.mark.bench
async def test_job_g_gives_every_event_a_disposition_and_every_copy_its_number(services, settings):
    found = await rugao(Place(settings, services), rugao_input(settings, EVENTS // 2))
    assert found.problems == []
