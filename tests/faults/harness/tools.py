"""Tools: load generator, witness and verifier, each a process that shares no code with the hub."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tests.faults.harness.children import Child
from tests.faults.harness.declarations import Load
from tests.faults.harness.environments import tool_environment
from tests.faults.harness.sites import Site

_STEADY_SECONDS = 300.0
_LOAD_SECONDS = 7200
"""A case ends its load itself."""
_STOP_SECONDS = 40.0


class ToolError(Exception):
    """A tool failed; the text shows the end of its log."""


def _tool(site: Site, name: str, module: str, *words: str) -> Child:
    command = [sys.executable, "-m", module, "--site", str(site.file), *words]
    log = site.folder / "logs" / f"{name}.log"
    site.made.append(tool := Child(name, command, tool_environment(), log, again=False))
    return tool


async def start_witness(site: Site) -> None:
    """Read during the faults what programs and the hub's topics get.

    Raises:
        ToolError: it does not begin.
    """
    site.witness = _tool(
        site, "witness", "tests.faults.verifier.witnesses", "--out", str(site.seen)
    )
    await site.witness.start()
    await _phase(site.witness, "watching")


async def start_load(site: Site, load: Load, seed: int, patience: float) -> None:
    """Let the departments work, and return once the families of the opening are on roll.

    Args:
        site: Ready.
        load: What they send.
        seed: Of facts and people.
        patience: Seconds the opening may take.

    Raises:
        ToolError: the opening did not get through.
    """
    words = ["--ledger", str(site.ledger), "--seed", str(seed), "--rate", str(load.rate)]
    words += ["--seconds", str(_LOAD_SECONDS), "--people", str(load.people), "--mix", load.mix]
    words += ["--roll", str(load.roll), "--roll-seconds", str(patience)]
    site.load = _tool(site, "load", "tests.faults.loads", *words)
    await site.load.start()
    await _phase(site.load, "steady")


async def _phase(tool: Child, phase: str) -> None:
    begin = time.monotonic()
    while not any(line.get("phase") == phase for line in said(tool)):
        if tool.pid is None or time.monotonic() - begin > _STEADY_SECONDS:
            raise ToolError(f"{tool.name}: {tool.log.read_text()[-2000:]}")
        await asyncio.sleep(0.1)


def said(tool: Child) -> list[dict[str, Any]]:
    """The JSON lines a tool has written so far."""
    if not tool.log.exists():
        return []
    lines = tool.log.read_text(errors="replace").splitlines()
    found = []
    for line in lines:
        if line.startswith("{"):
            try:
                found.append(json.loads(line))
            except ValueError:
                continue  # the last line may be half written
    return found


def acked(site: Site) -> int:
    """How many facts of the load are acknowledged so far."""
    lines = said(site.load) if site.load else []
    return max((int(line.get("acked", 0)) for line in lines), default=0)


async def end_load(site: Site) -> None:
    """Stop sending, and wait until every fact has an outcome.

    Raises:
        ToolError: it failed.
    """
    if site.load is None:
        return
    if site.load.pid is not None:
        site.load.signal(signal.SIGTERM)
        await site.load.ended(_STOP_SECONDS)
    if site.load.exits[-1].code != 0:
        raise ToolError(f"load: {site.load.log.read_text()[-2000:]}")


async def probe(site: Site, number: int, seed: int) -> bool:
    """Send one fresh grant and wait until its program has the referral."""
    ledger = site.folder / "probes" / str(number)
    words = ["--ledger", str(ledger), "--seed", str(seed), "--run", f"p{number}", "--roll", "1"]
    words += ["--seconds", "0", "--mix", "referrals"]
    tool = _tool(site, f"probe-{number}", "tests.faults.loads", *words)
    await tool.start()
    try:
        await tool.ended(180)
    finally:
        await tool.stop()
    return bool(tool.exits) and tool.exits[-1].code == 0


async def more_load(site: Site, name: str, rate: float, seconds: float, seed: int) -> None:
    """Another load beside what runs, for a while; it has a ledger of its own.

    Args:
        site: Where.
        name: Part of its record numbers; must differ from load to load.
        rate: Facts per second.
        seconds: How long it sends.
        seed: Of its people.

    Raises:
        ToolError: it failed.
    """
    ledger = site.folder / "probes" / name
    words = ["--ledger", str(ledger), "--seed", str(seed), "--run", name, "--roll", "4"]
    words += ["--seconds", str(seconds), "--rate", str(rate), "--people", "5000"]
    tool = _tool(site, f"load-{name}", "tests.faults.loads", *words)
    await tool.start()
    try:
        await tool.ended(seconds + _STEADY_SECONDS + _STOP_SECONDS)
    finally:
        await tool.stop()
    if tool.exits[-1].code != 0:
        raise ToolError(f"load {name}: {tool.log.read_text()[-2000:]}")


def _ledgers(site: Site) -> list[Path]:
    return [site.ledger, *sorted((site.folder / "probes").glob("*"))]


async def verify(site: Site, out: Path, settle: float) -> dict[str, Any]:
    """The verifier's report.

    Args:
        site: At rest, or nearly.
        out: File of the report.
        settle: Seconds within which it must come to rest.

    Raises:
        ToolError: it could not check.
    """
    ledgers = _ledgers(site)
    words = [word for place in ledgers for word in ("--ledger", str(place))]
    words += ["--witness", str(site.seen), "--out", str(out), "--settle", str(settle)]
    if site.case.allow:
        words += ["--allow", ",".join(site.case.allow)]
    if site.case.dead:
        words += ["--expect-dead", str(site.case.dead)]
    tool = _tool(site, "verifier", "tests.faults.verifier", *words)
    await tool.start()
    code = await tool.ended(240)
    if code not in {0, 1}:
        raise ToolError(f"verifier: {tool.log.read_text()[-2000:]}")
    with out.open(encoding="utf-8") as file:
        return dict(json.load(file))
