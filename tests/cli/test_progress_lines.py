"""Progress lines: short work is silent, long work tells how much is done and left."""

import sys
import time

import pytest

from hub.cli.progress_lines import Progress


@pytest.mark.parametrize(("terminal", "lines"), [(True, 4), (False, 1)])
def test_long_work_tells_persons_rate_and_time_left(terminal, lines, monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    progress = Progress("已装载", "loaded")
    progress.tell(10, 10, 8000)
    assert not capsys.readouterr().err
    for second in (5, 10, 15, 20):
        now[0] = 100.0 + second
        progress.tell(second * 100, second * 100, 8000)
    progress.end()
    told = capsys.readouterr().err.replace("\r", "\n").split("\n")
    said = [text for text in told if text]
    assert len(said) == lines
    assert "每秒 100 人" in said[-1]
    assert ("2000 people, 100/s, 0:01:00 left" in said[-1]) is terminal
    assert ("1500 people, 100/s, 0:01:05 left" in said[-1]) is not terminal
