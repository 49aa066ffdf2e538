"""Permissions: what each role may do.

Seeing figures, seeing messages, revealing people, redriving and administering are five different
things; no role holds them all.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from hub.console.languages import mark


class Permission(StrEnum):
    """One thing that somebody may do."""

    VIEW = "view"
    """Figures, states, ids: nothing out of a message."""
    MESSAGE = "message"
    """Messages, masked."""
    REVEAL = "reveal"
    """One field unmasked, with a reason, on record."""
    REDRIVE = "redrive"
    """Redrive, retry and give up; more than one or edited ones are requests."""
    APPROVE = "approve"
    """Approve what somebody else requested."""
    OPERATE = "operate"
    """Hold and move offsets, command connectors, mute alerts, hand incidents over."""
    AUDIT = "audit"
    """Who did and who read what."""
    ADMIN = "admin"
    """Accounts and alert rules."""
    OWN = "own"
    """The pages of the account's own department or program, nothing else."""


class Role(NamedTuple):
    """A role with its name on screen."""

    id: str
    name: str
    permissions: frozenset[Permission]


_P = Permission
ROLES: dict[str, Role] = {
    role.id: role
    for role in (
        Role("viewer", mark("Viewer"), frozenset({_P.VIEW})),
        Role(
            "operator",
            mark("Operator"),
            frozenset({_P.VIEW, _P.MESSAGE, _P.REDRIVE, _P.APPROVE, _P.OPERATE}),
        ),
        Role("department", mark("Department"), frozenset({_P.OWN})),
        Role("program", mark("Program"), frozenset({_P.OWN})),
        Role("auditor", mark("Auditor"), frozenset({_P.VIEW, _P.AUDIT})),
        Role("admin", mark("Administrator"), frozenset({_P.VIEW, _P.ADMIN})),
    )
}
SCOPED = frozenset({"department", "program"})
"""Roles that name whose pages they see."""
EXTRA = frozenset({Permission.REVEAL})
"""Given to single accounts, never to a role."""


def permitted(role: str, extra: tuple[str, ...] = ()) -> frozenset[Permission]:
    """What an account may do; an unknown role or extra gives nothing."""
    found = ROLES[role].permissions if role in ROLES else frozenset()
    return found | {one for one in EXTRA if one.value in extra}
