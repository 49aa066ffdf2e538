"""Topics: browsing records, masked: newest, oldest, from an offset or a time, or their tail."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.console import acts
from hub.console.audits import instant
from hub.console.contexts import Console, Here
from hub.console.exports import download
from hub.console.filters import Filter, is_personal
from hub.console.languages import mark
from hub.console.messages import Message, message
from hub.console.permissions import Permission
from hub.console.screens import page
from hub.console.visitors import Checked, Signed, Visitor
from hub.contracts.catalogues import catalogue
from hub.contracts.topics import Topic
from hub.kernel.clocks import from_epoch_ms, rfc3339
from hub.kernel.errors import DataError
from hub.runtime.browses import SCANNED, Start, walk
from hub.runtime.originals import log

router = APIRouter(include_in_schema=False)
SHOWN = 50
EXPORTED = 2_000
MODES = {
    "newest": mark("Newest first"),
    "oldest": mark("Oldest first"),
    "offset": mark("From an offset"),
    "time": mark("From a time"),
    "tail": mark("Tail: keep showing the newest"),
}
_PARTS = ("mode", "at", "part", "filter")
_AT = re.compile(r"[0-9]{1,13}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{4,12}")
"""An offset or a local time; an ID number is neither."""
_TAIL_NOTED_MS = 60_000


class Ask(NamedTuple):
    """What somebody wants to see: the text of each field of the form."""

    mode: str
    at: str
    part: str
    filter: str

    @classmethod
    def of(cls, given: Any) -> Ask:
        """Out of an address or a form."""
        values = {name: str(given.get(name, "")).strip() for name in _PARTS}
        mode = values["mode"] if values["mode"] in MODES else "newest"
        at = values["at"] if _AT.fullmatch(values["at"]) else ""
        return cls(mode, at, values["part"][:6], values["filter"])

    def start(self) -> Start:
        """Where to begin; something unreadable is the beginning."""
        if self.mode == "offset":
            return Start("offset", int(self.at) if self.at.isdecimal() else 0)
        if self.mode == "time":
            return Start("time", instant(self.at) or 0)
        return Start("oldest" if self.mode == "oldest" else "newest")

    def parts(self, count: int) -> list[int]:
        """The partitions chosen; those that do not exist are all of them."""
        chosen = int(self.part) if self.part.isdecimal() else -1
        return [chosen] if 0 <= chosen < count else list(range(count))

    def query(self) -> str:
        """As the query of an address."""
        return urlencode({k: v for k, v in self._asdict().items() if v})


class Shown(NamedTuple):
    """What a browse gave."""

    rows: list[Message]
    scanned: int
    whole: bool
    partitions: int


@router.get("/topics")
async def listing(request: Request, console: Here, visitor: Signed) -> Response:
    """Every declared topic with what the newest picture says of it."""
    visitor.need(Permission.VIEW)
    picture = console.pictures.last
    figures = {one.topic: one for one in picture.topics} if picture else {}
    groups = (
        ("in", mark("From departments")),
        ("event", mark("Canonical facts")),
        ("program", mark("To programs")),
        ("dlq", mark("Dead letters as they came")),
    )
    declared = catalogue().topics.values()
    return page(
        request,
        "topics.html",
        visitor=visitor,
        groups=[
            (text, [one for one in declared if one.name.startswith(f"{start}.")])
            for start, text in groups
        ],
        figures=figures,
        names=console.names,
    )


@router.get("/topics/{name}")
async def one(name: str, request: Request, console: Here, visitor: Signed) -> Response:
    """A topic's declaration and its records, masked."""
    visitor.need(Permission.VIEW)
    ask = Ask.of(request.query_params)
    if is_personal(ask.filter):
        return RedirectResponse(f"/topics/{name}?{ask._replace(filter='').query()}", 303)
    return await _one(request, console, visitor, name, ask)


@router.post("/topics/{name}")
async def chosen(name: str, request: Request, console: Here, visitor: Checked) -> Response:
    """The same from a form: a filter that may name a person stays out of the address."""
    visitor.need(Permission.VIEW)
    ask = Ask.of(await request.form())
    if is_personal(ask.filter):
        return await _one(request, console, visitor, name, ask)
    return RedirectResponse(f"/topics/{name}?{ask.query()}", 303)


