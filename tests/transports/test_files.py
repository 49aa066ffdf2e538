"""Drop folders: whole files only, wrong rows back to the office, the same row the same id."""

import asyncio

import pytest
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from hub.kernel.errors import DataError
from hub.sdk.ways import FileOptions
from hub.transports.drops import DropFolder
from hub.transports.files import FileReader
from hub.transports.spreadsheets import REASON

OPTIONS = FileOptions(
    pattern="名单*.*", columns={"id": ["编号"], "name": ["姓名"], "id_number": ["身份证号"]}
)
GOOD = "编号,姓名,身份证号\n1,张三,99068219520101103X\n2,李四,990682195201011048\n"


class Site:
    def __init__(self, department, root):
        self.department, self.root = department, root
        self.inbox = root / "inbox"
        self.inbox.mkdir(parents=True)

    def reader(self, **options):
        given = {"synthetic": True} | options
        return FileReader(
            DropFolder(self.root, settle=0.02),
            OPTIONS,
            self.department.maker,
            self.department.sink,
            self.department.cursors,
            **given,
        )

    def drop(self, name, text, encoding="utf-8"):
        (self.inbox / name).write_bytes(text.encode(encoding))

    def names(self, folder):
        return sorted(path.name for path in (self.root / folder).iterdir())


@pytest.fixture
def site(department, tmp_path):
    return Site(department, tmp_path / "drop")


async def test_a_file_is_read_and_moved_to_done(site):
    seen = []
    site.drop("名单1.csv", GOOD, "gb18030")
    done = await site.reader(progress=lambda name, rows: seen.append((name, rows))).poll()
    assert (done.files, done.rows, done.rejected) == (1, 2, 0)
    assert seen == [("名单1.csv", 2)]
    assert {one.row["name"] for one in await site.department.arrived()} == {"张三", "李四"}
    assert site.names("inbox") == site.names("working") == site.names("rejects") == []
    assert len(site.names("done")) == 1


async def test_the_same_rows_have_the_same_ids_under_any_name_and_encoding(site):
    site.drop("名单1.csv", GOOD)
    site.drop("名单2.csv", GOOD.replace("编号,姓名", "编号, 姓 名"), "gb18030")
    done = await site.reader().poll()
    assert done.rows == 4
    assert len({one.event_id for one in await site.department.arrived()}) == 2


async def test_no_key_and_no_header_holds_an_id_number_or_a_file_name(site):
    site.drop("名单99068219520101103X.csv", GOOD)
    await site.reader().poll()
    for one in await site.department.arrived():
        outside = b"".join([one.key, *one.headers.values(), *map(str.encode, one.headers)])
        assert b"9906821952" not in outside
        assert "名单".encode() not in outside
        assert one.headers["content-type"] == b"application/json"
        assert one.headers["ce_source"] == b"/gov/320682/test"


async def test_a_file_still_being_written_is_left_alone(site):
    site.drop("名单1.csv", GOOD)

    async def write_on():
        while True:
            with (site.inbox / "名单1.csv").open("a") as file:
                file.write("3,王五,\n")
            await asyncio.sleep(0.005)

    writer = asyncio.create_task(write_on())
    done = await site.reader().poll()
    writer.cancel()
    assert done.files == 0
    (site.inbox / "名单1.csv.part").write_text("")
    assert (await site.reader().poll()).files == 1
    assert site.names("inbox") == ["名单1.csv.part"]


async def test_a_marker_tells_that_a_file_is_whole(site):
    site.drop("名单1.csv", GOOD)
    site.drop("名单1.csv.ok", "")
    assert (await site.reader().poll()).files == 1
    assert site.names("inbox") == []


