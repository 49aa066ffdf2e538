from __future__ import annotations

import subprocess
import sys

import pytest

from hub.cli import verbs
from hub.cli.verbs import VERBS
from hub.kernel.errors import HubError

HUB = [sys.executable, "-m", "hub.cli.main"]


def test_the_help_lists_every_verb_chinese_first(shell):
    code, out, _ = shell("--help")
    assert code == 0
    for verb in VERBS:
        assert out.index(verb.zh) < out.index(verb.en)


def test_the_help_loads_nothing_heavy():
    script = (
        "import sys; from hub.cli.main import main; main(['--help']);"
        "print([m for m in ('typer', 'rich', 'pydantic', 'fastapi', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("[]")


def test_one_language_is_written_when_one_is_wanted(shell, monkeypatch):
    monkeypatch.setenv("HUB_LANG", "en")
    _, out, _ = shell("--help")
    assert "departments" in out
    assert "部门" not in out
    code, _, err = shell("nothing")
    assert (code, err) == (2, "Error: There is no command 'nothing'. 'hub --help' lists them.\n")


def test_an_error_is_told_in_both_languages_without_a_traceback(shell):
    code, _, err = shell("nothing")
    assert code == 2
    assert err.index("没有命令") < err.index("There is no command")
    assert "Traceback" not in err


def test_an_error_shows_where_it_was_raised_when_asked(shell, monkeypatch):
    monkeypatch.setenv("HUB_DEBUG", "1")
    with pytest.raises(HubError):
        shell("nothing")


def test_ctrl_c_ends_with_130(shell, monkeypatch):
    def interrupted(_verb):
        raise KeyboardInterrupt

    monkeypatch.setattr("hub.cli.main.command_of", interrupted)
    assert shell("dev")[0] == 130
    assert verbs.known("dev")


def test_a_reader_that_stops_early_is_no_error():
    one = subprocess.Popen(
        [*HUB, "config", "explain"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    one.stdout.close()
    _, err = one.communicate()
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err


def test_wrong_use_tells_the_command(shell):
    code, _, err = shell("trace")
    assert code == 2
    assert "hub trace" in err


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_every_verb_explains_itself(shell, verb):
    code, out, _ = shell(verb, "--help")
    assert code == 0
    assert f"hub {verb}" in out
