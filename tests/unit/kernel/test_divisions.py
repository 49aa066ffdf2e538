"""Division codes as of a date; the units of these tests carry invented codes (province 99)."""

from datetime import date

import pytest

from hub.kernel.divisions import Divisions, canonical, street
from hub.kernel.errors import ConfigurationError, DataError

BEFORE, AFTER = date(2021, 3, 31), date(2021, 4, 1)
TABLE = """\
code,name,level,kind,valid_from,valid_to,parent,successors,listed
990000,甲省,province,gb2260,,,,,
990100,甲市,city,gb2260,,,990000,,all
990101,并入区,county,gb2260,,2021-04-01,990100,990102,
990102,存续区,county,gb2260,,,990100,,
990103,拆分区,county,gb2260,,2021-04-01,990100,990104;990105,
990104,东区,county,gb2260,2021-04-01,,990100,,
990105,西区,county,gb2260,2021-04-01,,990100,,
990171,开发区,county,stat,,,990102,,
990102001,一街道,town,stat,,,990102,,all
990102001001,一村,village,stat,,,990102001,,
990101001,老街道,town,stat,,2021-04-01,990101,990102001,
990106,甲,county,gb2260,,2021-04-01,990100,990107,
990107,乙,county,gb2260,,2021-04-01,990100,990106,
990108,重用区,county,gb2260,,2001-01-01,990100,990102,
990108,重用新区,county,gb2260,2021-04-01,,990100,,
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("divisions") / "own.csv"
    path.write_text("\ufeff" + TABLE, encoding="utf-8")
    return Divisions.load(path)


@pytest.mark.parametrize(
    ("code", "on", "expected"),
    [
        ("990102", BEFORE, "990102"),
        ("990101", BEFORE, "990101"),
        ("990101", AFTER, "990102"),
        ("990101000000", AFTER, "990102"),
        ("990101001", AFTER, "990102001"),
        ("990101002", BEFORE, "990101002"),
        ("990101002", AFTER, "990102"),
        ("990103", BEFORE, "990103"),
        ("990104", AFTER, "990104"),
        ("990171", AFTER, "990171"),
        ("990171004", AFTER, "990171004"),
        ("990108", date(2000, 1, 1), "990108"),
        ("990108", BEFORE, "990102"),
        ("990108", AFTER, "990108"),
        ("990100", AFTER, "9901"),
        ("990200", AFTER, "9902"),
    ],
)
def test_a_code_answers_with_the_unit_live_on_that_day(table, code, on, expected):
    assert table.resolve(code, on) == expected
    assert table.resolve(code, on) == expected


@pytest.mark.parametrize(
    ("code", "on"),
    [
        ("990103", AFTER),
        ("990103001", AFTER),
        ("990104", BEFORE),
        ("990106", AFTER),
        ("990199", AFTER),
        ("990102001002", AFTER),
        ("980101", AFTER),
        ("99010", AFTER),
        ("99010a", AFTER),
        ("٩٩٠١٠٢", AFTER),
        ("", AFTER),
    ],
)
def test_a_code_without_exactly_one_answer_is_put_aside(table, code, on):
    with pytest.raises(DataError, match="E-AREA-UNKNOWN"):
        table.resolve(code, on)


def test_one_village_in_6_9_and_12_digits_lies_in_one_county(table):
    for code in ("990102", "990102001", "990102001001", "990102000000", "990102001000"):
        assert table.is_within(table.resolve(code, AFTER), "990102")
        assert table.is_within(code, "990100")
        assert not table.is_within(code, "990104")


def test_a_development_zone_lies_where_the_table_says(table):
    assert table.is_within("990171", "990102")
    assert table.is_within("990171004", "990102")
    assert not table.is_within("990171", "990104")


def test_the_street_is_the_first_nine_digits(table):
    assert table.street("990102001001") == street("990102001") == "990102001"
    assert street("990102000000") is None


def test_filling_zeros_are_cut():
    assert [
        canonical(code)
        for code in ("320000000000", "320000", "370800", "320682000", "320682100000")
    ] == [
        "32",
        "32",
        "3708",
        "320682",
        "320682100",
    ]


def test_the_shipped_table_knows_the_places_of_the_profiles():
    shipped = Divisions.load()
    for code, name in {
        "320682": "如皋市",
        "371000": "威海市",
        "371002100": "张村镇",
        "371003": "文登区",
        "371082": "荣成市",
        "611000": "商洛市",
        "611022": "丹凤县",
        "611023": "商南县",
        "320507100": "望亭镇",
        "320922": "滨海县",
        "320104003": "红花街道",
        "370800": "济宁市",
    }.items():
        assert shipped.get(code, AFTER).name == name
        assert shipped.resolve(code, AFTER) == canonical(code)


def test_a_code_of_another_province_is_no_error():
    shipped = Divisions.load()
    assert shipped.resolve("440305", AFTER) == "440305"
    assert not shipped.is_within("440305", "320682")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("990101,并入区,county", "990101,并入区,town", "line 4: level is county"),
        ("存续区,county,gb2260", "存续区,county,other", "line 5: kind is one of"),
        ("2021-04-01,990100,990102,", "2021-4-1,990100,990102,", "line 4"),
        ("successors", "successor", "columns are missing: successors"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(tmp_path, old, new, message):
    path = tmp_path / "wrong.csv"
    path.write_text(TABLE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        Divisions.load(path)


def test_a_missing_table_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Divisions.load(tmp_path / "none.csv")
