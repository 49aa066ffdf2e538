"""Screens: templates in one of two languages, under a policy that lets nothing foreign in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from jinja2.ext import Extension

from hub.console import assets
from hub.console.figures import FILTERS
from hub.console.languages import CHINESE, LANGUAGES, translator
from hub.console.places import allowed
from hub.console.visitors import Visitor
from hub.kernel.clocks import from_epoch_ms

LANGUAGE_COOKIE = "hub_lang"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_EXTENSIONS: tuple[type[Extension] | str, ...] = ("jinja2.ext.do",)


@cache
def environment() -> Environment:
    """The templates' surroundings."""
    made = Environment(
        loader=PackageLoader("hub.console"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=list(_EXTENSIONS),
    )
    made.globals["static"] = assets.address
    made.filters.update(FILTERS)
    return made


def language(request: Request) -> str:
    """``zh`` or ``en``: the address, else the cookie, else Chinese."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen in LANGUAGES:
            return chosen
    return CHINESE


def fragment(name: str, chosen: str, values: Mapping[str, Any]) -> str:
    """A template as text.

    Templates write ``_('English text')`` for a text of their own and ``l(label)`` for a pair
    (Chinese, English) that the declarations give.
    """
    text_of = translator(chosen)
    return (
        environment()
        .get_template(name)
        .render(
            lang=chosen,
            _=text_of,
            translated=lambda given: _translated(given, text_of),
            l=lambda label: label[0] if chosen == CHINESE else label[1],
            **values,
        )
    )


def _translated(chart: Mapping[str, Any], text_of: Callable[[str], str]) -> dict[str, Any]:
    """A chart with the names of its series in the language of the page."""
    series = [{**one, "name": text_of(one["name"])} for one in chart["series"]]
    return {**chart, "series": series}


def page(
    request: Request,
    template: str,
    /,
    *,
    status: int = 200,
    visitor: Visitor | None = None,
    **values: Any,
) -> HTMLResponse:
    """A template as a page; htmx requests get the same page and take the part they want."""
    chosen = language(request)
    now: datetime = from_epoch_ms(request.app.state.console.now())
    text = fragment(
        template,
        chosen,
        {
            "path": request.url.path,
            "query": dict(request.query_params),
            "visitor": visitor,
            "navigation": allowed(visitor.permissions) if visitor else [],
            "now": now,
            "place": request.app.state.console.profile.head,
            **values,
        },
    )
    answer = HTMLResponse(text, status, headers=HEADERS)
    if request.query_params.get("lang") == chosen:
        answer.set_cookie(LANGUAGE_COOKIE, chosen, max_age=31_536_000, samesite="lax")
    return answer
