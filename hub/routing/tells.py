"""Told: programs that subscribe to a fact get a copy of it, if the gate lets it leave.

A correction or annulment goes to whoever got the original, even if the role has ended since:
what was learned must be unlearned.
"""

from __future__ import annotations

from typing import NamedTuple

from hub.contracts.events import CanonicalEvent
from hub.model.contexts import Context
from hub.model.decisions import NOTHING, Decision, Deliver, Deny, Reason
from hub.model.households import View, views
from hub.model.records import Told
from hub.model.states import Keys, State
from hub.routing.derived import today
from hub.routing.gates import DIRECTORY, NO_AGREEMENT
from hub.routing.receivers import Receivers
from hub.routing.roles import Circle, Role
from hub.routing.subscriptions import Choice, Match
from hub.sdk.profiles import Profile, TellRule
from hub.sdk.subscriptions import NEUTRAL_TYPE

TOLD = "told"
"""Key of the sentence: the program subscribes to this type of event."""
RETRACTIONS = {"person.death_retracted": "person.died"}
"""Types that take back another type even where they name no event."""
_KEPT = 65_536
_NOBODY: frozenset[str] = frozenset()


class _Plan(NamedTuple):
    """Who may be told of the events of one type, place and day."""

    choice: Choice
    rules: dict[str, TellRule]
    """Headline rules in force, by the program they name."""
    opens: bool
    """Whether the event may open a case somewhere, role or not."""
    denied: Decision | None
    """What comes of it where nobody has a role and no filter has a say."""


class Tells:
    """The decider of told copies.

    Args:
        receivers: Every receiver with its agreement, and the index of subscriptions.
    """

    def __init__(self, receivers: Receivers) -> None:
        self._receivers = receivers
        self._plans: dict[tuple[str, str, int], _Plan | None] = {}
        self._made: dict[tuple[str, Choice, int], _Plan] = {}
        self._profile: Profile | None = None

    def decide(self, state: State, event: CanonicalEvent, ctx: Context) -> Decision:
        """Copies, denials and the record of who was told.

        Runs after facts are stored and referrals decided, so that roles opened by the same
        event count and a fact that a correction voided before it came stays silent.

        Raises:
            Need: a household, member or the receivers of the original are not loaded.
        """
        plan = self._plan(event, ctx.profile)
        replaced = _replaced(state, event)
        if plan is None and not replaced:
            return NOTHING
        if replaced or event.event_id not in state.loaded.told:
            state.require(Keys(told=replaced | {event.event_id}))
        if _voided(state, event):
            return NOTHING
        around = views(state, event, ctx.profile.roll)
        if plan is not None and plan.denied is not None and not replaced:
            stranger = not plan.opens and _nobody_knows(state, event, around)
            if stranger:
                return plan.denied
        rules = plan.rules if plan is not None else _rules(ctx.profile, event)
        telling = _Telling(self._receivers, Circle(state, event, around), ctx, rules)
        telling.again([state.told[name] for name in sorted(replaced) if name in state.told])
        if plan is not None and event.lifecycle != "annulled":
            for match in plan.choice.of(event):
                if match.entry.by == "copy":
                    telling.tell(match)
        return telling.decision(_void(state, event, ctx.now_ms))

    def _plan(self, event: CanonicalEvent, profile: Profile) -> _Plan | None:
        if profile is not self._profile:
            self._plans.clear()
            self._made.clear()
            self._profile = profile
        key = event.type, event.jurisdiction, event.effective_from
        try:
            return self._plans[key]
        except KeyError:
            if len(self._plans) >= _KEPT:
                self._plans.clear()
        choice = self._receivers.index.choice(event)
        found = None
        if choice is not None and any(match.entry.by == "copy" for match in choice.matches):
            # Few spans of days, many days: those of one span share a plan.
            span = event.type, choice, profile.period(event.effective_from)
            found = self._made.get(span) or _plan(event.type, choice, _rules(profile, event))
            self._made[span] = found
        self._plans[key] = found
        return found


def _plan(kind: str, choice: Choice, rules: dict[str, TellRule]) -> _Plan:
    matches = [match for match in choice.matches if match.entry.by == "copy"]
    programs = list(dict.fromkeys(match.subscription.id for match in matches))
    asked = [rule for program in programs if (rule := rules.get(program)) is not None]
    opens = any(match.entry.opens for match in matches)
    plain = all(match.always for match in matches) and not any(rule.when for rule in asked)
    denied = Decision(effects=tuple(Deny(program, DIRECTORY, kind) for program in programs))
    return _Plan(
        choice,
        rules,
        opens or any(rule.guard == "none" for rule in asked),
        denied if plain else None,
    )


def _nobody_knows(state: State, event: CanonicalEvent, around: list[View]) -> bool:
    """Whether the event is about one person for whom no program can have a role."""
    if event.household or event.lifecycle in {"annulled", "corrected"}:
        return False
    if event.uid is not None and state.interests.get(event.uid):
        return False
    return all(view.household is None and not view.cover for view in around)


