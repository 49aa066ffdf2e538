"""A world for deciders: facts go in, decisions are applied to one state, effects are kept."""

from collections import Counter
from datetime import date, datetime

import msgspec

from hub import casework, referrals, rosters
from hub.contracts.events import CanonicalEvent
from hub.kernel.clocks import SHANGHAI, epoch_ms
from hub.kernel.dates import days_of
from hub.kernel.event_ids import EventIds, hub_event_id
from hub.model.contexts import Context
from hub.model.decisions import Cancel, DeadLetter, Deliver, Emit, Resume, Schedule
from hub.model.facts import held, record
from hub.model.households import view_of
from hub.model.openings import OpeningRow, opening_events
from hub.model.states import State
from hub.referrals.openings import served
from hub.rosters.openings import last_rows
from hub.sdk.profiles import load_profile

PROFILE = load_profile("rugao")
TABLES = (referrals.DECIDERS, rosters.DECIDERS, casework.DECIDERS)


class LoadedState(State):
    """Everything there is has been loaded."""

    def require(self, keys):
        return None


def day(text):
    return days_of(date.fromisoformat(text))


def instant(text):
    return epoch_ms(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI))


def uid(name):
    return name.encode().ljust(16, b".")[:16]


def member(name, relation=None, **more):
    return {"ref": uid(name).hex(), "relation": relation, **more}


def fact(kind, key, on, *, who=None, home=None, source="civil-affairs", version="1", **more):
    at = instant(f"{on}T09:00:00")
    groups = more.pop("groups", {})
    return CanonicalEvent(
        event_id=EventIds(f"/gov/320682/{source}").of(key, kind, version),
        type=kind,
        source=source,
        source_record_key=key,
        source_version=version,
        uid=uid(who) if who else None,
        household=home,
        jurisdiction="320682",
        occurred_at=at,
        effective_from=day(on),
        recorded=at,
        correlation_id=more.pop("correlation", f"c-{key}"),
        groups=groups,
        **more,
    )


def granted(key, on, home, category="DIBAO", who=None, **more):
    group = {
        "category": category,
        "scope": more.pop("scope", "household"),
        "effective_from": day(on),
    }
    return fact("category.granted", key, on, home=home, who=who, groups={"category": group}, **more)


def ended(key, on, home, category="DIBAO", who=None, decision="D", **more):
    group = {"category": category, "effective_to": day(on)}
    return fact(
        "category.ended",
        key,
        on,
        home=home,
        who=who,
        decision_id=decision,
        groups={"category": group},
        **more,
    )


def decision(key, on, number, *, who=None, home=None, power="approve", person="S-017", **groups):
    kind = groups.pop("kind", "end")
    outcome = groups.pop("outcome", "end")
    group = {
        "decision_id": number, "power": power, "person": person, "unit": "U-1",
        "kind": kind, "outcome": outcome,
    }  # fmt: skip
    return fact(
        "decision.recorded", key, on, who=who, home=home, groups={"decision": group, **groups}
    )


