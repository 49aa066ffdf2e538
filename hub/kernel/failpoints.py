"""Failpoints: named places between a read and its acknowledgement, off unless a test arms them.

``HUB_FAILPOINTS=batch.claim:3`` kills the process when it passes ``batch.claim`` the third time;
``batch.commit:1:cut-after`` loses the answer of the first COMMIT. Several are separated by commas.
``HUB_FAILPOINTS_LOG`` names a file that gets the name of every point that acts, before it acts.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec

KILL, STOP, RAISE, CUT = "kill", "stop", "raise", "cut"
CUT_BEFORE, CUT_AFTER = "cut-before", "cut-after"
ACTIONS = frozenset({KILL, STOP, RAISE, CUT, CUT_BEFORE, CUT_AFTER})
"""SIGKILL, SIGSTOP, an unexpected exception, or the connection is cut there; at a COMMIT before
or after the server carried it out."""

POINTS = {
    "src.read": "rows of a source were read",
    "src.published": "published and acknowledged, the cursor is not saved",
    "src.cursor": "the cursor is saved",
    "intake.polled": "raw records were read",
    "intake.produced": "events are acknowledged, the offset has not moved",
    "intake.dead": "dead letters are acknowledged, the offset has not moved",
    "claim.epoch": "partitions are claimed, not yet sought",
    "claim.seek": "the consumer stands at the claims",
    "batch.polled": "events were read",
    "batch.decoded": "events are decoded, no transaction is open",
    "batch.begin": "the transaction is open",
    "batch.claim": "offsets are moved in the open transaction",
    "batch.seen": "repeats are dropped",
    "batch.state": "changed records are written",
    "batch.referral": "changed referrals are written",
    "batch.timer": "timers are written",
    "batch.outbox": "copies are queued",
    "batch.audit": "the audit is written, only COMMIT is left",
    "batch.commit": "COMMIT is sent",
    "batch.committed": "committed, Kafka's mirror does not show it",
    "relay.claimed": "copies are numbered, none is sent",
    "relay.produced": "copies are acknowledged, the cursor has not moved",
    "relay.marked": "the cursor has moved",
    "hook.before": "copies of a webhook are read, none is sent",
    "hook.sent": "a request is sent, no answer has come",
    "hook.ok": "an answer has come, nothing is recorded",
    "timer.claimed": "timers are taken off the record in the open transaction",
    "timer.fired": "what timers raised is written, only COMMIT is left",
    "redrive.published": "a dead letter is published again, no progress is recorded",
}
"""Every failpoint, with what is true there."""

Hit = Callable[[str], None]
"""Told the name of a point that is passed."""


class FailpointError(Exception):
    """What an armed point raises: nothing the hub knows how to ride out."""


class _Armed(msgspec.Struct):
    """One armed point: after how many passes it acts, and how."""

    left: int
    action: str


_armed: dict[str, _Armed] = {}
_log: list[Path] = []
_AFTER = "/after"


def arm(text: str, log: str = "") -> None:
    """Arm points, and disarm all others.

    Args:
        text: E.g. ``relay.produced:2,batch.claim:1:stop``; hit 1 and ``kill`` where not told.
        log: A file that gets a line with its name for each point that acts.

    Raises:
        ValueError: a name or action that does not exist.
    """
    _armed.clear()
    _log[:] = [Path(log)] if log else []
    for part in filter(None, text.split(",")):
        name, _, rest = part.partition(":")
        count, _, action = rest.partition(":")
        action = action or KILL
        if name not in POINTS or action not in ACTIONS:
            raise ValueError(f"{part} is no failpoint")
        _armed[name + _AFTER if action == CUT_AFTER else name] = _Armed(int(count or 1), action)


def passed(name: str, cut: Callable[[], None] | None = None) -> None:
    """Note that the process passes a failpoint.

    Args:
        name: One of :data:`POINTS`.
        cut: Cuts the connection that is in use there.

    Raises:
        FailpointError: the point is armed to raise.
        ConnectionResetError: it is armed to cut, and no connection is at hand.
    """
    if _armed:
        _pass(name, name, cut)


def answered(name: str, cut: Callable[[], None]) -> None:
    """Note that the server answered what was sent at a failpoint; ``cut-after`` loses the answer.

    Raises:
        ConnectionResetError: the point is armed so; whoever waits must not assume anything.
    """
    if _armed:
        _pass(name, name + _AFTER, cut)


def _pass(name: str, place: str, cut: Callable[[], None] | None) -> None:
    point = _armed.get(place)
    if point is None:
        return
    point.left -= 1
    if point.left == 0:
        _note(name)
        _act(name, point.action, cut)


def _note(name: str) -> None:
    for path in _log:
        # One write of a file opened for appending: several processes share the log.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, f"{name}\n".encode())
        finally:
            os.close(handle)


def _act(name: str, action: str, cut: Callable[[], None] | None) -> None:
    if action == KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == STOP:
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == RAISE:
        raise FailpointError(name)
    else:
        if cut is not None:
            cut()
        if cut is None or action == CUT_AFTER:
            raise ConnectionResetError(name)


arm(os.environ.get("HUB_FAILPOINTS", ""), os.environ.get("HUB_FAILPOINTS_LOG", ""))
