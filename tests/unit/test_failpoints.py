from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import hub
from hub.kernel.failpoints import POINTS, FailpointError, answered, arm, passed

CALL = re.compile(r'\b(?:passed|answered|_hit)\(\s*"([^"]+)"')


@pytest.fixture(autouse=True)
def _disarmed():
    yield
    arm("")


def test_every_call_names_a_known_point_and_every_point_is_compiled_in():
    called = {
        name
        for path in Path(hub.__file__).parent.rglob("*.py")
        for name in CALL.findall(path.read_text("utf-8"))
    }
    # Dead letters are sent again by a command that is made apart from the worker.
    assert called == POINTS.keys()


def test_a_point_acts_at_its_hit_only_and_notes_its_name_first(tmp_path):
    log = tmp_path / "log"
    arm("batch.seen:2:raise", str(log))
    passed("batch.seen")
    passed("batch.state")
    assert not log.exists()
    with pytest.raises(FailpointError):
        passed("batch.seen")
    assert log.read_text() == "batch.seen\n"
    passed("batch.seen")


def test_cutting_uses_the_connection_at_hand_or_says_that_it_is_gone():
    cuts = []
    arm("batch.seen:1:cut,src.read:1:cut,batch.commit:1:cut-after")
    passed("batch.seen", lambda: cuts.append("seen"))
    with pytest.raises(ConnectionResetError):
        passed("src.read")
    passed("batch.commit", lambda: cuts.append("before"))
    with pytest.raises(ConnectionResetError):
        answered("batch.commit", lambda: cuts.append("after"))
    assert cuts == ["seen", "after"]


@pytest.mark.parametrize("text", ["batch.sen", "batch.seen:1:burn", "batch.seen:x"])
def test_a_point_or_action_that_does_not_exist_is_refused(text):
    with pytest.raises(ValueError):
        arm(text)


def test_a_process_stops_or_dies_at_a_point_named_in_its_environment():
    code = "from hub.kernel.failpoints import passed; passed('src.read'); passed('src.cursor')"
    environ = os.environ | {"HUB_FAILPOINTS": "src.read:1:stop,src.cursor"}
    process = subprocess.Popen([sys.executable, "-c", code], env=environ)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    process.send_signal(signal.SIGCONT)
    assert process.wait(10) == -signal.SIGKILL
