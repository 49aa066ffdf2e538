"""Something goes wrong with somebody, drawn by chance; the console must tell whom and why."""

from __future__ import annotations

import time

import pytest

from hub.cli.demos.incidents import Incident
from tests.browser.answers import Answers
from tests.browser.browsers import Seat
from tests.browser.readings import diagnosis, red
from tests.browser.sites import Site
from tests.browser.waits import until

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.timeout(300)]
TOLD = {
    "hang": "receiver",
    "broken": "receiver",
    "replaced": "partition",
    "beyond": "partition",
}
"""What the words of a cause tell where several causes look the same to whoever waits."""


# Dead letters stay, so that one comes last.
@pytest.mark.parametrize("kind", ["silent", "slow-program", "flood", "stuck", "poison"])
async def test_department_and_cause_are_read_off_the_pages(
    city: Site, seat: Seat, answers: Answers, kind: str
) -> None:
    known = await red(seat)
    incident = await city.incidents.kinds[kind]()
    print(f"drawn: {incident}")
    since = time.monotonic()
    try:
        cause, who, sentence = await diagnosis(seat, known)
        await seat.click(seat.page.get_by_role("link").filter(has_text=_words(sentence)).first)
        await _same_there(seat, city, incident, who)
        answers.note(kind, seat, since, who=incident.who or incident.what, cause=incident.cause)
        assert cause == TOLD.get(incident.cause, incident.cause), sentence
        assert who == _name(city, incident), sentence
    finally:
        await city.incidents.over(incident)
    if kind == "stuck":
        await city.restart_worker()
    await _calm_again(seat, known, keeps=kind == "poison")


def _words(sentence: str) -> str:
    """The beginning of a sentence, before figures that change with every picture."""
    for mark in ("已 ", "有 ", "自 ", "突增", " 停止"):
        sentence = sentence.partition(mark)[0]
    return sentence


async def _same_there(seat: Seat, city: Site, incident: Incident, who: str) -> None:
    """The page a sentence leads to is about the same department, program or topic."""
    text = await seat.page.get_by_role("main").inner_text()
    assert who in text
    if incident.kind == "stuck":
        topic, _, part = incident.what.rpartition("/")
        row = seat.page.locator("main tbody tr").filter(has_text="分区已停").first
        cells = await row.locator("td").all_inner_texts()
        assert topic in cells[0]
        assert cells[1].strip() == part
        reason = {"replaced": "主题被删除后重建", "beyond": "读取位置与日志不符"}[incident.cause]
        assert reason in cells[3]


def _name(city: Site, incident: Incident) -> str:
    if incident.kind == "stuck":
        return incident.what.rpartition("/")[0]
    stage = city.stage
    if incident.who in stage.manifests:
        return stage.manifests[incident.who].zh
    return stage.receivers.agreed[incident.who].names.zh


async def _calm_again(seat: Seat, known: set[str], *, keeps: bool) -> None:
    await seat.start()
    if not keeps:
        await until(lambda: red(seat), lambda found: not found - known)
