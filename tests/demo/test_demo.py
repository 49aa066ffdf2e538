"""The demonstration as a user starts it: a real process, real services, a folder of its own."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(240)]


def play(folder, *options, **environment):
    own = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return subprocess.run(
        [sys.executable, "-m", "hub.cli.main", "demo", "--once", "--people", "200", *options],
        env=own | {"HUB_DATA_DIR": str(folder)} | environment,
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


def test_the_story_reaches_every_program_as_written_by_hand(folder):
    done = play(folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "✓ 全部 361 份告知与手写预期一致" in done.stdout
    assert "事实 → 判定 → 转介" in done.stdout
    assert "E-EFFECT-WITHOUT-DECISION" in done.stdout


def test_a_killed_worker_loses_nothing_and_doubles_nothing(folder):
    done = play(folder, "--json", HUB_DEMO_KILL_WORKER="8")
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["worker_restarts"] == 1
    assert found["good"], found
    assert done.returncode == 0
    assert {entry["department"] for entry in found["entered"]} == {
        "civil-affairs",
        "education",
        "funeral",
        "health",
        "hospital",
        "housing",
        "hrss",
        "medical-insurance",
        "police",
        "poverty-alleviation",
        "power-supply",
        "village",
    }
    assert {entry["way"] for entry in found["entered"]} == {
        "file",
        "view",
        "rest",
        "queue",
        "manual",
    }


def test_an_unknown_record_cannot_be_sent(folder):
    command = [sys.executable, "-m", "hub.cli.main", "demo", "send", "wish"]
    done = subprocess.run(
        command,
        env=os.environ | {"HUB_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "grant, admission" in done.stderr or "grant、admission" in done.stderr
