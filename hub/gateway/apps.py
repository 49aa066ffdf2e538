"""The gateway's app: routes, problem documents, headers, health and metrics."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST

from hub.gateway import (
    forms,
    heartbeats,
    inboxes,
    intakes,
    lookups,
    pages,
    problems,
    replies,
    screens,
)
from hub.gateway.contexts import Context, Gateway
from hub.gateway.principals import LoginError
from hub.gateway.problems import ProblemError, response_of
from hub.kernel.settings import Settings
from hub.kernel.settings import settings as process_settings
from hub.store.connections import is_fault

service = APIRouter()


def create_app(
    settings: Settings | None = None, *, kafka: str | None = None, database: str | None = None
) -> FastAPI:
    """The gateway as an ASGI app.

    Args:
        settings: By default those of this process.
        kafka: Bootstrap servers; by default those of the settings.
        database: DSN; by default that of the settings.

    Raises:
        ConfigurationError: a secret, manifest or setting is wrong.
    """
    chosen = settings or process_settings()
    gateway = Gateway(chosen, kafka or chosen.kafka, database or chosen.database)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with gateway.opened():
            yield

    # No generated documentation pages: their templates load scripts from foreign servers.
    app = FastAPI(
        title="社会救助枢纽网关 / Assistance hub gateway",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.gateway = gateway
    problems.register(app)
    _faults(app)
    app.middleware("http")(_measured)
    for part in (service, intakes, inboxes, replies, heartbeats, lookups, forms, screens, pages):
        app.include_router(part if isinstance(part, APIRouter) else part.router)
    return app


@service.get("/health")
async def health() -> JSONResponse:
    """200 while the event loop turns."""
    return JSONResponse({"status": "ok"})


@service.get("/ready")
async def ready(gateway: Context) -> JSONResponse:
    """200 while records can be taken: broker and database answer."""
    try:
        database = await gateway.pool.fetchval("SELECT 1", timeout=3) == 1
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        database = False
    found = {"broker": gateway.broker.ready, "database": database}
    return JSONResponse(found, 200 if all(found.values()) else 503)


@service.get("/metrics", include_in_schema=False)
async def metrics(gateway: Context) -> Response:
    """Prometheus text."""
    return Response(gateway.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


async def _measured(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    started = time.perf_counter()
    answer = await call_next(request)
    gateway: Gateway = request.app.state.gateway
    route = request.scope.get("route")
    path = getattr(route, "path", "other")
    gateway.metrics.seconds.labels(path).observe(time.perf_counter() - started)
    if answer.status_code >= 400:
        gateway.metrics.rejected.labels(str(answer.status_code)).inc()
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    return answer


def _faults(app: FastAPI) -> None:
    for kind in (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        app.add_exception_handler(kind, _unavailable)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(LoginError, _login)


async def _unavailable(_request: Request, error: Exception) -> Response:
    if not is_fault(error):
        raise error
    headers = {"Retry-After": "5"}
    return response_of(ProblemError(503, "数据库暂不可用", "The database is away", headers=headers))


async def _invalid(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    # The place only: pydantic's text would quote what was sent.
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:])
    if first["type"] == "json_invalid":
        return response_of(ProblemError(400, code="E-JSON"))
    return response_of(ProblemError(422, code="E-FIELD-TYPE", field=place))


async def _login(_request: Request, error: Exception) -> Response:
    return RedirectResponse(error.place if isinstance(error, LoginError) else "/login", 303)
