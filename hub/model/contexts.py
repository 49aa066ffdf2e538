"""Context: what a decider may know besides state and event. No clock, no I/O behind it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from hub.kernel.clocks import from_epoch_ms
from hub.kernel.dates import days_of
from hub.sdk.profiles import Profile


def same_key(recipient: str, row_key: str) -> str:
    """A row key as it stands; used where no pairwise keys are at hand (tests, the CLI)."""
    del recipient
    return row_key


class Context(msgspec.Struct, frozen=True):
    """One instant and one profile.

    Attributes:
        now_ms: The hub's clock when the batch began, ms since 1970.
        profile: The jurisdiction's profile.
        row_ref: (recipient, row key) → the row key as that recipient was told it. The runtime
            gives the pairwise function, so that a receipt can name a row.
    """

    now_ms: int
    profile: Profile
    row_ref: Callable[[str, str], str] = same_key

    @property
    def now(self) -> datetime:
        """The instant, Asia/Shanghai."""
        return from_epoch_ms(self.now_ms)

    @property
    def today(self) -> int:
        """The civil day, days since 1970-01-01."""
        return days_of(self.now.date())
