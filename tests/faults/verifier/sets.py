"""Sets: what was found on topics, in tables and by the witness; the checks compare only these."""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, gc=False):
    """A record on ``event.*``."""

    topic: str
    part: int
    off: int
    event_id: str
    source: str
    key: str
    type: str
    lifecycle: str
    digest: bytes
    code: str = ""
    """Of a dead letter that it tells of."""


class Letter(msgspec.Struct, gc=False):
    """A record on ``dlq.hub.*``."""

    topic: str
    part: int
    off: int
    digest: str
    """SHA-256 of the value."""
    code: str


class Copy(msgspec.Struct, gc=False):
    """A copy as a receiver finds it, on its topic or, for pull and webhooks, in the log."""

    program: str
    off: int
    """Offset on the inbox topic; the number where there is none."""
    copy_id: str
    seq: int
    generation: int
    digest: str
    """Over key, value and every header but number and generation."""
    body: str
    """SHA-256 of the value."""
    type: str
    """With ``-annulled`` where it takes something back."""
    subject: str
    person: str
    """The receiver's pseudonym of the person; empty where it names none."""
    referral: str
    fields: frozenset[str] = frozenset()
    """Paths that hold a value, e.g. ``id.name``."""


class Seen(msgspec.Struct, gc=False):
    """A row of ``seen_event``."""

    event_id: str
    disposition: str
    reason: str
    type: str


class Referral(msgspec.Struct, gc=False):
    """A row of ``referral``."""

    id: str
    program: str
    kind: str
    ref: str
    episode: str
    uid: str
    state: str
    stopped: bool
    """Whether a decided end is on record."""
    cause: str
    """Event that opened it."""
    cause_kind: str = ""
    """Type of what opened it."""


class Delivery(msgspec.Struct, gc=False):
    """A row of ``delivery``."""

    program: str
    generation: int
    seq: int
    copy_id: str
    event_id: str
    state: str
    type: str
    body: str
    """SHA-256."""


class Subscription(msgspec.Struct, gc=False):
    """A row of ``subscription``."""

    id: str
    topic: str
    mode: str
    generation: int
    next_seq: int
    sent_seq: int


class DeadLetter(msgspec.Struct, gc=False):
    """A row of ``dead_letter``."""

    id: str
    stage: str
    topic: str
    part: int
    off: int
    source: str
    key: str
    event_id: str
    code: str
    state: str


class Place(msgspec.Struct, frozen=True, order=True):
    """A partition of a topic, without the hub's prefix."""

    topic: str
    part: int


class Sighting(msgspec.Struct, gc=False):
    """What the witness saw while it happened.

    Attributes:
        at: ms of the machine's monotonic clock.
    """

    topic: str
    part: int
    off: int
    ce_id: str
    seq: int
    generation: int
    digest: str
    key: str
    at: int


class Sets(msgspec.Struct, kw_only=True):
    """Everything that was found.

    Attributes:
        claims: The hub's own offsets.
        starts: First offset of each log.
        ends: Offset behind the last record.
        mirrors: Offsets the hub's groups committed to Kafka.
        roster: Pseudonyms (as in ``referral.uid``) that the medical insurance has on its roster.
        outbox: Rows that no relay has taken, by subscription.
        unreadable: Records that are not what their topic promises.
        quiet: Whether the hub came to rest before all this was read.
    """

    events: list[Event] = []
    letters: list[Letter] = []
    copies: list[Copy] = []
    seen: dict[str, Seen] = {}
    referrals: dict[str, Referral] = {}
    deliveries: list[Delivery] = []
    subscriptions: dict[str, Subscription] = {}
    dead_letters: list[DeadLetter] = []
    claims: dict[Place, int] = {}
    starts: dict[Place, int] = {}
    ends: dict[Place, int] = {}
    mirrors: dict[Place, int] = {}
    roster: set[str] = set()
    outbox: dict[str, int] = {}
    sightings: list[Sighting] = []
    unreadable: list[str] = []
    quiet: bool = True
