"""Programs: how a receiver reads its inbox, answers, and proves that nothing is missing.

::

    async with Inbox("medical-aid", kafka="localhost:9092") as inbox:
        async for copy in inbox:
            await inbox.reply(copy, "referral.accepted", handler="A-17")
"""

from hub.sdk.programs.copies import Copy
from hub.sdk.programs.inboxes import Inbox
from hub.sdk.programs.sequences import Gap

__all__ = ["Copy", "Gap", "Inbox"]
