"""Servers on sockets of the hub's own making."""

from __future__ import annotations

import socket

import httpx
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from hub.runtime.http_servers import Address, serving


async def test_a_kept_connection_sends_each_answer_at_once() -> None:
    app = Starlette(routes=[Route("/", lambda _request: PlainTextResponse("well"))])
    address = Address("127.0.0.1", 0, public=False, name=("test", "测试"), setting="HUB_TEST")
    async with serving(app, address) as (url, server), httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(url)).text == "well"
        (kept,) = server.server_state.connections
        inner = kept.transport.get_extra_info("socket")
        assert inner.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