async def test_a_wrong_row_goes_to_the_hub_and_back_to_the_office(site):
    site.drop("名单1.csv", GOOD.replace("1048", "1049"))
    done = await site.reader().poll()
    assert (done.rows, done.rejected) == (2, 1)
    assert len(await site.department.arrived()) == 2
    head, row = (site.root / "rejects" / "名单1.csv").read_text("utf-8-sig").splitlines()
    assert head == f"编号,姓名,身份证号,{REASON}"
    assert "校验码不对" in row
    assert "E-ID-CHECK" in row


async def test_a_corrected_file_of_rejects_is_read_like_any_other(site):
    site.drop("名单1.csv", GOOD.replace("1048", "1049"))
    await site.reader().poll()
    text = (site.root / "rejects" / "名单1.csv").read_text("utf-8-sig")
    site.drop("名单1.csv", text.replace("1049", "1048"))
    assert (await site.reader().poll()).rejected == 0
    assert (await site.department.arrived())[-1].row["id_number"] == "990682195201011048"


async def test_digits_lost_in_a_workbook_are_rejected_row_by_row_in_a_workbook(site):
    with Workbook(str(site.inbox / "名单1.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["编号", "姓名", "身份证号"])
        sheet.write_row(1, 0, ["1", "张三", 990682195201011038])
        sheet.write_row(2, 0, ["2", "李四", "990682195201011048"])
    done = await site.reader().poll()
    assert (done.rows, done.rejected) == (2, 1)
    with CalamineWorkbook.from_path(str(site.root / "rejects" / "名单1.xlsx")) as book:
        table = book.get_sheet_by_index(0).to_python()
    assert table[0] == ["编号", "姓名", "身份证号", REASON]
    assert "E-ID-LOST" in table[1][3]
    assert (await site.department.arrived())[0].row["id_number"].endswith("E+17")


async def test_a_mapping_that_refuses_a_row_sends_it_back(site):
    def check(record):
        if b"\xe6\x9d\x8e" in record.value:
            raise DataError("E-DATE", "born")

    site.drop("名单1.csv", GOOD)
    assert (await site.reader(check=check).poll()).rejected == 1
    assert "【born】日期无效" in (site.root / "rejects" / "名单1.csv").read_text("utf-8-sig")


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"\xff\xff\xfe\x80" * 9, "E-ENCODING"), ("编号,姓名\n1,张三\n".encode(), "E-FIELD-MISSING")],
)
async def test_a_file_that_cannot_be_read_goes_back_and_is_a_dead_letter(site, content, code):
    (site.inbox / "名单1.csv").write_bytes(content)
    assert (await site.reader().poll()).refused_files == 1
    (letter,) = await site.department.refused()
    assert (letter.row["code"], letter.row["size"]) == (code, len(content))
    assert site.names("rejects") == ["名单1.csv", "名单1.csv.原因.txt"]
    assert code in (site.root / "rejects" / "名单1.csv.原因.txt").read_text("utf-8-sig")


@pytest.mark.parametrize("point", ["src.read", "src.published", "src.cursor"])
async def test_a_connector_killed_inside_a_file_goes_on_with_the_same_ids(site, point):
    def kill(name):
        if name == point:
            raise KeyboardInterrupt

    rows = "".join(f"{number},张三,\n" for number in range(1200))
    site.drop("名单1.csv", f"编号,姓名,身份证号\n{rows}")
    with pytest.raises(KeyboardInterrupt):
        await site.reader(hit=kill).poll()
    assert site.names("working") == ["名单1.csv"]
    assert (await site.reader().poll()).rows == 1200
    arrived = await site.department.arrived()
    assert len({one.event_id for one in arrived}) == 1200
    assert len(arrived) == (1700 if point == "src.published" else 1200)


async def test_links_and_files_of_no_item_are_not_taken(site, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text(GOOD)
    (site.inbox / "名单1.csv").symlink_to(secret)
    site.drop("other.csv", GOOD)
    assert (await site.reader().poll()).files == 0
    assert [p.name for p in DropFolder(site.root).unmatched([OPTIONS.pattern])] == ["other.csv"]
