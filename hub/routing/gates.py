"""The gate before any delivery: an agreement in force, a role for the person; else a deny code.

Everything is refused that is not expressly allowed (fail closed).
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.contracts.events import CanonicalEvent
from hub.kernel.dates import days_of
from hub.model.records import Interest
from hub.routing.masks import Mask
from hub.routing.subscriptions import Areas
from hub.sdk.subscriptions import CLASSES, Subscription

NO_AGREEMENT = "deny.no_agreement"
EXPIRED = "deny.expired"
AREA = "deny.area"
SENDER = "deny.sender"
SENSITIVITY = "deny.sensitivity"
FIELD = "deny.field"
PURPOSE = "deny.purpose"
DIRECTORY = "deny.directory"

REASONS: dict[str, tuple[str, str]] = {
    NO_AGREEMENT: ("没有覆盖此类事件的服务协议", "No service agreement covers this type of event"),
    EXPIRED: ("服务协议未生效或已到期", "The service agreement is not in force"),
    AREA: ("服务协议不覆盖该地区", "The service agreement does not cover this area"),
    SENDER: ("服务协议不覆盖该来源部门", "The service agreement does not cover this sender"),
    SENSITIVITY: ("字段敏感级别超出协议", "A field is more sensitive than agreed"),
    FIELD: ("内容未获授权", "Content that was not granted"),
    PURPOSE: (
        "协议缺少法律依据、用途或目录编号",
        "The agreement lacks basis, purpose or catalogue item",
    ),
    DIRECTORY: ("该项目与此人没有业务关系", "The program has no role for this person"),
}
"""What the sender is told beside *not forwarded*: Chinese, English."""

_RANK = {name: rank for rank, name in enumerate(CLASSES)}


class Gate:
    """The agreement of one receiver, ready to be asked.

    Args:
        subscription: What was agreed.
        mask: What may leave; its highest class must be covered by the agreement.
        areas: Which place lies in which area.
    """

    def __init__(self, subscription: Subscription, mask: Mask, areas: Areas) -> None:
        agreement = subscription.agreement
        self._first = days_of(agreement.valid_from)
        self._end = days_of(agreement.valid_to) if agreement.valid_to else None
        self._area = agreement.area
        self._senders = frozenset(agreement.senders)
        self._within = areas.within
        self._types = frozenset(
            {*subscription.receives, *(name for e in subscription.subscribes for name in e.types)}
        )
        self._standing = _standing(subscription, mask)

    def agreement(self, copy_type: str, area: str, sender: str | None, day: int) -> str | None:
        """The deny code, None where the agreement covers it.

        Args:
            copy_type: The event's type, or the hub's own type.
            area: Division code of the fact.
            sender: Connector id, ``hub`` for what the hub found; None: judged before.
            day: The day of delivery, days since 1970-01-01.
        """
        if copy_type not in self._types:
            return NO_AGREEMENT
        if day < self._first or (self._end is not None and day >= self._end):
            return EXPIRED
        if not self._within(area, self._area):
            return AREA
        if sender is not None and sender not in self._senders:
            return SENDER
        return self._standing


def _standing(subscription: Subscription, mask: Mask) -> str | None:
    """What is wrong with the agreement whatever the event."""
    agreement = subscription.agreement
    if not agreement.legal_basis or not agreement.purpose or not agreement.catalog_id:
        return PURPOSE
    highest = max((_RANK.get(name, len(CLASSES)) for name in mask.classes), default=0)
    return SENSITIVITY if highest > _RANK[agreement.sensitivity] else None


def has_role(interests: Iterable[Interest], program: str, day: int) -> bool:
    """Whether the person directory gives the program a role on that day.

    Args:
        interests: The person's.
        program: The receiver.
        day: The fact's effective day, days since 1970-01-01. Provisional, definitive and
            historical roles count alike, each within its period.
    """
    return any(
        interest.program == program
        and interest.valid_from <= day
        and (interest.valid_to is None or day < interest.valid_to)
        for interest in interests
    )


def directory(
    interests: Iterable[Interest], program: str, event: CanonicalEvent, *, opens: bool
) -> str | None:
    """The deny code of the person directory, None where it has a role or the type opens one."""
    if opens or has_role(interests, program, event.effective_from):
        return None
    return DIRECTORY