class World:
    """State, effects, and one loop that runs deciders like a worker does."""

    def __init__(self, profile=PROFILE):
        self.state = LoadedState()
        self.profile = profile
        self.now = instant("2025-01-01T00:00:00")
        self.effects = []
        self.because = []
        self.timers = {}

    @property
    def ctx(self):
        return Context(self.now, self.profile)

    def opening(self, *rows):
        for event in opening_events(rows, self.ctx):
            self.state.apply(record(self.state, event, self.ctx).changes)
        for home in dict.fromkeys(row.household for row in rows):
            view = view_of(self.state, home, self.profile.roll)
            self.state.apply((*served(view, self.ctx), *last_rows(view, self.ctx)))
        for timer in rosters.periods.first_timers(self.profile, self.ctx.now.date()):
            self.timers[timer.key] = timer

    def send(self, *events):
        for event in events:
            self.now = max(self.now, event.recorded)
            self._decide(event)
        return self

    def _decide(self, event):
        queue = [event]
        while queue:
            queue += self._one(queue.pop(0))

    def _one(self, event):
        first = self.call(record, event)
        found = [first]
        self.state.apply(first.changes)
        if not held(first):
            deciders = [d for table in TABLES for d in table.get(event.type, ())]
            for decider in deciders:
                done = self.call(decider, event)
                self.state.apply(done.changes)
                found.append(done)
        again = []
        ordinals = Counter()
        for done in found:
            self.because += done.because
            for effect in done.effects:
                self.effects.append(effect)
                if isinstance(effect, Schedule):
                    self.timers[effect.key] = effect
                elif isinstance(effect, Cancel):
                    self.timers.pop(effect.key, None)
                elif isinstance(effect, Resume):
                    again.append(effect.event)
                elif isinstance(effect, Emit):
                    again.append(_emitted(effect, ordinals))
        return again

    def call(self, function, event):
        return function(self.state, event, self.ctx)

    def at(self, text):
        """Move the clock and fire what is due."""
        self.now = instant(text)
        for key in sorted(key for key, timer in self.timers.items() if timer.at <= self.now):
            timer = self.timers.pop(key)
            self._decide(
                CanonicalEvent(
                    event_id=hub_event_id(key, "timer", 0),
                    type=f"timer.{timer.kind}",
                    source="hub",
                    source_record_key=key,
                    occurred_at=timer.at,
                    effective_from=self.ctx.today,
                    recorded=self.now,
                    groups={"timer": timer.payload},
                )
            )
        return self

    def copies(self, kind, program=None):
        return [
            e
            for e in self.effects
            if isinstance(e, Deliver) and e.type == kind and program in {None, e.program}
        ]

    def counts(self, kind):
        return dict(Counter(copy.program for copy in self.copies(kind)))

    def dead(self):
        return [e for e in self.effects if isinstance(e, DeadLetter)]

    def ledger(self):
        """What the ledger says, without ids and instants."""
        return {
            (
                r.program,
                r.subject_kind,
                r.subject_ref,
                r.episode,
                r.state,
                r.spell_from,
                r.spell_to,
                r.stop_decision,
                r.stop_state,
                r.correlation,
            )
            for r in self.state.referrals.values()
        }

    def roster(self):
        return {
            (r.recipient, r.row_key, r.present, msgspec.json.encode(r.fields, order="sorted"))
            for rows in self.state.rosters.values()
            for r in rows.values()
            if not r.row_key.startswith("snapshot:")
        }


def _emitted(effect, ordinals):
    place = effect.cause, effect.reason.rule
    event_id = hub_event_id(effect.cause, effect.reason.rule, ordinals[place])
    ordinals[place] += 1
    return CanonicalEvent(
        event_id=event_id,
        type=effect.type,
        source="hub",
        source_record_key=event_id,
        uid=effect.uid,
        household=effect.household,
        jurisdiction=effect.jurisdiction,
        occurred_at=effect.occurred_at,
        effective_from=effect.effective_from,
        recorded=effect.occurred_at,
        correlation_id=effect.correlation,
        causation_id=effect.cause,
        decision_id=effect.decision_id,
        groups=effect.groups,
    )


def person(name):
    return {"id": {"name": f"测试{name}", "id_number": f"99{name:0>16}"}}


