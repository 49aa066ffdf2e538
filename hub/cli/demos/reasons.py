"""Why a copy left, in one sentence for the operator.

A receiver that may read the reason has it on its copy. Where the agreement says neutral or
none, the copy is silent and the operator's screen names the rule instead.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.cli.demos.observers import Linked
from hub.sdk.profiles import Profile
from hub.sdk.subscriptions import Subscription


class Reasons:
    """Sentences.

    Args:
        profile: Rules with their texts.
        agreed: How much reason each receiver may read.
    """

    def __init__(self, profile: Profile, agreed: Mapping[str, Subscription]) -> None:
        self._full = {name for name, one in agreed.items() if one.reason_level == "full"}
        self._rights = {rule.program: (rule.zh, rule.en) for rule in profile.rights}
        self._rosters = {rule.recipient: (rule.zh, rule.en) for rule in profile.rosters}
        self._tells = {rule.type: (rule.zh, rule.en) for rule in profile.rules.tells}

    def of(self, linked: Linked) -> tuple[str, str]:
        """Chinese and English."""
        copy = linked.arrival.copy
        envelope = copy.envelope
        if copy.program in self._full and envelope["reason_zh"]:
            return envelope["reason_zh"], envelope["reason_en"]
        if copy.type.startswith("roster.") and copy.program in self._rosters:
            return self._rosters[copy.program]
        if copy.type == "referral.review_requested" and linked.fact:
            found = self._tells.get(linked.fact.type)
            if found:
                return found
        return self._rights.get(copy.program, ("", ""))
