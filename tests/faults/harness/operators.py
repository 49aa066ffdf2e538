"""Operators: what a person on duty does with the hub's own commands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.faults.harness.children import ROOT
from tests.faults.harness.openings import hub_command
from tests.faults.harness.sites import Site

PERSON, SECOND = "duty.one", "duty.two"
_SECONDS = 120.0
"""A command that takes longer than this hangs; loads of millions are given more."""


class CommandError(Exception):
    """A command of the hub failed; the text shows what it said."""


class Said(NamedTuple):
    """What a command came to: exit code, and what it wrote."""

    code: int
    out: str


async def command(site: Site, *words: str, seconds: float = _SECONDS) -> Said:
    """Run ``hub WORDS`` as an operator of this site, honest even where the hub is not."""
    environ = site.workers[0].environ | {"HUB_LANG": "en", "HUB_LOG_JSON": "0"}
    process = await asyncio.create_subprocess_exec(
        *hub_command(*words),
        cwd=ROOT,
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), seconds)
    except (TimeoutError, asyncio.CancelledError):
        process.kill()
        await process.wait()
        raise
    return Said(process.returncode or 0, out.decode(errors="replace"))


async def operate(site: Site, *words: str, seconds: float = _SECONDS) -> str:
    """The same; it must succeed.

    Raises:
        CommandError: it did not.
    """
    said = await command(site, *words, seconds=seconds)
    if said.code != 0:
        raise CommandError(f"hub {' '.join(words)}: {said.out[-800:]}")
    return said.out


async def asked(site: Site, *words: str) -> Any:
    """The JSON document of a command."""
    out = await operate(site, *words, "--json")
    starts = [at for at in (out.find("["), out.find("{")) if at >= 0]
    return json.loads(out[min(starts) :])


async def signed(site: Site, *words: str) -> str:
    """A command that changes something, with who and why."""
    return await operate(site, *words, "--as", PERSON, "--reason", "fault case")


async def let_go(site: Site, places: Sequence[str], to: str) -> list[dict[str, Any]]:
    """The way on for stopped partitions: hold, look, move, let go.

    Args:
        site: Where.
        places: Topic or ``topic/partition``, without the site's prefix.
        to: Where to, as ``hub offsets move --to`` takes it.

    Returns:
        The dry run's row of each, as told before anything was moved.
    """
    rows: list[dict[str, Any]] = []
    for place in places:
        await signed(site, "offsets", "hold", place)
        rows += await asked(site, "offsets", "move", place, "--to", to)
        await signed(site, "offsets", "move", place, "--to", to, "--apply")
        await signed(site, "offsets", "release", place)
    return rows
