"""A fault run that is interrupted ends everything it has started."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.faults.harness.children import ROOT

_MARK = "FAULT_RUN_MARK"


def marked(mark: str) -> dict[int, str]:
    """Processes whose environment holds the mark → their command line."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"{_MARK}={mark}".encode() in (place / "environ").read_bytes().split(b"\0"):
                found[int(place.name)] = (place / "cmdline").read_text().replace("\0", " ")
        except (OSError, UnicodeDecodeError):
            continue  # it ended meanwhile, or is another user's
    return found


async def _line_with(run: asyncio.subprocess.Process, word: bytes) -> None:
    assert run.stdout is not None
    said = b""
    async with asyncio.timeout(240):
        while word not in said:
            line = await run.stdout.readline()
            assert line, said.decode()
            said += line


@pytest.mark.parametrize(
    ("number", "word", "least"),
    [
        # The plant is up, the hub's processes are about to start: brokers and database.
        (signal.SIGTERM, b"seed", 1),
        # Everything runs, a load, a witness and an urgent fact every now and then.
        (signal.SIGINT, b"settlement 500", 9),
    ],
    ids=["SIGTERM while it starts", "Ctrl-C under load, twice"],
)
async def test_a_signal_ends_a_run_with_everything_it_has_started(number, word, least):
    mark, seed = uuid4().hex, str(number + 9000)
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub.cli.main", "faults", "run", "F13", "--seed", seed),
        cwd=ROOT,
        env=os.environ | {_MARK: mark, "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        await _line_with(run, word)
        await asyncio.sleep(1)
        assert len(marked(mark)) > least
        run.send_signal(number)
        await asyncio.sleep(0.5)
        if run.returncode is None:
            run.send_signal(number)
        out, _ = await asyncio.wait_for(run.communicate(), 90)
        assert run.returncode == 128 + number, out.decode()
        assert marked(mark) == {}
    finally:
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)