def first_quarter():
    """S01: who is on roll when the year begins, and the known household HA."""
    world = World()
    world.opening(
        OpeningRow(household="H-B", uid=uid("B"), category="DIBAO", effective_from=day("2024-01-01"), identity=person("B"), meters=("M-B",)),
        OpeningRow(household="H-C", uid=uid("C"), category="TEKUN", effective_from=day("2024-01-01"), care_level="FULL_SELF_CARE", identity=person("C"), meters=("M-C",)),
        OpeningRow(household="H-Z", uid=uid("Z"), category="DIBAO", effective_from=day("2024-01-01"), identity=person("Z"), meters=("M-Z",)),
    )  # fmt: skip
    return world.send(
        fact("household.changed", "ha", "2024-06-01", home="HA", groups={"household": {"members": [member("A", "户主", valid_from=day("2024-06-01")), member("A2", "女", valid_from=day("2024-06-01"))]}}),
        fact("education.enrolled", "ha2", "2024-09-01", who="A2", source="education", groups={"school": {"school": "实验小学", "stage": "primary", "student_no": "N-2"}}),
        fact("electricity.meter_matched", "ma", "2024-06-01", home="HA", source="power-supply", groups={"meter": {"meter_account": "M-A"}}),
    )  # fmt: skip


def first_quarter_facts():
    """S01: what happens in the quarter."""
    return [
        granted("g-ha", "2025-02-10", "HA"),
        decision("d-b", "2025-03-04", "D-B", who="B"),
        ended("e-b", "2025-03-05", "H-B", who="B", decision="D-B"),
        fact("category.changed", "c-c", "2025-03-20", who="C", home="H-C", groups={
            "category": {"category": "TEKUN", "scope": "household"},
            "change": {"item": "care_level", "before": "FULL_SELF_CARE", "after": "HALF_SELF_CARE"},
            "care": {"care_level": "HALF_SELF_CARE"},
        }),
    ]  # fmt: skip


def listed(name, number, kind="poverty.relapsed", home=None, total=5, key=None):
    row = {"list_ref": "L-2025-05", "row_no": number, "rows_total": total}
    return fact(
        kind,
        key or f"L-2025-05/{number}",
        "2025-05-06",
        who=name,
        home=home,
        source="poverty-alleviation",
        groups={"list": row},
    )


def rejected(number, total=5):
    row = {"list_ref": "L-2025-05", "row_no": number, "rows_total": total}
    failure = {
        "reason": "id_number_invalid",
        "code": "E-ID-CHECK",
        "topic": "in.poverty-alleviation.list",
    }
    return fact(
        "record.dead_lettered",
        f"dl-{number}",
        "2025-05-06",
        source="hub",
        groups={"list": row, "failure": failure},
    )


def poor_list(grade="D"):
    """S02: what is known before the list comes."""
    world = World()
    world.opening(
        OpeningRow(household="H-P2", uid=uid("P2"), category="DIBAO", effective_from=day("2024-01-01"), identity=person("P2"), meters=("M-P2",)),
    )  # fmt: skip
    return world.send(
        fact("household.changed", "hp1", "2024-06-01", home="HP1", groups={"household": {"members": [member("P1", "户主", valid_from=day("2024-06-01")), member("P1b", "子", valid_from=day("2024-06-01"))]}}),
        fact("education.enrolled", "p1b", "2024-09-01", who="P1b", source="education", groups={"school": {"student_no": "N-9", "stage": "primary"}}),
        fact("electricity.meter_matched", "mp1", "2024-06-01", home="HP1", source="power-supply", groups={"meter": {"meter_account": "M-P1"}}),
        fact("housing.danger_assessed", "h1", "2024-07-01", home="HP1", source="housing", groups={"house": {"house_ref": "F-1", "danger_grade": grade}}),
        fact("person.died", "p4", "2025-01-05", who="P4", source="police", groups={"life": {"life_status": "died", "status": "confirmed", "died_on": day("2025-01-04")}}),
    )  # fmt: skip


def poor_list_facts():
    """S02: five rows and a decision."""
    return [
        listed("P1", 1, home="HP1"),
        listed("P2", 2),
        listed("P3", 3, kind="poverty.backstop_needed"),
        listed("P4", 4),
        rejected(5),
        decision("d-p1", "2025-05-20", "D-P1", who="P1", home="HP1", kind="classification", outcome="grant", category={"category": "DIBAO", "scope": "household", "effective_from": day("2025-05-20")}),
    ]  # fmt: skip
