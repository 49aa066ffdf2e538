"""Failpoints: named places where a test lets the process die; off unless armed.

``HUB_FAILPOINTS=batch.claim:3`` kills the process (SIGKILL) when it passes ``batch.claim`` the
third time. Several are separated by commas.
"""

from __future__ import annotations

import os
import signal

_armed: dict[str, int] = {}


def arm(text: str) -> None:
    """Arm the failpoints of a text such as ``relay.produced:2,timer.fired:1``."""
    _armed.clear()
    for part in filter(None, text.split(",")):
        name, _, count = part.partition(":")
        _armed[name] = int(count or 1)


def passed(name: str) -> None:
    """Note that the process passes a failpoint; it does not return from an armed one."""
    if not _armed or name not in _armed:
        return
    _armed[name] -= 1
    if _armed[name] == 0:
        os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get("HUB_FAILPOINTS", ""))
