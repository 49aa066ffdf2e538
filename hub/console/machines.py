"""Machines: brokers and database."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.console.contexts import Console, Here
from hub.console.live_pages import register, show
from hub.console.lives import LivePage, Query, Values
from hub.console.permissions import Permission
from hub.console.visitors import Signed
from hub.monitoring.pictures import Picture
from hub.store import soundings

router = APIRouter(include_in_schema=False)


async def _servers(console: Console, picture: Picture, query: Query) -> Values:
    del query
    return {
        "server": picture.server,
        "failed": picture.failed,
        "topics": sorted(picture.topics, key=lambda one: -one.records),
        "topic_name": console.names.topic,
        "tables": await soundings.tables(console.pool),
        "at": picture.at,
    }


SERVERS = register(
    LivePage("servers", Permission.VIEW, "servers.html", {"servers": "server_main.html"}, _servers)
)


@router.get("/servers")
async def servers(request: Request, console: Here, visitor: Signed) -> Response:
    """Brokers and database."""
    return await show(request, console, visitor, SERVERS)
