"""Subscriptions: one file per program or roster recipient, ``programs/<id>.yaml`` of a profile.

A file holds what was agreed with the receiver (legal basis, purpose, period, area, senders),
how copies reach it, how much reason it may read, and which events it is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hub.contracts.catalogues import Catalogue
from hub.contracts.declarations import read, refuse

CLASSES = ("none", "pseudonym", "personal", "sensitive")
"""Classes of content from least to most; an agreement names the highest it covers."""
NEUTRAL_TYPE = "referral.review_requested"
"""What a program with a neutral reason is told instead of the event's own type."""

Text = Annotated[str, Field(min_length=1)]
Area = Annotated[str, Field(pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Names(_Part):
    """The receiver's name for people."""

    zh: Text
    en: Text


class Delivery(_Part):
    """How copies reach the receiver.

    ``webhook`` needs an address; ``pull`` and ``kafka`` need none: their places are named after
    the receiver.
    """

    way: Literal["kafka", "webhook", "pull"]
    url: str | None = Field(None, pattern=r"^https?://[^\s]+$")

    @model_validator(mode="after")
    def _address(self) -> Self:
        if (self.way == "webhook") != (self.url is not None):
            raise ValueError("'url' stands with 'way: webhook' and only there")
        return self


class Agreement(_Part):
    """The service agreement: without one in force nothing leaves (fail closed).

    ``valid_to`` is the first day no more. ``senders`` are connector ids, ``hub`` for what the
    hub itself finds. ``payload`` limits a copy: ``empty`` no field at all, ``id`` pseudonyms
    and the group ``id``, ``full`` everything granted.
    """

    legal_basis: Text
    purpose: Text
    catalog_id: Text
    valid_from: date
    valid_to: date | None = None
    area: Area
    sensitivity: Literal["none", "pseudonym", "personal", "sensitive"]
    payload: Literal["empty", "id", "full"] = "full"
    senders: tuple[Text, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _period(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("'valid_to' lies after 'valid_from'")
        return self


class Entry(_Part):
    """Events the receiver is told.

    ``by: referral`` tells that the event reaches the receiver as a referral or stop notice, so
    no second copy is made. ``opens`` tells that the event opens a case there, so that it is
    forwarded about people the receiver has no role for yet. ``roll`` names categories whose
    holders the receiver looks after by its office, without a single entry in the directory.
    ``among`` names a value list (:mod:`hub.sdk.value_lists`): only events about a person on it.
    """

    types: tuple[Text, ...] = Field(min_length=1)
    by: Literal["copy", "referral"] = "copy"
    filter: str | None = Field(None, min_length=1)
    among: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9-]*$")
    area: Area | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    opens: bool = False
    roll: tuple[Text, ...] = ()


class Subscription(_Part):
    """Everything agreed with one receiver; ``subscription`` on a copy is its ``id``."""

    id: Text
    kind: Literal["program", "recipient"]
    names: Names
    delivery: Delivery
    reason_level: Literal["none", "neutral", "full"]
    agreement: Agreement
    receives: tuple[Text, ...] = ()
    """Types of the hub's own copies: referrals, rosters, cases, tasks."""
    subscribes: tuple[Entry, ...] = ()

    @property
    def inbox(self) -> str:
        """Topic of its copies, without prefix."""
        return f"program.{self.id}.inbox"


def load_subscription(path: Path) -> Subscription:
    """Read one file.

    Raises:
        ConfigurationError: unreadable, an unknown or missing key, or a wrong value; names the
            file and the key.
    """
    try:
        found = Subscription.model_validate(read(path, dict[str, Any]))
    except ValidationError as error:
        first = error.errors()[0]
        refuse(path, ".".join(str(part) for part in first["loc"]), first["msg"])
    if found.id != path.stem:
        refuse(path, "id", f"is {found.id}, the file's name says {path.stem}")
    return found


def load_subscriptions(folder: Path, catalogue: Catalogue) -> dict[str, Subscription]:
    """Every ``*.yaml`` of a folder ``programs``, by id, checked against the catalogue.

    Raises:
        ConfigurationError: as :func:`load_subscription`; a receiver without grants, an event
            type that is not declared, or a type its reason level must not show.
    """
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        subscription = load_subscription(path)
        _check(path, subscription, catalogue)
        found[subscription.id] = subscription
    if not found:
        refuse(folder, "", "holds no subscription")
    return found


def _check(path: Path, subscription: Subscription, catalogue: Catalogue) -> None:
    grant = catalogue.grants.get(subscription.id)
    if grant is None or grant.kind != subscription.kind:
        refuse(path, "id", f"grants.yaml declares no {subscription.kind} of this id")
    _declared(path, "receives", subscription.receives, catalogue, copies=True)
    if subscription.reason_level == "neutral" and subscription.kind == "program":
        _neutral(path, subscription)
    for place, entry in enumerate(subscription.subscribes):
        _declared(path, f"subscribes.{place}.types", entry.types, catalogue, copies=False)


def _neutral(path: Path, subscription: Subscription) -> None:
    told = any(entry.by == "copy" for entry in subscription.subscribes)
    if told and NEUTRAL_TYPE not in subscription.receives:
        refuse(path, "receives", f"a neutral program that is told events gets {NEUTRAL_TYPE}")


def _declared(
    path: Path, key: str, types: Iterable[str], catalogue: Catalogue, *, copies: bool
) -> None:
    for name in types:
        event = catalogue.events.get(name)
        if event is None or ("inbox" if copies else "event") not in event.carried:
            kind = "a copy's" if copies else "an event's"
            refuse(path, key, f"{name} is not {kind} type in vocabulary.yaml")
