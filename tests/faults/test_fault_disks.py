"""A small disk is really full, and has space again when it is freed."""

from __future__ import annotations

import errno
import os
import random

import pytest

from tests.faults.harness.declarations import NotRunError
from tests.faults.harness.disks import Disk
from tests.faults.harness.plants import POSTGRES, Plant


@pytest.fixture
def disk(tmp_path):
    made = Disk(tmp_path / "disk", megabytes=16)
    if os.geteuid() != 0:
        with pytest.raises(NotRunError):
            made.mount()
        pytest.skip("mounting needs root")
    made.mount()
    yield made
    made.unmount()


def test_a_full_disk_takes_nothing_until_it_is_freed(disk):
    disk.fill(leave_kb=64)
    assert disk.free_kb <= 64
    with pytest.raises(OSError, match="No space") as full:
        (disk.folder / "more").write_bytes(b"x" * (1 << 20))
    assert full.value.errno == errno.ENOSPC
    disk.free()
    (disk.folder / "more").write_bytes(b"x" * (1 << 20))


@pytest.mark.embedded
async def test_a_server_on_a_small_disk_of_its_own_starts_and_leaves_no_mount(disk):
    plant = Plant(random.Random(1), (POSTGRES,))  # noqa: S311 - faults, not secrets
    try:
        await plant.start()
        assert plant.server.folder.is_relative_to(plant.disks[POSTGRES].folder)
        assert plant.disks[POSTGRES].free_kb > 200_000
    finally:
        await plant.stop()
    assert not plant.folder.exists()
