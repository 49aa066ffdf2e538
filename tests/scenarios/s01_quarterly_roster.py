"""S01 Quarterly roster to four departments (Rugao): RG-03, RG-15."""

from __future__ import annotations

from typing import ClassVar

from hub.embedded.city import forms
from tests.scenarios.harness.sightings import Sightings
from tests.scenarios.harness.stories import Story, day

RECIPIENTS = ("poverty-alleviation", "medical-insurance", "education", "power-supply")


class S01(Story):
    id = "S01"
    title = "Quarterly roster to four departments"
    begins = "2025-01-01T00:00"

    def given(self) -> None:
        self.on_roll("B", "DIBAO", meter="M-B")
        self.on_roll("C", "TEKUN", care="FULL_SELF_CARE", meter="M-C")
        self.on_roll("Z", "DIBAO", meter="M-Z")
        family = self.cast.household("HA", {"A": 38, "A2": 10}, pupils=("A2",), meter="M-A")
        self.enters(
            "2025-01-02T09:00",
            "civil-affairs",
            "households",
            forms.registration(family, day("2025-01-01")),
        )
        self.enters(
            "2025-01-02T09:10",
            "education",
            "enrolments",
            forms.enrolment(family.pupils[0], "2024-2025-2", day("2025-01-01")),
        )
        self.enters(
            "2025-01-02T09:20",
            "power-supply",
            "meters",
            forms.meter_match(family, day("2025-01-02"), number="PP-1"),
        )

    def when(self) -> None:
        with self.any_order():
            self.grants_ha()
            self.ends_b()
            self.changes_c()
        self.clock_passes("2025-04-01T00:00")

    def grants_ha(self) -> None:
        self.enters(
            "2025-02-10T09:00",
            "civil-affairs",
            "categories",
            forms.category(
                self.cast.households["HA"], "GRANT", day("2025-02-10"), number="C-1", kind="DIBAO"
            ),
        )

    def ends_b(self) -> None:
        household = self.cast.households["B"]
        self.enters(
            "2025-03-05T09:00",
            "civil-affairs",
            "decisions",
            forms.decision(household, "D-B", day("2025-03-05"), kind="end", outcome="approved"),
        )
        self.enters(
            "2025-03-05T09:05",
            "civil-affairs",
            "categories",
            forms.category(household, "END", day("2025-03-05"), number="C-2", decision="D-B"),
        )

    def changes_c(self) -> None:
        self.enters(
            "2025-03-20T09:00",
            "civil-affairs",
            "categories",
            forms.category(
                self.cast.households["C"],
                "CHANGE",
                day("2025-03-20"),
                number="C-3",
                changeItem="care_level",
                before="全自理",
                after="半自理",
                careLevel="半自理",
            ),
        )

    def then(self, seen: Sightings) -> None:
        self.deltas(seen)
        self.referrals(seen)
        self.snapshots(seen)
        seen.exactly(0, "reconciliation.mismatch")
        self.must_not(seen)

    def deltas(self, seen: Sightings) -> None:
        seen.exactly(11, "roster.delta")
        for recipient in ("poverty-alleviation", "medical-insurance"):
            for person, op in (("A", "added"), ("A2", "added"), ("B", "removed"), ("C", "changed")):
                seen.exactly(1, "roster.delta", to=recipient, person=person, roster__op=op)
        seen.exactly(1, "roster.delta", to="education", person="A2", roster__op="added")
        seen.exactly(
            1, "roster.delta", to="power-supply", roster__op="added", meter__meter_account="M-A"
        )
        seen.exactly(
            1, "roster.delta", to="power-supply", roster__op="removed", meter__meter_account="M-B"
        )

    def referrals(self, seen: Sightings) -> None:
        seen.exactly(4, "referral.created")
        for person in ("A", "A2"):
            seen.exactly(1, "referral.created", to="medical-aid", person=person)
        seen.exactly(1, "referral.created", to="education-aid", person="A2")
        seen.exactly(1, "referral.created", to="electricity-relief", meter__meter_account="M-A")
        seen.exactly(2, "referral.stop_notified")
        for program in ("medical-aid", "electricity-relief"):
            seen.exactly(1, "referral.stop_notified", to=program, envelope__decision_id="D-B")

    def snapshots(self, seen: Sightings) -> None:
        seen.exactly(4, "roster.snapshot", roster__period="2025-Q1")
        for recipient, rows in zip(RECIPIENTS, (4, 4, 1, 3), strict=True):
            seen.exactly(1, "roster.snapshot", to=recipient, roster__rows=rows)
        assert seen.events["roster.receipt"] == 4

    def must_not(self, seen: Sightings) -> None:
        for copy in (c for c in seen.copies if c.program == "power-supply"):
            assert not {"id", "household", "care", "diagnosis", "life"} & {
                name for name, value in copy.body.items() if value
            }
        assert not {"A", "C", "Z"} & {c.person for c in seen.copies if c.program == "education"}
        seen.exactly(0, "referral.closed")

    def left_open(self) -> dict[str, int]:
        return {"referral": 4, "stop_notice": 2}


class S01V1(S01):
    id = "S01-V1"
    title = "The close runs again"

    def when(self) -> None:
        super().when()
        self.trouble("close_again", "2025-Q1")


class S01V2(S01):
    id = "S01-V2"
    title = "All inputs read twice"

    def when(self) -> None:
        super().when()
        self.trouble("enter_all_again")


class S01V3(S01):
    id = "S01-V3"
    title = "The power company is unreachable at the close"
    ways: ClassVar[dict[str, str]] = {"power-supply": "webhook"}

    def when(self) -> None:
        with self.any_order():
            self.grants_ha()
            self.ends_b()
            self.changes_c()
        self.trouble("receiver_down", "power-supply")
        self.clock_passes("2025-04-01T00:00")
        self.trouble("receiver_waits", "power-supply", "roster.snapshot")
        self.trouble("receiver_up", "power-supply")
        self.clock_passes("2025-04-01T01:00")


class S01V4(S01):
    id = "S01-V4"
    title = "One delta to medical insurance is dropped by its own system"

    def when(self) -> None:
        self.trouble("drop_one", "medical-insurance", "roster.delta", "A2")
        super().when()

    def then(self, seen: Sightings) -> None:
        self.deltas(seen)
        self.referrals(seen)
        self.must_not(seen)
        (mismatch,) = seen.exactly(1, "reconciliation.mismatch")
        assert mismatch.get("notice.receiver") == "medical-insurance"
        assert mismatch.person == "A2"
        snapshots = seen.of("roster.snapshot", to="medical-insurance")
        assert len(snapshots) == 2
        assert len({copy.get("roster.snapshot_id") for copy in snapshots}) == 1


STORIES = (S01, S01V1, S01V2, S01V3, S01V4)
