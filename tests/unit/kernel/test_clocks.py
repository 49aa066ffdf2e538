from __future__ import annotations

import time

import pytest

from hub.kernel.clocks import clock_from
from hub.kernel.errors import ConfigurationError


def test_an_offset_clock_follows_the_seconds_in_its_file(tmp_path):
    file = tmp_path / "offset"
    clock = clock_from(f"offset:{file}", synthetic_people=True)
    for seconds in (3600.0, -3600.0, 0.5):
        file.write_text(f"{seconds}\n")
        before = time.time()
        shown = clock.now().timestamp() - seconds
        assert before - 1e-3 <= shown <= time.time() + 1e-3


@pytest.mark.parametrize("setting", ["file:/tmp/clock", "offset:/tmp/clock"])
def test_a_test_clock_is_refused_where_real_people_are_on_record(setting):
    with pytest.raises(ConfigurationError):
        clock_from(setting, synthetic_people=False)


@pytest.mark.parametrize("setting", ["", "offset", "offset:", "atomic:/x"])
def test_a_clock_nobody_knows_is_refused(setting):
    with pytest.raises(ConfigurationError):
        clock_from(setting, synthetic_people=True)
