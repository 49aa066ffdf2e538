"""Supervisors: a child process that is started again when it ends by itself."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress

from hub.cli.output import say

_PAUSE = 1.0
_GRACE = 10.0


async def kept_running(verb: str, environment: Mapping[str, str], *, wanted: bool = True) -> None:
    """Run ``hub <verb>`` until this task is cancelled; it is started again whenever it ends.

    Args:
        verb: The command.
        environment: Its environment.
        wanted: False: start nothing and wait for the cancellation.
    """
    if not wanted:
        await asyncio.Event().wait()
    while True:
        # A session of its own: Ctrl-C must not reach it before its services are told.
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub.cli.main", verb, env=environment, start_new_session=True
        )
        try:
            code = await child.wait()
        finally:
            await _end(child)
        say(f"{verb} 已退出({code}),重新启动", f"{verb} ended ({code}); starting it again")
        await asyncio.sleep(_PAUSE)


async def _end(child: Process) -> None:
    if child.returncode is not None:
        return
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        async with asyncio.timeout(_GRACE):
            await child.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
