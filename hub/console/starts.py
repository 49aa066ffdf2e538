"""Starts: where the first page leads."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from hub.console.places import allowed
from hub.console.visitors import Signed

router = APIRouter(include_in_schema=False)


@router.get("/")
async def start(visitor: Signed) -> Response:
    """The first page that somebody may open."""
    groups = allowed(visitor.permissions)
    return RedirectResponse(groups[0].places[0].path if groups else "/me", 303)
