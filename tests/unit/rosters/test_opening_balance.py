"""The opening balance: people on roll, rights already served, last rows; nothing is sent."""

import pytest
from worlds import LoadedState, World, day, uid

from hub.cli.roster_files import read
from hub.embedded.city.people import synthetic_id
from hub.intake.people import People
from hub.kernel.errors import ConfigurationError
from hub.kernel.person_keys import UidKey
from hub.runtime.openings import balance

HEADS = "家庭编号,姓名,证件号码,与户主关系,救助类别,生效日期,照护等级,学籍号,电力户号,电话\n"


def people():
    return People(UidKey(b"k" * 32), synthetic=True)


def number(order):
    from datetime import date

    return synthetic_id("0682", date(2014, 5, 6), order)


def written(tmp_path, *lines):
    path = tmp_path / "roster.csv"
    path.write_text(HEADS + "\n".join(lines) + "\n", encoding="utf-8-sig")
    return path


def test_a_file_becomes_served_rights_interests_and_last_rows_once(tmp_path):
    path = written(
        tmp_path,
        f"H-1,张三,{number(1)},户主,农村低保,2024-01-01,,,M-1,13900000001",
        f"H-1,张小三,{number(3)},子,低保,2024-01-01,,N-7,,",
        f"H-2,李四,{number(5)},户主,五保,20240201,半自理,,M-2;M-3,",
    )
    rows, failures = read(path, people())
    assert not failures
    assert rows[0].category == "DIBAO"
    state, ctx = LoadedState(), World().ctx
    balance(state, rows, ctx)
    served = {(r.program, r.state) for r in state.referrals.values()}
    assert served == {
        ("medical-aid", "served"),
        ("education-aid", "served"),
        ("electricity-relief", "served"),
    }
    counts = {recipient: len(rows) for recipient, rows in state.rosters.items()}
    assert counts == {
        "poverty-alleviation": 3,
        "medical-insurance": 3,
        "education": 1,
        "power-supply": 3,
    }
    care = [r.fields.get("care") for r in state.rosters["medical-insurance"].values()]
    assert {"care_level": "HALF_SELF_CARE"} in care
    state.dirty.clear()
    balance(state, rows, ctx)
    assert not state.dirty


def test_lines_that_cannot_be_used_are_named_with_their_field(tmp_path):
    path = written(
        tmp_path,
        f"H-1,张三,{number(1)[:-1]}Q,户主,低保,2024-01-01,,,,",
        f",李四,{number(1)},户主,低保,2024-01-01,,,,",
        f"H-1,王五,{number(1)},户主,低保,2024-13-01,,,,",
    )
    rows, failures = read(path, people())
    assert not rows
    assert [line for line, _ in failures] == [2, 3, 4]
    assert [failure.code for _, failure in failures][1:] == ["E-FIELD-MISSING", "E-DATE"]


def test_a_file_without_the_columns_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("姓名\n张三\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="household"):
        read(path, people())


def test_days_of_the_file_are_the_start_of_the_spell():
    world = World()
    from hub.model.openings import OpeningRow

    world.opening(
        OpeningRow(household="H", uid=uid("A"), category="DIBAO", effective_from=day("2024-03-01"))
    )
    (row,) = world.state.referrals.values()
    assert row.spell_from == day("2024-03-01")
    assert not world.effects
