"""A data folder of its own for each test, which the database's account can reach."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.kernel.settings import Settings


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hub-tests-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_settings(data_dir) -> Settings:
    return Settings(kafka="", database="", data_dir=data_dir, synthetic_people=True)
