"""Kinds of acts: their names on screen, and which of them read a person's data."""

from __future__ import annotations

from hub.console.languages import mark

READS = (
    "dead_letter.revealed",
    "messages.browsed",
    "message.read",
    "message.revealed",
    "messages.exported",
    "person.looked_up",
    "person.found",
    "please_fix.exported",
)
"""Reads of messages, masked or not, and of persons."""

KINDS = {
    "sign_in": mark("signed in"),
    "sign_in_failed": mark("sign-in failed"),
    "account_added": mark("account made"),
    "account_close": mark("account closed"),
    "account_open": mark("account opened again"),
    "account_password": mark("new password given"),
    "password_changed": mark("own password changed"),
    "second_factor_set": mark("second factor set up"),
    "dead_letter.revealed": mark("dead letter revealed"),
    "messages.browsed": mark("messages browsed, masked"),
    "message.read": mark("message read, masked"),
    "message.revealed": mark("message revealed"),
    "messages.exported": mark("messages exported, masked"),
    "person.looked_up": mark("person looked up"),
    "person.found": mark("person search answered"),
    "audit.exported": mark("audit exported"),
    "operation.asked": mark("request made"),
    "operation.approved": mark("request approved"),
    "operation.rejected": mark("request rejected"),
    "redrive": mark("dead letter redriven"),
    "replay": mark("replayed"),
    "offsets.held": mark("claims held"),
    "offsets.released": mark("claims let go"),
    "offsets.moved": mark("offset moved"),
    "parked.retry": mark("parked copies tried again"),
    "parked.given_up": mark("parked copies given up"),
    "restore.declared": mark("restore declared"),
    "roster_load": mark("rosters loaded"),
    "connector_pause": mark("connector paused"),
    "connector_resume": mark("connector resumed"),
    "connector_restart": mark("connector restarted"),
    "connector_run": mark("connector run now"),
}


def name(kind: str) -> str:
    """The English text of a kind; one without a text stands for itself."""
    return KINDS.get(kind, kind)
