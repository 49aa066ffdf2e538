"""Live pages: how every page that follows the pictures is shown and streamed."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from hub.console.contexts import Console, Here
from hub.console.latest import clock, is_stale
from hub.console.lives import LivePage, stream, values_of
from hub.console.screens import language, page
from hub.console.visitors import Signed, Visitor

router = APIRouter(include_in_schema=False)
PAGES: dict[str, LivePage] = {}


def register(one: LivePage) -> LivePage:
    """Make a page known to the stream's address."""
    PAGES[one.name] = one
    return one


async def show(
    request: Request, console: Console, visitor: Visitor, one: LivePage, **values: str
) -> Response:
    """A live page as it is now.

    Args:
        request: Its query is the page's state.
        console: Gives the picture.
        visitor: Who looks.
        one: The page.
        values: Further parts of its state, out of the path.
    """
    visitor.need(one.permission)
    picture = console.pictures.last
    if picture is None:
        return page(request, "no_picture.html", visitor=visitor, status=503)
    query = {k: v for k, v in request.query_params.items() if k != "lang"} | values
    shown = await values_of(console, one, picture, query)
    state = urlencode({**query, "lang": language(request), "seen": picture.number})
    return page(
        request,
        one.template,
        visitor=visitor,
        live=f"/live/{one.name}?{state}",
        as_of=clock(picture),
        stale=is_stale(picture, console.now()),
        **shown,
    )


@router.get("/live/{name}")
async def live(name: str, request: Request, console: Here, visitor: Signed) -> Response:
    """The stream of a page."""
    one = PAGES.get(name)
    if one is None:
        return Response(status_code=404)
    visitor.need(one.permission)
    return stream(request, console, one, language(request))
