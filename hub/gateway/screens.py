"""Screens: templates in one of two languages, under a policy that lets nothing foreign in."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from hub.gateway.problems import ProblemError

router = APIRouter()

LANGUAGE_COOKIE = "hub_lang"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_STATIC = {
    "hub.css": "text/css; charset=utf-8",
    "hub.js": "text/javascript; charset=utf-8",
    "hub.svg": "image/svg+xml",
}


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("hub.gateway"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = lambda name: f"/static/{name}?v={_mark(name)}"
    made.globals["spark"] = spark
    made.filters["figure"] = figure
    return made


def language(request: Request) -> str:
    """``zh`` or ``en``: the address, else the cookie, else Chinese."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen in {"zh", "en"}:
            return chosen
    return "zh"


def page(
    request: Request,
    name: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """A template as a page.

    Templates write ``t(zh, en)`` for a text of their own and ``l(label)`` for a label of a
    document.
    """
    chosen = language(request)
    english = chosen == "en"
    text = (
        _environment()
        .get_template(name)
        .render(
            lang=chosen,
            path=request.url.path,
            t=lambda zh, en: en if english else zh,
            l=lambda label: label["en" if english else "zh"],
            **values,
        )
    )
    answer = HTMLResponse(text, status, headers=HEADERS | (headers or {}))
    if request.query_params.get("lang") == chosen:
        answer.set_cookie(LANGUAGE_COOKIE, chosen, max_age=31_536_000, samesite="lax")
    return answer


@router.get("/static/{name}", include_in_schema=False)
async def static(name: str) -> Response:
    """Style, script and icon, from the package itself."""
    if name not in _STATIC:
        raise ProblemError(404)
    headers = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return Response(_file(name), media_type=_STATIC[name], headers=headers)


@router.get("/favicon.ico", include_in_schema=False)
async def icon() -> RedirectResponse:
    """Browsers ask here whatever the page says."""
    return RedirectResponse("/static/hub.svg", 301)


def figure(value: float | None) -> str:
    """A count with thin groups, ``–`` where nothing is known."""
    if value is None:
        return "–"
    return f"{value:,.1f}" if isinstance(value, float) and value < 100 else f"{value:,.0f}"


def spark(steps: list[float]) -> Markup:
    """A small line of the last rates, drawn by attributes only (no inline style)."""
    if len(steps) < 2:
        return Markup("")
    top = max(*steps, 1.0)
    last = len(steps) - 1
    points = " ".join(
        f"{100 * place / last:.1f},{23 - 21 * step / top:.1f}" for place, step in enumerate(steps)
    )
    return Markup(  # noqa: S704 - figures only
        '<svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{points}"/></svg>'
    )


@cache
def _file(name: str) -> bytes:
    return (files("hub.gateway") / "static" / name).read_bytes()


@cache
def _mark(name: str) -> str:
    return sha256(_file(name)).hexdigest()[:8]