class _Telling:
    """What is told of one event."""

    def __init__(
        self, receivers: Receivers, circle: Circle, ctx: Context, rules: dict[str, TellRule]
    ) -> None:
        self.receivers = receivers
        self.circle = circle
        self.event = circle.event
        self.ctx = ctx
        self.effects: list[Deliver | Deny] = []
        self.told: dict[str, list[str]] = {}
        self.rules = rules
        self.on_roll = circle.on_roll()

    def again(self, originals: list[Told]) -> None:
        """Tell those who got the original, in the places they got it for."""
        people = {uid: (uid, view, resident) for uid, view, resident in self.circle.people}
        for original in originals:
            for program, ordinal in original.copies:
                if ordinal in self.told.get(program, ()):
                    continue
                uid = _uid(ordinal, self.event)
                if uid is None:
                    role = Role(self.event.uid, ordinal, self.event.groups)
                else:
                    role = self.circle.role(*people.get(uid, (uid, None, None)))
                self.send(program, role._replace(ordinal=ordinal), original.id)

    def tell(self, match: Match) -> None:
        """Tell one subscriber, for everybody it has a role for."""
        program, event = match.subscription.id, self.event
        if program in self.told:
            return
        rule = self.rules.get(program)
        if not match.holds(event, on_roll=self.on_roll):
            return
        if rule is not None and rule.when:
            values = {
                "type": event.type,
                "on_roll": self.on_roll,
                "lifecycle": event.lifecycle,
            }
            if not rule.holds(values):
                return
        opens = match.entry.opens or (rule is not None and rule.guard == "none")
        roles = self.circle.roles(program, match.entry.roll, opens=opens)
        if not roles:
            self.deny(program, DIRECTORY)
        for role in roles:
            self.send(program, role, None)

    def send(self, program: str, role: Role, replaces: str | None) -> None:
        """One copy, if the agreement covers the event.

        Args:
            program: The receiver.
            role: Whom it is about.
            replaces: The event it was told before; None: it learns of the matter now.
        """
        event, receiver = self.event, self.receivers.get(program)
        if receiver is None:
            return self.deny(program, NO_AGREEMENT)
        code = receiver.gate.agreement(
            event.type, event.jurisdiction, event.source, today(self.ctx.now_ms)
        )
        if code is not None:
            return self.deny(program, code)
        self.told.setdefault(program, []).append(role.ordinal)
        self.effects.append(
            Deliver(
                program=program,
                # The type alone would tell a death or an illness.
                type=NEUTRAL_TYPE if receiver.neutral else event.type,
                cause=event.event_id,
                reason=self.reason(program),
                uid=role.uid,
                household=role.household,
                groups=role.groups,
                correlation=event.correlation_id or event.event_id,
                lifecycle=self.lifecycle(replaces),
                replaces=replaces,
                decision_id=event.decision_id,
                occurred_at=event.occurred_at,
                jurisdiction=event.jurisdiction,
                ordinal=role.ordinal,
            )
        )
        return None

    def lifecycle(self, replaces: str | None) -> str:
        """A correction is news to a receiver that never had the original."""
        event = self.event
        if event.type in RETRACTIONS:
            return "annulled" if replaces else "created"
        return "created" if replaces is None and event.lifecycle == "corrected" else event.lifecycle

    def deny(self, program: str, code: str) -> None:
        """Record once that the program was not told, and why."""
        denied = Deny(program, code, self.event.type)
        if denied not in self.effects:
            self.effects.append(denied)

    def reason(self, program: str) -> Reason:
        """Why this program: the headline rule that names it, else its subscription."""
        rule = self.rules.get(program)
        return Reason(
            rule.id if rule else f"programs.{program}",
            TOLD,
            self.ctx.profile.version,
            (self.event.event_id,),
            {"type": self.event.type},
        )

    def decision(self, void: tuple[Told, ...]) -> Decision:
        """Everything together with the record of who was told."""
        copies = [[program, ordinal] for program, places in self.told.items() for ordinal in places]
        told = (Told(self.event.event_id, self.ctx.now_ms, copies),) if copies else ()
        reasons = {e.reason.rule: e.reason for e in self.effects if isinstance(e, Deliver)}
        return Decision((*void, *told), tuple(self.effects), tuple(reasons.values()))


def _replaced(state: State, event: CanonicalEvent) -> frozenset[str]:
    """Ids of the events this one corrects, annuls, ends or takes back."""
    kind = RETRACTIONS.get(event.type)
    if kind is None and not event.replaces:
        return _NOBODY
    ids = {event.replaces} if event.replaces else set[str]()
    person = state.persons.get(event.uid) if event.uid is not None else None
    if kind is not None and person is not None:
        ids.update(fact.id for fact in person.facts if fact.type == kind)
    return frozenset(ids)


def _void(state: State, event: CanonicalEvent, now_ms: int) -> tuple[Told, ...]:
    """The original's record, marked as replaced; made where the original has yet to come."""
    if event.replaces is None or event.lifecycle not in {"corrected", "annulled"}:
        return ()
    known = state.told.get(event.replaces)
    copies = known.copies if known else []
    return (Told(event.replaces, known.at if known else now_ms, copies, event.event_id),)


def _voided(state: State, event: CanonicalEvent) -> bool:
    """Whether a correction that came before this event has replaced it already."""
    known = state.told.get(event.event_id)
    return known is not None and known.void_by is not None


def _rules(profile: Profile, event: CanonicalEvent) -> dict[str, TellRule]:
    """Headline rules in force for this type, by the program they name."""
    return {
        program: rule
        for rule in profile.on(event.effective_from).tells
        if rule.type == event.type
        for program in rule.programs
    }


def _uid(ordinal: str, event: CanonicalEvent) -> bytes | None:
    if not ordinal:
        return event.uid
    text = ordinal.removeprefix("told:")
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return None
    return found if len(found) == 16 else None
