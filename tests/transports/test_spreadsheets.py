"""Spreadsheets of offices: encodings, titles, lost digits, rejects."""

import zipfile

import pytest
import xlsxwriter

from hub.kernel.errors import DataError
from hub.sdk.ways import FileOptions
from hub.transports.spreadsheets import REASON, encoding_of, escaped, opened, write_rejects

OPTIONS = FileOptions(
    pattern="*.csv",
    columns={"name": ["姓名"], "id_number": ["身份证号", "公民身份号码(必填)"], "note": ["备注"]},
    optional=["note"],
)


def rows(path, options=OPTIONS):
    with opened(path, options) as sheet:
        return [sheet.row(line) for line in sheet.lines]


def workbook(path, table):
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate(table):
            for column, cell in enumerate(cells):
                sheet.write(number, column, cell)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_a_list_reads_the_same_in_every_encoding_of_offices(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("姓名,身份证号\r\n张三,99068219520101103X\r\n".encode(encoding))
    assert rows(path) == [{"name": "张三", "id_number": "99068219520101103X"}]


@pytest.mark.parametrize("cut", [1, 2])
def test_a_utf8_file_cut_inside_a_character_is_not_taken_for_gb18030(tmp_path, cut):
    path = tmp_path / "a.csv"
    path.write_bytes("姓名,身份证号\n张三,1\n李四张".encode()[:-cut])
    with pytest.raises(DataError, match="E-ENCODING"):
        encoding_of(path)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xff\xff\xfe\x00\x80" * 10)
    with pytest.raises(DataError, match="E-ENCODING"):
        rows(path)


def test_full_width_and_starred_titles_below_a_heading_are_found(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("如皋市名单,,\n*姓 名,公民身份号码（必填）,其他\n张三,1,x\n,,\n李四,2,y\n")
    assert rows(path) == [{"name": "张三", "id_number": "1"}, {"name": "李四", "id_number": "2"}]


def test_a_missing_column_is_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("姓名,备注\n张三,x\n")
    with pytest.raises(DataError, match="E-FIELD-MISSING id_number"):
        rows(path)


def test_two_columns_of_one_field_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("姓名,身份证号,公民身份号码(必填)\n张三,1,2\n")
    with pytest.raises(DataError, match="E-FIELD-TYPE id_number"):
        rows(path)


def test_semicolons_and_tabs_separate_too(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("姓名;身份证号\n张三;1\n")
    assert rows(path) == [{"name": "张三", "id_number": "1"}]


def test_a_number_of_eighteen_digits_in_a_workbook_is_never_taken_for_an_id_number(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["姓名", "身份证号"], ["张三", 990682195201011038]])
    assert rows(path)[0]["id_number"] == "9.90682195201011E+17"


def test_cells_of_a_workbook_become_the_text_that_the_office_sees(tmp_path):
    table = [["姓名", "身份证号", "备注"], ["张三", "99068219520101103X", 12.5], ["李四", 7, True]]
    found = rows(workbook(tmp_path / "a.xlsx", table))
    assert [row["note"] for row in found] == ["12.5", "TRUE"]
    assert found[1]["id_number"] == "7"


def test_no_workbook_and_a_bomb_are_refused(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK no workbook")
    with pytest.raises(DataError, match="E-FIELD-TYPE"):
        rows(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", bytes(50_000_000))
    with pytest.raises(DataError, match="E-TOO-LARGE"):
        rows(path)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_rejects_come_back_as_they_were_and_hold_no_formula(tmp_path, suffix):
    path = tmp_path / f"r{suffix}"
    titles = ["姓名", "身份证号", "备注", REASON]
    write_rejects(
        path, titles, [(["张三", "990682195201011048", '=HYPERLINK("x")', "old"], "号码不对")]
    )
    with opened(path, OPTIONS) as sheet:
        assert sheet.titles == ("姓名", "身份证号", "备注", REASON)
        line = next(sheet.lines)
    assert line.cells[3] == "号码不对"
    assert sheet.row(line)["id_number"] == "990682195201011048"
    assert sheet.row(line)["note"] == '=HYPERLINK("x")'
    if suffix == ".csv":
        assert "\"'=HYPERLINK" in path.read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_beginnings_of_formulas_are_escaped(text):
    assert escaped(text) == f"'{text}"
