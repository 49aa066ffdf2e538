"""What a live table streams is what changed, and it leads to the table as it is."""

from __future__ import annotations

from hub.console.tables import change, read


def rendered(*rows, foot="2"):
    body = "\n".join(
        f'  <tr id="{name}" class="{kind}">\n    <td>{name}</td>\n    <td class="figure">{lag}</td>\n  </tr>'
        for name, kind, lag in rows
    )
    return f"<table><tbody>\n{body}\n  </tbody></table>{foot}"


def test_of_a_row_only_the_cells_that_changed_are_sent():
    before = read(rendered(("a", "good", 1), ("b", "good", 2)))
    after = read(rendered(("a", "good", 1), ("b", "bad", 9)))
    assert change(before, after) == {
        "made": {},
        "gone": [],
        "cells": {"b": ["bad", None, "9"]},
        "order": None,
    }


def test_rows_that_come_go_and_move_are_told():
    before = read(rendered(("a", "good", 1), ("b", "good", 2), ("c", "good", 3)))
    after = read(rendered(("c", "good", 3), ("a", "good", 1), ("d", "bad", 4)))
    found = change(before, after)
    assert found["gone"] == ["b"]
    assert list(found["made"]) == ["d"]
    assert found["made"]["d"].startswith('<tr id="d" class="bad">')
    assert found["order"] == ["c", "a", "d"]
    assert found["cells"] == {}


def test_a_row_that_only_comes_at_the_end_needs_no_order():
    found = change(
        read(rendered(("a", "good", 1))), read(rendered(("a", "good", 1), ("b", "x", 2)))
    )
    assert found["order"] is None
    assert list(found["made"]) == ["b"]


def test_another_frame_or_an_empty_table_is_sent_whole():
    one = read(rendered(("a", "good", 1)))
    assert change(one, read(rendered(("a", "good", 1), foot="3"))) is None
    assert change(read("<p>nothing</p>"), one) is None
