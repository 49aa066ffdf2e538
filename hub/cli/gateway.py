"""``hub gateway``: HTTP intake, pull delivery, forms, tracking and the operators' page."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.languages import both
from hub.cli.loops import serve
from hub.cli.output import line, say

HOST = both("监听地址", "address to listen on")
PORT = both("端口,0 为任意空闲端口", "port; 0: any free one")


def command(
    host: Annotated[str | None, typer.Option(help=HOST)] = None,
    port: Annotated[int | None, typer.Option(help=PORT)] = None,
) -> None:
    """启动网关,直到 Ctrl-C · Serve until Ctrl-C."""
    serve(_serve(host, port))


async def _serve(host: str | None, port: int | None) -> None:
    import asyncio

    from hub.cli.addresses import addresses
    from hub.gateway.keys import allows_development
    from hub.gateway.servers import serving
    from hub.kernel.settings import settings

    chosen = settings()
    given = {"gateway_host": host, "gateway_port": port}
    chosen = chosen.model_copy(update={k: v for k, v in given.items() if v is not None})
    found = addresses(chosen)
    async with serving(chosen, kafka=found.kafka, database=found.database) as served:
        line(f"{both('网关', 'gateway')}: {served.url}/")
        if allows_development(chosen):
            say("运维页面,十分钟内有效:", "operators' page, for ten minutes:")
            line(f"  {served.login_link()}")
        await asyncio.Event().wait()
