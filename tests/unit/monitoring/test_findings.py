"""What a picture tells to be wrong, and that a healthy one tells nothing."""

from __future__ import annotations

import re

from hub.monitoring.findings import findings, kinds
from hub.monitoring.pictures import (
    Connector,
    Item,
    Letters,
    Partition,
    Picture,
    Program,
    Server,
    Worker,
)
from hub.monitoring.rates import Rates

NOW = 1_800_000_000_000
DAY = 86_400_000


def healthy() -> Picture:
    return Picture(
        1,
        NOW,
        3,
        partitions=[
            Partition("hub.decide", "event.health", 0, 10, 12, 0, 2, "OK", 0, 40, 0),
            Partition("other", "event.health", 0, 1, 12, 0, 11, "STOP", 0, 40, 90_000),
        ],
        connectors=[
            Connector(
                "health", "RUNNING", NOW, False,  # noqa: FBT003 - fields of a record
                [Item("admissions", "in.health.admissions", NOW, 10, DAY, False, 5, 2.0, 2.0)],  # noqa: FBT003
                0, 0,
            )
        ],
        programs=[
            Program("medical-aid", "kafka", 1, 5, 5, 0, 0, 0, 0, None, 0, 0, True, 0.1, "good")  # noqa: FBT003
        ],
        workers=[Worker("w", "0", 12, 3, NOW)],
        server=Server(3, True, 0, 0, True, 9, 100, 50, 0, 10**8, None, 0, None),  # noqa: FBT003
    )  # fmt: skip


def test_a_healthy_hub_has_nothing_to_tell() -> None:
    assert findings(healthy()) == []


def test_the_worst_stands_first_and_names_whom_to_ask() -> None:
    picture = healthy()
    picture.partitions[0].status = "STALL"
    picture.partitions[0].still = 45_000
    picture.connectors[0].items[0].is_silent = True
    picture.connectors[0].items[0].silent = 2 * DAY
    picture.programs[0].open_until = NOW + 1
    picture.programs[0].waiting = 7
    picture.programs[0].oldest = NOW - DAY
    picture.letters = [Letters("E-DATE", "education", 40, NOW - 5000, NOW)]
    picture.workers = []
    found = findings(picture)
    assert [one.severity for one in found] == ["worst", "bad", "bad", "bad", "bad"]
    assert {(one.kind, one.who) for one in found} == {
        ("no_worker", ""),
        ("stopped", ""),
        ("silent", "health"),
        ("program_down", "medical-aid"),
        ("rejects", "education"),
    }


def test_a_silence_in_planned_maintenance_is_none() -> None:
    picture = healthy()
    picture.connectors[0].items[0].is_silent = True
    picture.connectors[0].planned = NOW + DAY
    assert findings(picture) == []


def test_groups_that_are_not_the_hubs_are_shown_but_no_finding() -> None:
    assert all("other" not in one.what for one in findings(healthy()))


def test_a_single_wrong_record_is_a_warning_and_many_are_an_alarm() -> None:
    picture = healthy()
    for count, severity in ((1, "warn"), (40, "bad")):
        picture.letters = [Letters("E-DATE", "education", count, NOW - 5000, NOW)]
        assert [one.severity for one in findings(picture)] == [severity]


def test_one_slow_answer_of_the_broker_is_no_outage() -> None:
    picture = healthy()
    picture.failed = {"broker": "TimeoutError"}
    assert [one.kind for one in findings(picture)] == ["blind"]
    assert picture.server is not None
    picture.server.broker_up = False
    assert [one.kind for one in findings(picture)] == ["broker_down"]


def test_a_flood_is_measured_against_what_is_usual() -> None:
    rates, picture = Rates(), healthy()
    total = 0.0
    for second in range(0, 600, 5):
        total += 5 * 10
        rates.count("end/x", total, second * 1000)
    assert rates.usual("end/x") is not None
    item = picture.connectors[0].items[0]
    item.usual = rates.usual("end/x")
    item.rate = rates.rate("end/x")
    assert findings(picture) == []
    for second in range(600, 660, 5):
        total += 5 * 500
        rates.count("end/x", total, second * 1000)
    item.rate, item.usual = rates.rate("end/x"), rates.usual("end/x")
    assert [one.kind for one in findings(picture)] == ["flood"]


def test_every_kind_has_the_same_places_in_both_languages() -> None:
    for name, kind in kinds().items():
        places = [set(re.findall(r"{(\w+)}", text)) for text in (kind.zh, kind.en)]
        assert places[0] == places[1], name
        assert places[0] <= {"who", "what", "n", "span"}
