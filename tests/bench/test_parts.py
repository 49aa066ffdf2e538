from __future__ import annotations

from pathlib import Path

import pytest

from hub.kernel.settings import Settings
from tests.bench import boards, crowds, growths, idles, pages
from tests.bench.aims import AIMS, figure, met
from tests.bench.delays import delays
from tests.bench.jobs import Place
from tests.bench.latencies import spread
from tests.bench.reports import BEGIN, END, PAGES_BEGIN, markdown, replaced, written

PROFILES = Path(__file__).with_name("profile")


@pytest.fixture
def place(services, tmp_path) -> Place:
    own = {"profile": "bench", "profiles_dir": PROFILES, "synthetic_people": True}
    return Place(Settings(data_dir=tmp_path, **own), services)


def report() -> dict:
    return {
        "normalise": {"ratio_faust": 20.0, "ratio_raw": 0.1},
        "latency": {"200": {"p50_ms": 1, "p95_ms": 2, "p99_ms": 3, "raw_p99_ms": 2}},
        "details": {
            "machine": {"cpu": "x", "cores": 2},
            "quick": True,
            "rounds": 1,
            "seconds": 9,
            "problems": [],
            "source": {"200": {"p99_ms": 5, "raw_p99_ms": 2, "ratio": 2.5}},
        },
    }


def test_an_aim_is_met_not_met_or_not_measured():
    found = {aim.path: figure(report(), aim) for aim in AIMS}
    verdicts = {aim.path: met(aim, found[aim.path]) for aim in AIMS if found[aim.path] is not None}
    assert verdicts[("normalise", "ratio_faust")]
    assert not verdicts[("normalise", "ratio_raw")]
    assert verdicts[("details", "source", "200", "ratio")]
    assert found[("idle", "core_percent")] is None


def test_the_report_replaces_the_figures_of_the_page_and_nothing_else():
    text = markdown(report())
    assert "**not met**" in text
    page = replaced(f"before\n{BEGIN}\nold\n{END}\nafter\n", text)
    assert page.startswith("before\n")
    assert page.endswith("\nafter\n")
    assert "old" not in page
    assert text in page


def test_a_run_of_the_pages_alone_leaves_the_other_figures_of_the_page_as_they_were():
    page = f"a\n{BEGIN}\nold\n{END}\nb\n{PAGES_BEGIN}\nolder\n{END}\nc\n"
    about = report()["details"]
    about.pop("source")
    found = {"server_p95_ms": 20.0, "events": 9}
    own = {"pages": found, "by_page": {"/topics/*": {"server_p95_ms": 20.0}}}
    alone = written(page, {"console": found, "details": own | about})
    assert "\nold\n" in alone
    assert "older" not in alone
    assert "| /topics/… | – | 20.0 | – |" in alone
    both = written(page, report() | {"console": found, "details": own | report()["details"]})
    assert both.count("/topics/…") == 1
    assert "Normalise, to faust" in both.partition(PAGES_BEGIN)[0]
    assert "server p95" not in both.partition(PAGES_BEGIN)[0]


def test_an_invalid_run_says_so_in_its_report():
    wrong = report()
    wrong["details"]["problems"] = ["R hub: lost: 1, not 0"]
    assert "INVALID" in markdown(wrong)


def test_quantiles_are_of_all_latencies_in_milliseconds():
    found = spread([number / 1000 for number in range(101)])
    assert found == (50.0, 95.0, 99.0)


@pytest.mark.bench
@pytest.mark.timeout(400)
async def test_latency_is_measured_for_every_referral_of_a_load(place, monkeypatch):
    monkeypatch.setattr("tests.bench.delays.RATES", (50, 100))
    monkeypatch.setattr("tests.bench.delays.STEPS", (100,))
    found = await delays(place, 2)
    assert found.problems == []
    assert set(found.inbox) == set(found.source) == set(found.raw) == {"50", "100"}
    assert all(one.p50_ms > 0 for one in (*found.inbox.values(), *found.raw.values()))
    assert "p95 ms at 100/s" in found.knee


@pytest.mark.bench
@pytest.mark.timeout(400)
async def test_growth_fills_the_tables_and_measures_each_size(place):
    found = await growths.growth(place, persons=2_000, seen=5_000, events=500)
    assert found["persons"] > 0
    assert found["seen"] > 0


@pytest.mark.bench
@pytest.mark.timeout(400)
async def test_however_many_subscriptions_there_are_four_match(place):
    found, problems = await crowds.subscriptions(place, 100, 500)
    assert problems == []
    assert found["subscriptions"] > 0


@pytest.mark.bench
@pytest.mark.timeout(400)
async def test_a_worker_at_rest_costs_something_and_less_than_a_core(place):
    found = await idles.idle(place, 2)
    assert 0 <= found["core_percent"] < 100
    assert set(found) == {"core_percent", "core_percent_at_20_per_s", "details"}


@pytest.mark.bench
@pytest.mark.timeout(400)
async def test_every_kind_of_page_is_opened_over_what_a_worker_wrote(place):
    rugao = place._replace(settings=place.settings.model_copy(update={"profile": "rugao"}))
    found, problems = await pages.pages(rugao, 500, pages.Times(2, 1))
    assert problems == []
    assert {"/", "/lag", "/journey/*", "/topics/*", "/own", "/audit"} <= set(found["pages"])
    assert found["server_p95_ms"] > 0


@pytest.mark.bench
@pytest.mark.timeout(400)
async def test_the_partition_that_a_group_leaves_alone_stands_first_on_the_board(place):
    rugao = place._replace(settings=place.settings.model_copy(update={"profile": "rugao"}))
    found, problems = await boards.board(rugao, 80, 12)
    assert problems == []
    assert found["partitions"] >= 80
    assert found["sse_kb_per_5s"] > 0
