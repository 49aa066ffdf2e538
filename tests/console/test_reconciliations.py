"""Sent = received = answered, with every difference named, in files that prove themselves."""

from __future__ import annotations

import csv
import json
from hashlib import sha256
from io import BytesIO, StringIO

from python_calamine import CalamineWorkbook

from hub.console.days import day_of
from hub.console.sealed_tables import Table, as_csv, body, seal
from hub.store import reconciliations
from hub.store.connections import close, connect
from tests.console import worked
from tests.console.conftest import Rig
from tests.console.test_live_pages import take

DAY = 86_400_000


async def _busy(rig: Rig) -> tuple[str, int]:
    """Yesterday: a webhook with every kind of difference, a pull and a topic that are even."""
    yesterday = day_of("", rig.now()).before
    at = day_of(str(yesterday), rig.now()).since + 3_600_000
    await worked.subscription(rig, "electricity-relief", "webhook")
    await worked.subscription(rig, "education-aid", "pull", acked_seq=1)
    await worked.subscription(rig, "medical-aid", "kafka", sent_seq=1)
    states = ["sent", "sent", "sent", "sent", "waiting", "parked", "given_up"]
    for seq, state in enumerate(states, 1):
        await worked.copy(rig, "electricity-relief", seq, state, at=at, referral=f"r{seq}")
    await worked.referral(rig, "r1", "electricity-relief", "accepted", opened=at, due=at + 1)
    await worked.referral(rig, "r2", "electricity-relief", "created", opened=at, due=at + 1)
    await worked.referral(
        rig, "r3", "electricity-relief", "created", opened=at, due=rig.now() + DAY
    )
    await worked.referral(rig, "r4", "electricity-relief", "closed", opened=at, due=at + 1)
    for seq in (1, 2):
        await worked.copy(rig, "education-aid", seq, at=at, kind="fact.told")
    await worked.copy(rig, "medical-aid", 1, at=at, kind="fact.told")
    await worked.copy(rig, "medical-aid", 2, at=at + 30 * 3_600_000, kind="fact.told")
    return str(yesterday), at


async def test_the_parts_of_a_day_add_up_and_each_difference_has_a_name(rig: Rig) -> None:
    text, _ = await _busy(rig)
    day = day_of(text, rig.now())
    connection = await connect(rig.database)
    rows = {
        one.program: one
        for one in await reconciliations.day(connection, day.since, day.until, now=rig.now())
    }
    await close(connection)
    webhook = rows["electricity-relief"]
    assert (webhook.sent, webhook.received, webhook.waiting, webhook.parked, webhook.given_up) == (
        7, 4, 1, 1, 1,
    )  # fmt: skip
    assert (webhook.asked, webhook.answered, webhook.withdrawn, webhook.in_time, webhook.late) == (
        4, 1, 1, 1, 1,
    )  # fmt: skip
    for one in rows.values():
        parts = one.received + one.waiting + one.unfetched + one.parked + one.given_up
        assert one.sent == parts
        assert one.asked == one.answered + one.withdrawn + one.in_time + one.late
    assert (rows["education-aid"].received, rows["education-aid"].unfetched) == (1, 1)
    assert (rows["medical-aid"].sent, rows["medical-aid"].is_even) == (1, True)


async def test_the_page_names_the_numbers_and_referrals_that_differ(rig: Rig) -> None:
    text, _ = await _busy(rig)
    browser = await rig.signed_in("viewer")
    page = (await browser.get(f"/reconciliation?day={text}&program=electricity-relief")).text
    for number in (5, 6, 7):
        assert f">1/{number}<" in page
    assert ">1/1<" not in page
    assert "/journey/r2" in page
    assert "/journey/r1" not in page
    assert "当日没有发送" in (await browser.get("/reconciliation?day=2020-01-01")).text


async def test_both_files_carry_the_seal_that_stands_in_the_audit(rig: Rig) -> None:
    text, _ = await _busy(rig)
    browser = await rig.signed_in("viewer")
    plain = (await browser.get(f"/reconciliation.csv?day={text}")).content
    sealed, _, tail = plain.removeprefix(b"\xef\xbb\xbf").partition(b"\r\n\r\nSHA-256,")
    digest = sha256(sealed + b"\r\n").hexdigest()
    assert tail.startswith(digest.encode())
    rows = list(csv.reader(StringIO(sealed.decode())))
    assert len(rows) == 4
    book = CalamineWorkbook.from_filelike(
        BytesIO((await browser.get(f"/reconciliation.xlsx?day={text}")).content)
    )
    assert digest in str(book.get_sheet_by_index(1).to_python())
    assert [str(one[2]) for one in book.get_sheet_by_index(0).to_python()] == [
        row[2] for row in rows
    ]
    noted = await rig.fetch("SELECT doc FROM audit WHERE kind = 'export'")
    assert [json.loads(row["doc"])["sha256"] for row in noted] == [digest, digest]
    assert (await browser.get("/reconciliation.exe")).status_code == 404


def test_a_seal_changes_with_any_value_and_no_cell_is_a_formula() -> None:
    table = Table("t", "T", ("a", "b"), [("=1+1", 5)])
    assert b"'=1+1,5" in body(table)
    assert seal(table) != seal(table._replace(rows=[("=1+1", 6)]))
    assert body(table) in as_csv(table, 0, "op")


async def test_the_report_has_the_key_figures_of_the_day(rig: Rig) -> None:
    await take(rig)
    text, at = await _busy(rig)
    for name in ("f1", "f2", "f3"):
        await worked.fact(rig, name, "health", at=at)
    await worked.letter(rig, "l1", "health", "E-DATE", at=at)
    browser = await rig.signed_in("viewer")
    page = (await browser.get(f"/report?day={text}&lang=en")).text
    for name, figure in (
        ("Facts received", "3"),
        ("Referrals created", "4"),
        ("Records refused", "1"),
        ("To the program, 95 of 100 within", "1 s"),
    ):
        assert f'<dt>{name}</dt><dd class="big">{figure}' in page, name
    today = (await browser.get("/report?lang=zh")).text
    assert "住院登记" in today


def test_a_day_is_one_of_shanghai_and_never_in_the_future() -> None:
    now = 1_775_000_000_000
    day = day_of("2026-03-01", now)
    assert day.until - day.since == DAY
    assert (day.since + 8 * 3_600_000) % DAY == 0
    assert day_of("2099-01-01", now).is_today
    assert day_of("nonsense", now).is_today
