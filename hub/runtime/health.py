"""Health: ``/health``, ``/ready`` and ``/metrics`` of a worker."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from hub.runtime.progress import Progress


class HealthServer:
    """A small HTTP server beside the stages.

    Args:
        host: Address to listen on.
        port: Port; 0: any free one, see :attr:`port` after the start.
        stages: Whose signs of life are shown.
    """

    def __init__(self, host: str, port: int, stages: Sequence[Progress]) -> None:
        self._host = host
        self.port = port
        self._stages = stages
        app = web.Application()
        app.router.add_get("/health", self._health)
        app.router.add_get("/ready", self._ready)
        app.router.add_get("/metrics", _metrics)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Listen."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _health(self, request: web.Request) -> web.Response:
        """200 while the event loop turns and no partition is stopped."""
        del request
        stopped = {
            f"{topic}/{part}": reason
            for stage in self._stages
            for (topic, part), reason in stage.stopped.items()
        }
        stages = {
            stage.stage: {"lag": stage.lag, "assigned": stage.assigned, "ready": stage.ready}
            for stage in self._stages
        }
        body = {"stages": stages, "stopped": stopped}
        return web.json_response(body, status=503 if stopped else 200)

    async def _ready(self, request: web.Request) -> web.Response:
        """200 once every stage has its claims."""
        del request
        ready = all(stage.ready for stage in self._stages)
        return web.json_response({"ready": ready}, status=200 if ready else 503)


async def _metrics(request: web.Request) -> web.Response:
    del request
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
