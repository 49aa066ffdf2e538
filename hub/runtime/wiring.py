"""Wiring: which topic is read by which stage, and who decides what. Read this page first.

``in.*`` is raw and theirs; intake maps it to ``event.*``. Everything that is decided passes the
rows below from top to bottom, in one transaction: the fact is put on record, then rights follow,
then casework, rosters, and last the programs that are told of the fact itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from hub import casework, referrals, rosters
from hub.contracts.catalogues import Catalogue, catalogue
from hub.contracts.events import CanonicalEvent
from hub.contracts.replay_marks import ReplayKey
from hub.intake.normalisers import IntakeKeys
from hub.intake.pipelines import Pipeline, compile_pipelines
from hub.kernel.clocks import from_epoch_ms
from hub.kernel.id_sets import IdSet
from hub.kernel.person_keys import RouteKey, UidKey
from hub.kernel.places import PACKAGE
from hub.kernel.secrets import Secrets
from hub.kernel.settings import Settings
from hub.model import facts
from hub.model.contexts import Context
from hub.model.decisions import Schedule
from hub.model.folding import RANKS
from hub.model.keys import decision_of, keys, own_record
from hub.model.sentences import in_both
from hub.model.states import Keys
from hub.rosters.periods import first_timers
from hub.routing.copies import Copies
from hub.routing.receivers import Receivers
from hub.routing.tells import RETRACTIONS, Tells
from hub.runtime.wirings import DECIDE, INTAKE, Produced, Row, Wiring, each
from hub.sdk.manifests import load_manifests
from hub.sdk.profiles import Profile, load_profile
from hub.sdk.subscriptions import Subscription, load_subscriptions
from hub.sdk.value_lists import load_value_lists


def table(tells: Tells) -> tuple[Row, ...]:
    """Topic → stage → event type → deciders, in the order they run."""
    return (
        Row("in.*", INTAKE),
        Row("event.*", DECIDE, "*", (facts.record,)),
        *each("event.*", referrals.DECIDERS),
        *each("event.*", casework.DECIDERS),
        *each("event.*", rosters.DECIDERS),
        Row("event.*", DECIDE, "*", (tells.decide,)),
        # Replies are the types of referrals.DECIDERS and rosters.DECIDERS that programs publish.
        Row("program.*.reply", DECIDE),
    )


def wire(settings: Settings, secrets: Secrets) -> Wiring:
    """The hub of a profile, put together from contracts, connectors, rules and agreements.

    Args:
        settings: Name the profile and the connectors.
        secrets: ``k_uid``, ``k_route``, ``k_program`` and ``k_copy``.

    Raises:
        ConfigurationError: a profile, manifest, agreement or contract is wrong.
    """
    declared = catalogue()
    profile = load_profile(settings.profile, settings.profiles_dir)
    agreed = agreements(settings)
    receivers = Receivers(agreed, declared, lists=value_lists(settings, agreed))
    copies = Copies(
        receivers,
        declared,
        k_program=secrets.k_program,
        k_copy=secrets.k_copy,
        division=profile.division,
        sentence=in_both,
    )
    manifests = load_manifests(settings, declared)
    replays = ReplayKey(secrets.k_uid)
    intake = IntakeKeys(UidKey(secrets.k_uid), RouteKey(secrets.k_route), replays)
    pipelines = compile_pipelines(manifests, intake, settings)
    rows = table(Tells(receivers))
    return Wiring(
        rows=rows,
        topics=tuple(sorted({*declared.topics, *pipelines})),
        context=_context(profile, copies),
        keys=_keys(rows, declared, receivers),
        copies=copies.make,
        pipelines=dict(pipelines),
        buried=_burier(settings, pipelines),
        subscriptions=_modes(agreed) | _own_facts(declared),
        held=facts.held,
        timers=_timers(profile),
        replays=replays,
    )


def _keys(
    rows: Sequence[Row], declared: Catalogue, receivers: Receivers
) -> Callable[[CanonicalEvent], Keys]:
    """What an event needs loaded: for a type nobody decides upon or is told of, hardly anything."""
    folded = receivers.index.types.union(RANKS, RETRACTIONS)
    named = [row.type for row in rows if row.stage == DECIDE and row.type != "*"]
    light = frozenset(
        name
        for name in declared.events.keys() - folded
        if "household" not in declared.events[name].groups
        and not any(fnmatchcase(name, pattern) for pattern in named)
    )

    def wanted(event: CanonicalEvent) -> Keys:
        if event.type in light and not event.replaces and not decision_of(event):
            return own_record(event)
        return keys(event)

    return wanted


def agreements(settings: Settings) -> dict[str, Subscription]:
    """The agreements with receivers, of the profile in force.

    Raises:
        ConfigurationError: one is wrong.
    """
    return load_subscriptions(_programs(settings), catalogue())


def value_lists(settings: Settings, agreed: Mapping[str, Subscription]) -> dict[str, IdSet]:
    """The value lists that the agreements' entries name.

    Raises:
        ConfigurationError: one is wrong or missing.
    """
    return load_value_lists(_programs(settings), agreed.values())


def _programs(settings: Settings) -> Path:
    own = settings.profiles_dir / settings.profile / "programs" if settings.profiles_dir else None
    return own if own and own.is_dir() else PACKAGE / "profiles" / settings.profile / "programs"


def _context(profile: Profile, copies: Copies) -> Callable[[int], Context]:
    return lambda now: Context(now, profile, copies.row_ref)


def _burier(
    settings: Settings, pipelines: dict[str, Pipeline]
) -> Callable[..., Sequence[Produced]]:
    return lambda record, code: pipelines[settings.plain(record.topic)].buried(record, code)


def _modes(agreed: dict[str, Subscription]) -> dict[str, tuple[str, str]]:
    return {name: (one.inbox, one.delivery.way) for name, one in agreed.items()}


def _own_facts(declared: Catalogue) -> dict[str, tuple[str, str]]:
    """Topics of facts that the hub itself states; known from the start, so the first is prompt."""
    topics = {one.topic for one in declared.events.values() if "hub" in one.publishers}
    return {topic: (topic, "kafka") for topic in topics if topic.startswith("event.")}


def _timers(profile: Profile) -> Callable[[int], Sequence[Schedule]]:
    return lambda now: first_timers(profile, from_epoch_ms(now).date())
