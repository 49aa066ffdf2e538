"""Assets: style, script, icon and the two libraries, out of the package, cached for ever."""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

_TYPES = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "charts.js": "text/javascript; charset=utf-8",
    "console.svg": "image/svg+xml",
    "vendor/htmx.min.js": "text/javascript; charset=utf-8",
    "vendor/echarts.common.min.js": "text/javascript; charset=utf-8",
}
_YEAR = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


class Asset(NamedTuple):
    """A file as it is served."""

    plain: bytes
    packed: bytes
    digest: str


@cache
def asset(name: str) -> Asset:
    """A file of the package.

    Raises:
        KeyError: there is none of that name.
    """
    if name not in _TYPES:
        raise KeyError(name)
    plain = (files("hub.console") / "static" / name).read_bytes()
    return Asset(plain, gzip.compress(plain, 9, mtime=0), sha256(plain).hexdigest()[:12])


def address(name: str) -> str:
    """The address of a file; it changes with the content, so that browsers may keep it."""
    return f"/static/{asset(name).digest}/{name}"


@router.get("/static/{digest}/{name:path}")
async def static(digest: str, name: str, request: Request) -> Response:
    """A file; an address of an earlier release leads to the present one."""
    try:
        found = asset(name)
    except KeyError:
        return Response(status_code=404)
    if digest != found.digest:
        return RedirectResponse(address(name), 302)
    headers = {
        "Cache-Control": _YEAR,
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    body = found.plain
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = found.packed
    return Response(body, media_type=_TYPES[name], headers=headers)


@router.get("/favicon.ico")
async def icon() -> RedirectResponse:
    """Browsers ask here whatever the page says."""
    return RedirectResponse(address("console.svg"), 302)
