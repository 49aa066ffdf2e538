"""A real HTTP receiver that keeps what it was posted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.runtime import http_servers
from hub.runtime.http_servers import Address


class Post(NamedTuple):
    query: dict[str, list[str]]
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.raw)


@asynccontextmanager
async def receiver(
    answer: Callable[[int], Response], path: str = "/bot"
) -> AsyncIterator[tuple[str, list[Post]]]:
    """An HTTP receiver; its answers depend on how many posts came before."""
    posts: list[Post] = []

    async def take(request: Request) -> Response:
        query = parse_qs(urlsplit(str(request.url)).query)
        posts.append(Post(query, dict(request.headers), await request.body()))
        return answer(len(posts))

    app = Starlette(routes=[Route(path, take, methods=["POST"])])
    place = Address("127.0.0.1", 0, False, ("receiver", "接收方"), "HUB_TEST")  # noqa: FBT003
    async with http_servers.serving(app, place) as (url, _server):
        yield f"{url}{path}", posts
