"""The catalogue of cases holds together, before any of them is run."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from hub.cli import faults
from tests.faults.harness import catalogues, declarations, sessions
from tests.faults.harness.declarations import NotRunError, Result
from tests.faults.sabotages import SABOTAGES


def test_every_case_has_both_titles_and_a_sabotage_that_exists():
    known = catalogues.catalogue()
    for name, entry in known.items():
        assert entry.case.id == name
        assert entry.case.zh
        assert entry.case.en
        assert entry.case.sabotages, name
        assert set(entry.case.sabotages) <= SABOTAGES.keys(), name
        assert (entry.case.quick.name, entry.case.full.name) == ("quick", "full")


def test_the_short_set_is_the_one_that_every_change_must_pass():
    short = {entry.case.id for entry in catalogues.chosen((), ci=True)}
    assert short == {"F03", "F04", "F15", "D01", "D02", "D03", "D04", "D05", "D07"}


def test_a_case_runs_at_another_size_where_its_own_takes_too_long():
    entry = catalogues.chosen(["F01"])[0]
    smaller = catalogues.sized(entry, "full", 30, 0)
    assert smaller.case.full == replace(entry.case.full, rounds=30)
    assert smaller.case.quick == entry.case.quick
    assert catalogues.sized(entry, "full", 0, 0) == entry


def test_cases_of_one_topology_stand_together_so_that_each_cluster_starts_once():
    order = [entry.case.topology for entry in catalogues.chosen(())]
    assert order == sorted(order)


def test_a_case_that_needs_root_is_not_run_without_it(monkeypatch):
    case = replace(catalogues.chosen(["F04"])[0].case, needs=(declarations.ROOT_RIGHTS,))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NotRunError):
        case.check_needs()


def test_what_was_not_run_fails_the_run_unless_that_is_allowed():
    results = [Result("F04", 1, "quick"), Result("F10", 1, "quick", verdict="not run")]
    assert not sessions.passed(results, sabotage=False, allow_unrun=False)
    assert sessions.passed(results, sabotage=False, allow_unrun=True)
    assert not sessions.passed([], sabotage=False, allow_unrun=True)


def test_a_sabotage_counts_only_if_the_verifier_found_what_it_does():
    red = Result("F04", 1, "quick", sabotage="no_fence", verdict="red")
    assert not sessions.passed([red], sabotage=True, allow_unrun=False)
    red.breaches = {"renumbered_copy": 3}
    assert sessions.passed([red], sabotage=True, allow_unrun=False)


def test_an_unknown_case_is_refused():
    result = CliRunner().invoke(faults.app, ["run", "F99"])
    assert result.exit_code == 1
    assert "F99" in str(result.exception)


def test_outside_a_checkout_the_command_says_so(monkeypatch, tmp_path):
    place = tmp_path / "hub" / "cli" / "faults.py"
    monkeypatch.setattr(faults, "__file__", str(place))
    result = CliRunner().invoke(faults.app, ["list"])
    assert result.exception is not None
    assert result.exception.exit_code == 2
    assert "checkout" in str(result.exception)
