"""Processes of a fault case are started again, armed for one life, stopped and limited."""

from __future__ import annotations

import asyncio
import os
import resource
import sys

import pytest

from tests.faults.harness.children import Child

_SAYS = "import os, time; print(os.environ.get('POINT', '-'), flush=True); time.sleep(30)"


def child(tmp_path, code=_SAYS, **options) -> Child:
    command = [sys.executable, "-c", code]
    return Child("one", command, os.environ, tmp_path / "one.log", **options)


async def lines(one: Child, count: int) -> list[str]:
    async with asyncio.timeout(20):
        while len(found := one.log.read_text().split()) < count:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.05)
    return found


async def test_a_killed_process_starts_again_and_each_life_is_armed_once(tmp_path):
    one = child(tmp_path)
    one.lives.append({"POINT": "second"})
    await one.start(POINT="first")
    try:
        for count in (1, 2):
            await lines(one, count)
            one.kill()
            assert await one.ended(10) == -9
        assert await lines(one, 3) == ["first", "second", "-"]
        assert [end.code for end in one.exits] == [-9, -9]
    finally:
        await one.stop()
    assert one.pid is None
    assert one.starts == 3


async def test_a_frozen_process_does_nothing_until_it_thaws(tmp_path):
    ticks = "import time\nwhile True:\n    print('t', flush=True)\n    time.sleep(0.02)"
    one = child(tmp_path, ticks)
    await one.start()
    try:
        await lines(one, 3)
        one.freeze()
        await asyncio.sleep(0.2)
        still = len(one.log.read_text())
        await asyncio.sleep(0.3)
        assert len(one.log.read_text()) == still
        one.thaw()
        await lines(one, still + 3)
    finally:
        await one.stop()


async def test_a_process_gets_its_limits(tmp_path):
    tells = "import resource, time; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], flush=True); time.sleep(30)"
    one = child(tmp_path, tells, limits={resource.RLIMIT_NOFILE: 64})
    await one.start()
    try:
        assert await lines(one, 1) == ["64"]
    finally:
        await one.stop()


async def test_waiting_for_an_end_that_does_not_come_times_out(tmp_path):
    one = child(tmp_path)
    await one.start()
    try:
        with pytest.raises(TimeoutError):
            await one.ended(0.3)
    finally:
        await one.stop()
