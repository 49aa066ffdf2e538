"""The opening balance: people on roll, rights already served, last rows; nothing is sent."""

import csv
import tracemalloc

import pytest
from worlds import LoadedState, World, day, uid

from hub.cli.roster_files import LINE_BYTES, RosterFile
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


def read(path, block=20_000):
    with RosterFile(path, people(), block=block) as file:
        failures = list(file.check())
        return [row for home in file.households() for row in home], failures


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
    rows, failures = read(path)
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
    rows, failures = read(path)
    assert not rows
    assert [line for line, _ in failures] == [2, 3, 4]
    assert [failure.code for _, failure in failures][1:] == ["E-FIELD-MISSING", "E-DATE"]


def test_a_file_without_the_columns_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("姓名\n张三\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="household"):
        read(path)


def test_days_of_the_file_are_the_start_of_the_spell():
    world = World()
    from hub.model.openings import OpeningRow

    world.opening(
        OpeningRow(household="H", uid=uid("A"), category="DIBAO", effective_from=day("2024-03-01"))
    )
    (row,) = world.state.referrals.values()
    assert row.spell_from == day("2024-03-01")
    assert not world.effects


@pytest.mark.parametrize("block", [1, 3, 1000])
def test_rows_of_a_household_come_together_however_far_apart_they_stand(tmp_path, block):
    path = written(
        tmp_path,
        *(
            f'H-{order % 7},"张\n三",{number(order)},户主,低保,2024-01-01,,,M-{order},'
            for order in range(100)
        ),
        "",
    )
    with RosterFile(path, people(), block=block) as file:
        assert not list(file.check())
        homes = list(file.households())
        rest = list(file.households(5))
    assert [home[0].household for home in homes] == [f"H-{n}" for n in range(7)]
    for n, home in enumerate(homes):
        assert [row.meters for row in home] == [(f"M-{m}",) for m in range(n, 100, 7)]
    assert rest == homes[5:]


def test_a_file_that_changes_between_check_and_load_is_refused(tmp_path):
    path = written(tmp_path, f"H-1,张三,{number(1)},户主,低保,2024-01-01,,,,")
    with RosterFile(path, people()) as file:
        assert not list(file.check())
        path.write_bytes(path.read_bytes().replace(b"H-1", b"H-2"))
        with pytest.raises(ConfigurationError, match="line 2"):
            list(file.households())


def test_memory_is_the_same_for_two_thousand_and_twenty_thousand_people(tmp_path):
    def peak(count):
        path = written(
            tmp_path,
            *(
                f"H-{order % (count // 2)},张三,{number(order % 900)},户主,低保,2024-01-01,,,,"
                for order in range(count)
            ),
        )
        tracemalloc.start()
        try:
            with RosterFile(path, people(), block=500) as file:
                assert not list(file.check())
                assert sum(len(home) for home in file.households()) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2_000)
    small, large = peak(2_000), peak(20_000)
    assert large < 1.5 * small


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b'H-1,"' + b"x" * 200_000, b"x" * (LINE_BYTES + 1)]
)
def test_a_file_that_is_no_table_is_refused_with_its_line(tmp_path, content):
    path = written(tmp_path)
    path.write_bytes(HEADS.encode() + content)
    csv.field_size_limit(1 << 24)  # as a spreadsheet that was read before leaves it
    with pytest.raises(ConfigurationError, match=r"line [12] cannot be read"):
        read(path)
