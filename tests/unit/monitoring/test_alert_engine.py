"""The alert engine: what waits, fires, is told, is kept back and ends."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from hub.monitoring.alert_rules import DEAD, Change, Rule, in_force, shipped
from hub.monitoring.alerts import FIRING, RESOLVED, Alert, Mute, Seen, Step, Target, dead, step
from hub.monitoring.findings import Finding, kinds

SECOND = 1000
RULE = Rule("静默", "silent", ("silent",), "bad", for_=60, clear=30, per="matter", again=3600)


def silent(who: str = "health", what: str = "admissions") -> Finding:
    return Finding("silent", "bad", who=who, what=what, ms=1)


class Site:
    """Plays pictures one after another, as the sampler does, and keeps what the engine says."""

    def __init__(self, rule: Rule = RULE, mutes: Iterable[Mute] = ()) -> None:
        self.rules, self.mutes = {"r": rule}, list(mutes)
        self.standing: dict[tuple[str, str], Alert] = {}
        self.told: list[int] = []
        self.words: list[tuple[int, str, str, int]] = []

    def look(self, second: int, *found: Finding, whole: bool = True) -> Step:
        now = second * SECOND
        told = {"r": sum(at > now - 3_600_000 for at in self.told)}
        got = step(self.rules, self.standing.values(), self.mutes, told, Seen(found, now, whole))
        for one in got.changed:
            one.id = one.id or len(self.standing) + 1
            self.standing[one.rule, one.key] = one
            if one.resolved is not None:
                del self.standing[one.rule, one.key]
        for one in got.dropped:
            del self.standing[one.rule, one.key]
        for notice in got.notices:
            if notice.what == FIRING:
                self.told.append(now)
            self.words.append((second, notice.what, notice.alert.finding.who, notice.before))
        return got


def test_what_passes_before_the_span_of_its_rule_tells_nobody() -> None:
    site = Site()
    site.look(0, silent())
    site.look(55, silent())
    site.look(58)
    site.look(200)
    assert site.words == []
    assert site.standing == {}


def test_what_lasts_is_told_once_and_its_end_too() -> None:
    site = Site()
    for second in range(0, 200, 5):
        site.look(second, silent())
    for second in range(200, 300, 5):
        site.look(second)
    assert site.words == [(60, FIRING, "health", 0), (230, RESOLVED, "health", 0)]
    assert site.standing == {}


def test_a_short_gap_does_not_end_an_alert() -> None:
    site = Site()
    for second in range(0, 400, 5):
        site.look(second, *([] if second in {100, 105, 110} else [silent()]))
    assert [word[:2] for word in site.words] == [(60, FIRING)]


def test_a_picture_that_lacks_parts_ends_nothing() -> None:
    site = Site()
    for second in range(0, 100, 5):
        site.look(second, silent())
    for second in range(100, 500, 5):
        site.look(second, whole=False)
    assert [word[1] for word in site.words] == [FIRING]
    site.look(500)
    site.look(530)
    assert [word[1] for word in site.words] == [FIRING, RESOLVED]


def test_one_that_stands_is_told_again_after_the_span_of_its_rule() -> None:
    site = Site()
    for second in range(0, 3 * 3600, 60):
        site.look(second, silent())
    assert [word[0] for word in site.words] == [60, 3660, 7260]


def test_findings_of_one_key_are_one_alert() -> None:
    by_who = Site(Rule("", "", ("silent",), "bad", for_=0, per="who"))
    by_who.look(0, silent(what="admissions"), silent(what="bills"), silent("police", "deaths"))
    assert [word[2] for word in by_who.words] == ["health", "police"]
    by_rule = Site(Rule("", "", ("silent",), "bad", for_=0, per="rule"))
    by_rule.look(0, silent(), silent("police", "deaths"))
    assert len(by_rule.words) == 1


def test_a_rule_tells_no_more_than_its_rate_and_then_says_how_many_it_kept_back() -> None:
    site = Site(Rule("", "", ("silent",), "bad", for_=0, per="matter", per_hour=3))
    crowd = [silent(f"d{n}") for n in range(10)]
    site.look(0, *crowd)
    assert len(site.words) == 3
    assert sum(one.held_back for one in site.standing.values()) == 7
    site.look(1800, *crowd)
    assert len(site.words) == 3
    site.look(3700, *crowd)
    assert len(site.words) == 6
    assert site.words[3][3] == 6


def test_a_mute_keeps_words_back_and_its_end_lets_them_out() -> None:
    site = Site(mutes=[Mute("", "health", 0, 300 * SECOND)])
    for second in range(0, 400, 5):
        site.look(second, silent(), silent("police", "deaths"))
    assert [word[:3] for word in site.words] == [(60, FIRING, "police"), (300, FIRING, "health")]


def test_the_end_of_what_was_never_told_is_not_told() -> None:
    site = Site(mutes=[Mute("r", "", 0, 1000 * SECOND)])
    for second in range(0, 100, 5):
        site.look(second, silent())
    for second in range(100, 200, 5):
        site.look(second)
    assert site.words == []
    assert site.standing == {}


def test_a_rule_that_is_switched_off_ends_its_alerts() -> None:
    site = Site()
    for second in range(0, 100, 5):
        site.look(second, silent())
    site.rules["r"] = Rule("", "", ("silent",), "bad", disabled=True)
    site.look(100, silent())
    assert site.standing == {}


def test_a_rule_for_some_departments_looks_at_no_other() -> None:
    site = Site(Rule("", "", ("silent",), "bad", for_=0, who=("police",)))
    site.look(0, silent(), silent("police", "deaths"))
    assert [word[2] for word in site.words] == ["police"]


def test_a_channel_is_told_what_is_bad_enough_and_of_its_rules() -> None:
    alert = Alert("r", "", "bad", silent(), 0)
    assert Target("c", "bad").wants(alert)
    assert not Target("c", "worst").wants(alert)
    assert not Target("c", "warn", ("other",)).wants(alert)
    assert Target("c", "warn", ("r",)).wants(alert)


def test_every_kind_of_finding_has_a_rule_except_what_people_chose_or_will_mend_itself() -> None:
    covered = {kind for rule in shipped().values() for kind in rule.kinds}
    assert covered <= kinds().keys()
    assert kinds().keys() - covered == {"connector_paused", "rejects_few"}
    assert DEAD in shipped()


def test_an_administrator_changes_parts_of_a_rule() -> None:
    found = in_force({"program-down": Change(for_=300, severity="worst")})["program-down"]
    assert (found.for_, found.severity, found.per) == (300, "worst", "who")
    assert in_force({})["program-down"] == shipped()["program-down"]


@pytest.mark.parametrize("age", [60_000, 3_600_000])
def test_the_end_of_alerting_is_a_finding_of_its_rule(age: int) -> None:
    rule = shipped()[DEAD]
    site = Site(rule)
    site.look(0, dead(age))
    site.look(15)
    assert [word[1] for word in site.words] == [FIRING, RESOLVED]
