"""The console's app: routes, refusals, health."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from hub.console import (
    alert_channels,
    alert_pages,
    assets,
    audits,
    departments,
    incidents,
    journeys,
    lag_boards,
    late_matters,
    latency_boards,
    letters,
    live_pages,
    machines,
    maintenances,
    maps,
    offset_pages,
    operations,
    outside_signins,
    own_pages,
    parked_copies,
    people,
    person_searches,
    qualities,
    receivers,
    reconciliations,
    records,
    reject_boards,
    reports,
    schema_pages,
    signins,
    throughputs,
    topics,
    workers,
)
from hub.console.contexts import Console
from hub.console.languages import mark
from hub.console.screens import page
from hub.console.visitors import RefusedError, SignInError
from hub.kernel.errors import HubError
from hub.kernel.settings import Settings
from hub.store.connections import is_fault

_PARTS = (
    assets,
    signins,
    live_pages,
    maps,
    departments,
    receivers,
    lag_boards,
    throughputs,
    latency_boards,
    workers,
    machines,
    letters,
    operations,
    parked_copies,
    offset_pages,
    people,
    qualities,
    audits,
    alert_pages,
    alert_channels,
    topics,
    records,
    journeys,
    person_searches,
    schema_pages,
    outside_signins,
    late_matters,
    incidents,
    maintenances,
    reject_boards,
    reconciliations,
    reports,
    own_pages,
)
ROUTERS: tuple[APIRouter, ...] = tuple(part.router for part in _PARTS)


def create_app(settings: Settings, *, kafka: str, database: str) -> FastAPI:
    """The console as an ASGI app.

    Raises:
        ConfigurationError: a manifest or setting is wrong.
    """
    console = Console(settings, kafka, database)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with console.opened():
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, HubError):
                # A database that is away, or a key that is missing: the next start does it.
                await alert_channels.seal(console)
            yield

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.console = console
    for part in ROUTERS:
        app.include_router(part)
    app.add_api_route("/health", _health)
    app.add_exception_handler(SignInError, _sign_in)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(HTTPException, _missing)
    for kind in (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        app.add_exception_handler(kind, _unavailable)
    return app


async def _health() -> JSONResponse:
    """200 while the event loop turns."""
    return JSONResponse({"status": "ok"})


async def _sign_in(request: Request, error: Exception) -> Response:
    place = error.place if isinstance(error, SignInError) else "/sign-in"
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": place})
    return RedirectResponse(place, 303)


async def _refused(request: Request, _error: Exception) -> Response:
    return _problem(request, 403, mark("Your account may not do this."))


async def _missing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _problem(request, status, mark("There is no such page or thing."))


async def _unavailable(request: Request, error: Exception) -> Response:
    if not is_fault(error):
        raise error
    answer = _problem(request, 503, mark("The database is away; this page tries again."))
    answer.headers["Retry-After"] = "5"
    answer.headers["Refresh"] = "5"
    return answer


def _problem(request: Request, status: int, text: str) -> Response:
    return page(request, "problem.html", status=status, text=text)
