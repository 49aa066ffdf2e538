"""Principals: a request's key or session, checked against what it wants to do."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request

from hub.gateway.contexts import Gateway
from hub.gateway.keys import Holder
from hub.gateway.problems import ProblemError
from hub.gateway.rates import Verdict
from hub.gateway.sessions import COOKIE, Session

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="hub"'}


class LoginError(Exception):
    """A person must log in first; ``then`` is the page they wanted."""

    def __init__(self, then: str) -> None:
        super().__init__(then)
        self.then = then

    @property
    def place(self) -> str:
        """The login page that leads on to the page wanted."""
        return f"/login?next={quote(self.then)}"


async def bearer(request: Request, gateway: Gateway) -> Holder:
    """The holder of the request's key, with one request taken from its bucket.

    Raises:
        ProblemError: 401 without a valid key, 429 over the rate.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    holder = None
    if scheme.lower() == "bearer" and token:
        holder = await gateway.keys.holder(token.strip(), now=gateway.now())
    if holder is None:
        raise ProblemError(401, headers=_CHALLENGE)
    verdict = gateway.buckets.take(str(holder.principal))
    request.state.rate = verdict
    if not verdict.allowed:
        raise ProblemError(429, headers=verdict.headers())
    return holder


async def of_kind(request: Request, gateway: Gateway, kind: str, name: str) -> Holder:
    """The holder of a key, who must be the one department or program named.

    Raises:
        ProblemError: 401, 429, or 403 for somebody else's key.
    """
    holder = await bearer(request, gateway)
    if holder.principal != (kind, name):
        raise ProblemError(
            403,
            f"密钥属于 {holder.principal},此处只接受 {kind}:{name}",
            f"The key belongs to {holder.principal}; only {kind}:{name} may do this",
            code="E-SENDER",
        )
    return holder


async def session_of(request: Request, gateway: Gateway) -> Session | None:
    """The session of a browser whose key is still in force."""
    cookie = request.cookies.get(COOKIE)
    session = gateway.sessions.read(cookie) if cookie else None
    if session and await gateway.keys.is_live(session.holder, now=gateway.now()):
        return session
    return None


async def operator(request: Request, gateway: Gateway) -> Holder:
    """An operator, by key or session.

    Raises:
        LoginError: a browser without a session.
        ProblemError: 401 or 403 for a program.
    """
    if "authorization" in request.headers:
        holder = await bearer(request, gateway)
    else:
        session = await session_of(request, gateway)
        if session is None:
            if wants_html(request):
                raise LoginError(request.url.path)
            raise ProblemError(401, headers=_CHALLENGE)
        holder = session.holder
    if holder.principal.kind != "operator":
        raise ProblemError(
            403, "此页面供运维人员使用", "This page is for operators; use an operator's key"
        )
    return holder


def wants_html(request: Request) -> bool:
    """Whether the caller is a browser that wants a page."""
    return "text/html" in request.headers.get("accept", "")


def rate_headers(request: Request) -> dict[str, str]:
    """Headers that tell what is left of the caller's rate."""
    verdict: Verdict | None = getattr(request.state, "rate", None)
    return verdict.headers() if verdict else {}


def within_quota(request: Request, gateway: Gateway, holder: Holder, records: int) -> None:
    """Take records from the holder's quota; the answer tells whichever of its limits is nearer.

    Raises:
        ProblemError: 429.
    """
    verdict = gateway.records.take(str(holder.principal), count=records)
    if not verdict.allowed:
        raise ProblemError(429, headers=verdict.headers())
    before: Verdict | None = getattr(request.state, "rate", None)
    if before is None or verdict.remaining < before.remaining:
        request.state.rate = verdict
