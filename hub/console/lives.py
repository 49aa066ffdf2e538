"""Lives: the streams that show the newest picture in open pages.

A fragment is rendered once per picture, language and address, whoever looks at it. A stream
resumes: its event ids are picture numbers, and a browser that comes back is sent what is new
since the number it names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import orjson
from fastapi import Request
from fastapi.responses import StreamingResponse

from hub.console.contexts import Console
from hub.console.latest import clock, is_stale
from hub.console.permissions import Permission
from hub.console.screens import fragment
from hub.console.tables import change, read
from hub.monitoring.pictures import Picture

Query = Mapping[str, str]
Values = Mapping[str, Any]


class LivePage(NamedTuple):
    """A page whose parts follow the pictures.

    Attributes:
        name: In the address of its stream.
        permission: Who may open it.
        template: The whole page.
        parts: Element id → template of its inside.
        view: From a picture and the address's query to what the templates show.
        tables: Parts that are tables with rows by id: only what changed in them is streamed.
    """

    name: str
    permission: Permission
    template: str
    parts: Mapping[str, str]
    view: Callable[[Console, Picture, Query], Awaitable[Values]]
    tables: frozenset[str] = frozenset()


async def values_of(console: Console, page: LivePage, picture: Picture, query: Query) -> Values:
    """What a page's templates show."""
    return {"picture": picture, "query": query, **await page.view(console, picture, query)}


def stream(request: Request, console: Console, page: LivePage, lang: str) -> StreamingResponse:
    """Server-sent events of a page.

    ``part`` replaces the inside of an element, ``rows`` changes rows of a table in one, ``tick``
    tells that the sampler lives.
    """
    query = {k: v for k, v in request.query_params.items() if k != "lang"}
    seen = request.headers.get("last-event-id", "") or query.pop("seen", "")
    number = int(seen) if seen.isdigit() else -1
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        _events(console, page, query, lang, number), media_type="text/event-stream", headers=headers
    )


async def _events(
    console: Console, page: LivePage, query: dict[str, str], lang: str, number: int
) -> AsyncIterator[bytes]:
    sent: dict[str, str] = {}
    yield b"retry: 2000\n\n"
    shown = console.pictures.last
    if shown is not None and shown.number == number:
        # The page has just been rendered from it.
        for element, template in page.parts.items():
            sent[element] = await part(console, page, element, template, shown, query, lang)
    while True:
        picture = await console.pictures.after(number)
        now = console.now()
        if picture is None:
            last = console.pictures.last
            yield _event("tick", number, {"as_of": clock(last), "stale": is_stale(last, now)})
            continue
        number = picture.number
        head = {"as_of": clock(picture), "stale": is_stale(picture, now)}
        yield _event("tick", number, head)
        for element, template in page.parts.items():
            text = await part(console, page, element, template, picture, query, lang)
            before, sent[element] = sent.get(element, ""), text
            if text == before:
                continue
            rows = change(read(before), read(text)) if element in page.tables else None
            if rows is None:
                yield _event("part", number, {**head, "id": element, "html": text})
            else:
                yield _event("rows", number, {**head, "id": element, **rows})


async def part(
    console: Console,
    page: LivePage,
    element: str,
    template: str,
    picture: Picture,
    query: Query,
    lang: str,
) -> str:
    """The inside of one element, rendered once for all who look at the same thing."""

    async def make() -> str:
        return fragment(template, lang, await values_of(console, page, picture, query))

    key = (page.name, element, lang, picture.number, *sorted(query.items()))
    return await console.pictures.once(key, make)


def _event(kind: str, number: int, data: Mapping[str, Any]) -> bytes:
    return b"event: %b\nid: %d\ndata: %b\n\n" % (kind.encode(), number, orjson.dumps(data))