async def _one(
    request: Request, console: Console, visitor: Visitor, name: str, ask: Ask
) -> Response:
    visitor.need(Permission.VIEW)
    topic, shown, problem = declared_topic(name), Shown([], 0, True, 0), ""  # noqa: FBT003 - a field of a tuple
    if topic is None:
        text = mark("No such topic is declared.")
        return page(request, "problem.html", visitor=visitor, status=404, text=text)
    if visitor.may(Permission.MESSAGE):
        try:
            shown = await browse(console, topic, ask, SHOWN)
        except DataError as error:
            problem = error.detail
        else:
            await _note(request, console, visitor, topic, ask, shown)
    return page(
        request,
        "topic.html",
        visitor=visitor,
        topic=topic,
        ask=ask,
        hidden=is_personal(ask.filter),
        modes=MODES,
        shown=shown,
        problem=problem,
        names=console.names,
        most=SCANNED,
        at=console.now(),
    )


def declared_topic(name: str) -> Topic | None:
    """A declared topic."""
    return catalogue().topics.get(name)


async def browse(console: Console, topic: Topic, ask: Ask, limit: int) -> Shown:
    """Records of a topic, masked and filtered.

    Raises:
        DataError: the filter cannot be used.
    """
    wanted = Filter(ask.filter) if ask.filter else None
    wire = console.settings.wire(topic.name)
    rows: list[Message] = []

    def matches(record: Any) -> bool:
        made = message(topic.name, record)
        if wanted is None or wanted(made.asked()):
            rows.append(made)
            return True
        return False

    async with log(console.kafka) as reader:
        count = await reader.parts(wire)
        found = await walk(
            reader, wire, ask.parts(count), ask.start(), limit=limit, matches=matches
        )
    return Shown(rows, found.scanned, found.whole, count)


async def _note(
    request: Request, console: Console, visitor: Visitor, topic: Topic, ask: Ask, shown: Shown
) -> None:
    """Put the browse on record; of a tail that refreshes itself once a minute."""
    now, known = console.now(), _tails(request)
    key = (visitor.account.id, topic.name)
    if ask.mode == "tail" and now - known.get(key, -_TAIL_NOTED_MS) < _TAIL_NOTED_MS:
        return
    if ask.mode == "tail":
        known[key] = now
    await acts.by(
        console.pool, visitor, "messages.browsed", now=now, target=topic.name, mode=ask.mode,
        scanned=shown.scanned, shown=len(shown.rows), filtered=bool(ask.filter),
    )  # fmt: skip


def _tails(request: Request) -> dict[tuple[str, str], int]:
    """Account and topic → when its tail was last put on record; one entry for each, bounded."""
    state = request.app.state
    if not hasattr(state, "tails"):
        state.tails = {}
    found: dict[tuple[str, str], int] = state.tails
    return found


@router.post("/topics/{name}/export")
async def export(name: str, request: Request, console: Here, visitor: Checked) -> Response:
    """What fits as a file, masked; on record before it leaves."""
    visitor.need(Permission.MESSAGE)
    form = await request.form()
    topic, ask = declared_topic(name), Ask.of(form)
    if topic is None:
        return await _one(request, console, visitor, name, ask)
    try:
        shown = await browse(console, topic, ask, EXPORTED)
    except DataError:
        return await _one(request, console, visitor, name, ask)
    await acts.by(
        console.pool, visitor, "messages.exported", now=console.now(), target=name,
        mode=ask.mode, scanned=shown.scanned, rows=len(shown.rows), filtered=bool(ask.filter),
    )  # fmt: skip
    head = ("topic", "partition", "offset", "at", "key", "bytes", "kind", "type", "schema")
    kind = str(form.get("format", "csv"))
    rows = [(*_row(one), one.fields if kind == "json" else one.text) for one in shown.rows]
    return download(f"{name}-masked", kind, (*head, "record"), rows)


def _row(one: Message) -> tuple[Any, ...]:
    at = rfc3339(from_epoch_ms(one.at))
    return (*one.place, at, one.key, one.size, one.kind, one.type, one.file)
