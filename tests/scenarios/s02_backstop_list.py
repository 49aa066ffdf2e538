"""S02 Backstop and relapse list (Rugao): RG-04, RG-14, RG-15."""

from __future__ import annotations

from typing import Any

from hub.embedded.city import forms
from tests.scenarios.harness.casts import corrected
from tests.scenarios.harness.sightings import Sightings
from tests.scenarios.harness.stories import Story, day

LIST = "FP-2025-05"


class S02(Story):
    id = "S02"
    title = "Backstop and relapse list"
    begins = "2025-05-01T00:00"
    grade = "D"

    def given(self) -> None:
        family = self.cast.household(
            "HP1", {"P1": 45, "P1b": 12}, pupils=("P1b",), danger=self.grade, meter="M-P1"
        )
        self.on_roll("P2", "DIBAO")
        self.cast.household("HP3", {"P3": 72})
        self.cast.person("P4", 70)
        self.cast.person("P5", 50, wrong_check=True)
        since = day("2025-05-01")
        self.enters(
            "2025-05-02T09:00", "civil-affairs", "households", forms.registration(family, since)
        )
        self.enters(
            "2025-05-02T09:10",
            "education",
            "enrolments",
            forms.enrolment(family.pupils[0], "2024-2025-2", since),
        )
        self.enters(
            "2025-05-02T09:20",
            "power-supply",
            "meters",
            forms.meter_match(family, day("2025-05-02"), number="PP-1"),
        )
        self.enters(
            "2025-05-02T09:30",
            "housing",
            "assessments",
            forms.assessment(family, self.grade, since, number="WF-1"),
        )
        self.enters(
            "2025-05-02T09:40",
            "police",
            "deaths",
            forms.police_death(self.cast.persons["P4"], day("2025-04-20"), number="ZX-4"),
        )

    def when(self) -> None:
        self.list_comes()
        self.decides_p1()

    def rows(self) -> list[dict[str, Any]]:
        people = self.cast.persons
        return forms.list_rows(
            LIST,
            day("2025-05-06"),
            [
                ("返贫", people["P1"], "H-HP1"),
                ("返贫", people["P2"], ""),
                ("兜底", people["P3"], ""),
                ("返贫", people["P4"], ""),
                ("返贫", people["P5"], ""),
            ],
        )

    def list_comes(self, at: str = "2025-05-06T10:00", name: str = "") -> None:
        self.enters(at, "poverty-alleviation", "lists", *self.rows(), file_name=name)

    def decides_p1(self) -> None:
        family = self.cast.households["HP1"]
        self.enters(
            "2025-05-20T10:00",
            "civil-affairs",
            "decisions",
            forms.decision(
                family,
                "D-P1",
                day("2025-05-20"),
                kind="classification",
                outcome="granted",
                category="DIBAO",
                scope="HOUSEHOLD",
                effectiveDate="2025-05-20",
                members=forms.family_members(family, day("2025-05-01")),
            ),
        )

    def then(self, seen: Sightings) -> None:
        assert seen.events["poverty.relapsed"] == 3
        assert seen.events["poverty.backstop_needed"] == 1
        assert seen.events["record.dead_lettered"] == 1
        assert seen.dead_letters[0]["code"] == "E-ID-CHECK"
        self.cases(seen, opened=2)
        self.dispositions(seen)
        self.referrals(seen)
        self.must_not(seen)

    def cases(self, seen: Sightings, opened: int) -> None:
        seen.exactly(opened, "case.opened", to="civil-affairs", case__kind="classification")
        for person in ("P1", "P3"):
            seen.exactly(1, "case.opened", to="civil-affairs", person=person)
        seen.exactly(1, "task.opened", to="civil-affairs", person="P4", task__kind="alive_conflict")
        seen.exactly(1, "task.opened", to="civil-affairs")

    def dispositions(self, seen: Sightings) -> None:
        first, update = seen.exactly(2, "poverty.disposition_returned", to="poverty-alleviation")
        rows = {row["row_no"]: row for row in first.get("disposition.rows")}
        assert {n: row["outcome"] for n, row in rows.items()} == {
            1: "case_opened",
            2: "already_covered",
            3: "case_opened",
            4: "alive_conflict",
            5: "record_rejected",
        }
        assert rows[5]["reason"]
        (row,) = update.get("disposition.rows")
        assert (row["row_no"], row["outcome"], row["category"]) == (1, "granted", "DIBAO")

    def referrals(self, seen: Sightings) -> None:
        self.household_referrals(seen)
        housing = [
            seen.exactly(1, "referral.created", to=program)[0]
            for program in ("housing-aid", "charity-housing")
        ]
        assert len({self.matter(copy) for copy in housing}) == 1
        seen.exactly(6, "referral.created")

    def household_referrals(self, seen: Sightings) -> None:
        for person in ("P1", "P1b"):
            seen.exactly(1, "referral.created", to="medical-aid", person=person)
        seen.exactly(1, "referral.created", to="education-aid", person="P1b")
        seen.exactly(1, "referral.created", to="electricity-relief", meter__meter_account="M-P1")

    def matter(self, copy: Any) -> str:
        """The matter on the operators' view; on the copies it is pairwise."""
        return self.matters[copy.envelope["referral_id"]]

    def must_not(self, seen: Sightings) -> None:
        for person in ("P2", "P4"):
            seen.exactly(0, "case.opened", person=person)
        seen.exactly(0, "referral.stop_notified")
        seen.exactly(0, "referral.closed")

    def left_open(self) -> dict[str, int]:
        return {"case": 1, "task": 1, "dead_letter": 1, "referral": 6}


