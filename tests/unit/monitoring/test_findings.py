"""What a picture tells to be wrong, and that a healthy one tells nothing."""

from __future__ import annotations

import re

from hub.monitoring.findings import findings, kinds, words
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
    # It lasts: what floods is not usual before it has done so for half an hour.
    for second in range(660, 600 + 1750, 5):
        total += 5 * 500
        rates.count("end/x", total, second * 1000)
        item.rate, item.usual = rates.rate("end/x"), rates.usual("end/x")
        assert [one.kind for one in findings(picture)] == ["flood"]
    for second in range(600 + 1750, 600 + 2000, 5):
        total += 5 * 500
        rates.count("end/x", total, second * 1000)
    item.rate, item.usual = rates.rate("end/x"), rates.usual("end/x")
    assert findings(picture) == []


def test_a_silence_says_whether_source_or_connector_is_at_fault() -> None:
    picture = healthy()
    connector = picture.connectors[0]
    connector.items[0].is_silent = True
    causes = []
    for beat, state, error in ((NOW, "DEGRADED", ""), (NOW, "DEGRADED", "OSError"),
                               (NOW - DAY, "FAILED", ""), (None, "DEGRADED", "")):  # fmt: skip
        connector.beat, connector.state, connector.items[0].error = beat, state, error
        (found,) = [one for one in findings(picture) if one.kind == "silent"]
        causes.append(words(found).cause_zh)
    assert "源系统" in causes[0]
    assert causes[1] == causes[2] == "连接器没有心跳或读取失败"
    assert causes[3] == kinds()["silent"].cause_zh


def test_dead_letters_say_what_their_code_means() -> None:
    picture = healthy()
    picture.letters = [Letters("E-JSON", "education", 40, NOW - 5000, NOW)]
    (found,) = findings(picture)
    assert words(found).cause_zh == "不是有效的 JSON,请检查导出程序后重发"
    assert words(found).next_zh == kinds()["rejects"].next_zh


def test_a_stopped_partition_says_why_it_stands() -> None:
    picture = healthy()
    picture.partitions[0].status, picture.partitions[0].stopped = "STOP", "topic_replaced"
    (found,) = findings(picture)
    assert "主题被删除后重建" in words(found).zh
    assert "{span}" not in words(found).zh


def test_every_kind_has_the_same_places_in_both_languages() -> None:
    for name, kind in kinds().items():
        places = [set(re.findall(r"{(\w+)}", text)) for text in (kind.zh, kind.en)]
        assert places[0] == places[1], name
        assert places[0] <= {"who", "what", "n", "span"}
        for near in kind.nearer.values():
            inner = [set(re.findall(r"{(\w+)}", text)) for text in (near.zh, near.en)]
            assert inner[0] == inner[1] <= {"who", "what", "n", "span"}, name
