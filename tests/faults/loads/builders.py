"""Builders: one method for each kind of fact, with the truth of the rules of Rugao beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from tests.faults.loads import forms
from tests.faults.loads.facts import DEAD_LETTER, DUPLICATE, FILTERED, Fact, Move, Opens, Told
from tests.faults.loads.people import Family, Person, mistyped

CHINA = ZoneInfo("Asia/Shanghai")
CATEGORIES = "civil-affairs/categories"
DECISIONS = "civil-affairs/decisions"
ENCOUNTERS = "hospital/encounters"
EMPLOYMENT = "hrss/employment"
INSURANCE = "hrss/insurance"
SETTLEMENTS = "medical-insurance/settlements"
LISTS = "poverty-alleviation/lists"
ROSTERS = ("poverty-alleviation", "medical-insurance")
"""Receivers of a roster row for each person on roll; the power company gets one for a meter."""
STAYS = ("medical-aid", "instant-settlement")
"""Programs that learn of a stay in hospital of somebody on roll."""
_GRANTED_DAYS = 40
_STAY_SECONDS = 20


class Builder:
    """Makes facts with rising numbers.

    Args:
        run: Part of every record number, so that two runs on one hub never meet.
        now: Instant to which dates are relative.
    """

    def __init__(self, run: str, now: datetime | None = None) -> None:
        self.run = run
        self.now = (now or datetime.now(CHINA)).astimezone(CHINA)
        self.count = 0
        self._links: dict[str, int] = {}
        self._stays: dict[str, int] = {}

    def _move(self, record: Any, **truth: Any) -> Move:
        self.count += 1
        way = truth.pop("way")
        body = record if isinstance(record, bytes) else orjson.dumps(record)
        # A view's or file's row is written anew by the connector; other bodies pass unchanged.
        digest = sha256(body).hexdigest() if way in {"queue", "rest"} else ""
        return Move(Fact(n=self.count, way=way, digest=digest, **truth), record)

    def number(self, kind: str) -> str:
        """Number of the record that comes next."""
        return f"{kind}{self.run}-{self.count + 1}"

    def grant(self, family: Family) -> Move:
        """A family is granted the living allowance: three referrals, rosters and a flag."""
        on = (self.now - timedelta(days=_GRANTED_DAYS)).date()
        number = self.number("DB")
        numbers = tuple(person.id_number for person in family.people)
        episode = self.count + 1
        people = [(who, "person") for who in numbers]
        return self._move(
            forms.grant(family, on, number=number),
            kind="grant",
            way="queue",
            place=CATEGORIES,
            key=number,
            type="category.granted",
            people=numbers,
            told=(
                *(Told("medical-aid", "referral.created", who) for who in numbers),
                Told("electricity-relief", "referral.created", family.meter),
                *(Told("instant-settlement", "category.granted", who) for who in numbers),
                *_rosters(family),
            ),
            opens=(
                *(Opens("medical-aid", kind, who, episode) for who, kind in people),
                Opens("electricity-relief", "meter", family.meter, episode),
            ),
            on_roll=dict.fromkeys(numbers, True),
        )

    def decided_end(self, family: Family) -> tuple[Move, Move]:
        """A decision, and the end of a granted category by it: stop notices, off the rosters."""
        on = self.now.date()
        decided = self.number("JD")
        first = self._move(
            forms.decision(family, on, number=decided),
            kind="decision",
            way="queue",
            place=DECISIONS,
            key=decided,
            type="decision.recorded",
            people=(family.head.id_number,),
        )
        number = self.number("TC")
        numbers = tuple(person.id_number for person in family.people)
        stops = (
            *(("medical-aid", who) for who in numbers),
            ("electricity-relief", family.meter),
        )
        second = self._move(
            forms.end(family, on, number=number, decision=decided),
            kind="end",
            way="queue",
            place=CATEGORIES,
            key=number,
            type="category.ended",
            people=numbers,
            told=(
                *(Told(program, "referral.stop_notified", of) for program, of in stops),
                *_rosters(family),
            ),
            on_roll=dict.fromkeys(numbers, False),
            stops=stops,
        )
        return first, second

    def job_lost(self, person: Person) -> Move:
        """Somebody not on roll loses a job: one referral to employment aid."""
        number = self.number("SY")
        return self._move(
            forms.employment(person, self.now.date(), number=number),
            kind="job_lost",
            way="view",
            place=EMPLOYMENT,
            key=number,
            type="employment.lost",
            people=(person.id_number,),
            told=(Told("employment-aid", "referral.created", person.id_number),),
            opens=(Opens("employment-aid", "person", person.id_number, self.count + 1),),
        )

    def job_started(self, family: Family) -> Move:
        """The head of a family on roll finds a job: aid goes on, one task for the household."""
        number, who = self.number("JY"), family.head.id_number
        return self._move(
            forms.employment(family.head, self.now.date(), number=number, kind="1"),
            kind="job_started",
            way="view",
            place=EMPLOYMENT,
            key=number,
            type="employment.started",
            people=(who,),
            told=(
                Told("dibao", "employment.started", who),
                Told("civil-affairs", "task.opened", who),
            ),
        )

    def misplaced(self, family: Family, area: str) -> Move:
        """A grant in a division that does not exist: a dead letter, and nobody is misrouted."""
        on, number = self.now.date(), self.number("DB")
        return self._move(
            {**forms.grant(family, on, number=number), "area": area},
            kind="misplaced",
            way="queue",
            place=CATEGORIES,
            key=number,
            type="category.granted",
            disposition=DEAD_LETTER,
            code="E-AREA-UNKNOWN",
        )

    def discharge_undone(self, person: Person) -> tuple[Move, ...]:
        """An admission, the discharge, and the discharge taken back; links of one chain."""
        number, at = self._stay_of(person)
        return tuple(
            self._encounter(person, infno, at + timedelta(seconds=after), number, STAYS)
            for infno, after in (("2401", 0), ("2402", 6), ("2405", 9))
        )

    def stay(self, person: Person, *, cancelled: bool, on_roll: bool = True) -> tuple[Move, ...]:
        """An admission, then the discharge or the cancellation; the links of one chain.

        Of somebody on roll two programs are told each time, and learn of a cancellation as the
        annulment of what they were told.
        """
        last = "2404" if cancelled else "2402"
        number, at = self._stay_of(person)
        programs = STAYS if on_roll else ()
        first = self._encounter(person, "2401", at, number, programs)
        second = self._encounter(person, last, at + timedelta(seconds=9), number, programs)
        return first, second

    def stranger(self, person: Person) -> Move:
        """An admission of somebody nobody serves: it is decided that nobody is told."""
        number, at = self._stay_of(person)
        return self._encounter(person, "2401", at, number, (), kind="stranger")

    def _stay_of(self, person: Person) -> tuple[str, datetime]:
        count = self._stays[person.id_number] = self._stays.get(person.id_number, 0) + 1
        # Stays of one person lie apart, all of them yesterday or later, none in the future.
        begin = self.now.replace(microsecond=0) - timedelta(days=1)
        return self.number("ZY"), begin + timedelta(seconds=_STAY_SECONDS * (count % 4000))

    def _encounter(
        self,
        person: Person,
        infno: str,
        at: datetime,
        stay: str,
        programs: tuple[str, ...],
        *,
        kind: str = "stay",
        msgid: str = "",
    ) -> Move:
        event = "health.discharged" if infno in {"2402", "2405"} else "health.hospitalized"
        annulled = infno in {"2404", "2405"}
        copy = f"{event}-annulled" if annulled else event
        chain = f"{kind}/{person.id_number}" if programs else ""
        if chain:
            self._links[chain] = self._links.get(chain, 0) + 1
        return self._move(
            forms.encounter(person, infno, at, stay=stay, msgid=msgid),
            kind=kind,
            way="rest",
            place=ENCOUNTERS,
            key=f"{forms.HOSPITAL}/{stay}",
            type=event,
            lifecycle="annulled" if annulled else "created",
            people=(person.id_number,),
            told=tuple(Told(program, copy, person.id_number) for program in programs),
            chain=chain,
            link=self._links.get(chain, 0),
        )

    def insured(self, person: Person) -> Move:
        """Insurance of somebody nobody serves: no rule asks for it, so it is filtered."""
        number = self.number("SB")
        return self._move(
            forms.insured(person, self.now.date(), number=number),
            kind="insured",
            way="view",
            place=INSURANCE,
            key=number,
            type="social_insurance.changed",
            people=(person.id_number,),
            disposition=FILTERED,
        )

    def insured_again(self, move: Move) -> Move:
        """The row of somebody's insurance with other content, under its next version."""
        if not isinstance(move.record, dict):
            raise TypeError("only a record with fields can be changed")
        record = {**move.record, "版本号": str(int(move.record["版本号"]) + 1), "参保状态": "0"}
        fact = move.fact
        return self._move(
            record,
            kind="insured",
            way=fact.way,
            place=fact.place,
            key=fact.key,
            type=fact.type,
            people=fact.people,
            disposition=FILTERED,
        )

    def settlement(self, person: Person) -> Move:
        """A bill of somebody on roll: medical aid is told."""
        number = self.number("JS")
        return self._move(
            forms.settlement(person, self.now.date(), number=number),
            kind="settlement",
            way="view",
            place=SETTLEMENTS,
            key=number,
            type="medical.expense_recorded",
            people=(person.id_number,),
            told=(Told("medical-aid", "medical.expense_recorded", person.id_number),),
        )

    def wrong_number(self, person: Person) -> Move:
        """A wrong check character: a dead letter, and no person is guessed."""
        number = self.number("SY")
        wrong = Person(person.name, mistyped(person.id_number))
        return self._move(
            forms.employment(wrong, self.now.date(), number=number),
            kind="wrong_number",
            way="view",
            place=EMPLOYMENT,
            key=number,
            type="employment.lost",
            disposition=DEAD_LETTER,
            code="E-ID-CHECK",
        )

    def broken(self) -> Move:
        """A message cut off in the middle: a dead letter, and the partition goes on."""
        body = b'{"recordNo": "%s", "action": ' % self.number("DB").encode()
        return self._move(
            body,
            kind="broken",
            way="queue",
            place=CATEGORIES,
            disposition=DEAD_LETTER,
            code="E-JSON",
        )

    def again(self, move: Move, *, msgid: str = "") -> Move:
        """The same fact once more, under a new message number where one is given: no effect."""
        record = move.record
        if msgid and isinstance(record, dict):
            record = {**record, "msgid": msgid}
        fact = move.fact
        return self._move(
            record,
            kind="again",
            way=fact.way,
            place=fact.place,
            key=fact.key,
            type=fact.type,
            lifecycle=fact.lifecycle,
            people=fact.people,
            disposition=DUPLICATE,
        )

    def changed(self, move: Move) -> Move:
        """Other content under the key and version of a grant: a dead letter, no silent loss."""
        if not isinstance(move.record, dict):
            raise TypeError("only a record with fields can be changed")
        return self._move(
            {**move.record, "amount": "790.00"},
            kind="changed",
            way=move.fact.way,
            place=move.fact.place,
            key=move.fact.key,
            type=move.fact.type,
            people=move.fact.people,
            disposition=DEAD_LETTER,
            code="E-CHANGED-WITHOUT-VERSION",
        )

    def relapses(self, people: list[Person]) -> Iterator[Move]:
        """A relapse list: each row a case at civil affairs, told to three programs.

        When the last row is there the list is answered once, as a whole.
        """
        list_ref, on = self.number("FP"), self.now.date()
        answered = (Told("poverty-alleviation", "poverty.disposition_returned", ""),)
        for row, person in enumerate(people, 1):
            who = person.id_number
            yield self._move(
                forms.list_row(person, on, list_ref=list_ref, row=row, rows=len(people)),
                kind="listed",
                way="file",
                place=LISTS,
                key=f"{list_ref}/{row}",
                type="poverty.relapsed",
                people=(who,),
                told=(
                    *(
                        Told(program, "poverty.relapsed", who)
                        for program in ("poverty-backstop", "dibao", "tekun")
                    ),
                    Told("civil-affairs", "case.opened", who),
                    *(answered if row == len(people) else ()),
                ),
            )


def _rosters(family: Family) -> tuple[Told, ...]:
    return (
        *(
            Told(recipient, "roster.delta", person.id_number)
            for recipient in ROSTERS
            for person in family.people
        ),
        Told("power-supply", "roster.delta", family.meter),
    )