class S02V1(S02):
    id = "S02-V1"
    title = "The same file again, and under another name"

    def when(self) -> None:
        self.list_comes()
        self.list_comes("2025-05-07T10:00")
        self.list_comes("2025-05-08T10:00", "另一份名单.csv")
        self.decides_p1()


class S02V2(S02):
    id = "S02-V2"
    title = "The rejected row is corrected and sent again"

    def when(self) -> None:
        self.list_comes()
        self.cast.persons["P5"] = corrected(self.cast.persons["P5"])
        self.enters("2025-05-07T10:00", "poverty-alleviation", "lists", self.rows()[4])
        self.decides_p1()

    def then(self, seen: Sightings) -> None:
        self.cases(seen, opened=3)
        seen.exactly(1, "case.opened", to="civil-affairs", person="P5")
        self.referrals(seen)
        self.must_not(seen)

    def left_open(self) -> dict[str, int]:
        return {"case": 2, "task": 1, "referral": 6}


class S02V3(S02):
    id = "S02-V3"
    title = "P1 lives in a sound house"
    grade = "A"

    def referrals(self, seen: Sightings) -> None:
        self.household_referrals(seen)
        seen.exactly(4, "referral.created")

    def left_open(self) -> dict[str, int]:
        return {"case": 1, "task": 1, "dead_letter": 1, "referral": 4}


class S02V4(S02):
    id = "S02-V4"
    title = "Only the housing-aid referral closes"

    def when(self) -> None:
        super().when()
        self.answers("2025-05-21T10:00", "housing-aid", "referral.accepted")
        self.answers("2025-05-28T10:00", "housing-aid", "referral.completed")
        self.trouble("matter_is", "housing-aid", "open")
        self.answers("2025-05-29T10:00", "charity-housing", "referral.accepted")
        self.answers("2025-05-30T10:00", "charity-housing", "referral.completed")
        self.trouble("matter_is", "housing-aid", "closed")

    def must_not(self, seen: Sightings) -> None:
        for person in ("P2", "P4"):
            seen.exactly(0, "case.opened", person=person)
        seen.exactly(0, "referral.stop_notified")

    def left_open(self) -> dict[str, int]:
        return {"case": 1, "task": 1, "dead_letter": 1, "referral": 4}


STORIES = (S02, S02V1, S02V2, S02V3, S02V4)
