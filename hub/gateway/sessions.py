"""Sessions: signed cookies for people at a browser, tokens of forms, one-time links.

Nothing is kept on the server but which links were used; a key that is revoked ends its
sessions, because every request looks it up again.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Callable
from typing import NamedTuple

import orjson

from hub.gateway.keys import Holder, Principal
from hub.kernel.macs import Mac

COOKIE = "hub_session"
SESSION_MS = 8 * 3_600_000
LINK_MS = 10 * 60_000


class Session(NamedTuple):
    """Somebody at a browser."""

    holder: Holder
    nonce: str
    until: int
    """ms since 1970."""


class Sessions:
    """Makes and reads cookies, form tokens and links.

    Args:
        secret: ``K_session``.
        now: Tells ms since 1970.
    """

    def __init__(self, secret: bytes, now: Callable[[], int]) -> None:
        self._cookies = Mac(secret, b"session|")
        self._forms = Mac(secret, b"form|")
        self._links = Mac(secret, b"link|")
        self._now = now
        self._used: dict[str, int] = {}

    def cookie(self, holder: Holder) -> str:
        """A new session as the cookie's value."""
        return self._signed(self._cookies, holder, self._now() + SESSION_MS)

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie; None: forged, damaged or over."""
        return self._opened(self._cookies, cookie)

    def form_token(self, session: Session, path: str) -> str:
        """The token that a form of this session and path must carry (CSRF)."""
        return self._forms.digest(f"{session.nonce}|{path}".encode()).hex()

    def is_form_token(self, session: Session, path: str, token: str) -> bool:
        """Whether a form's token is the right one; compared in constant time."""
        return hmac.compare_digest(self.form_token(session, path).encode(), token.encode())

    def link(self, holder: Holder) -> str:
        """A ticket that opens one session within ten minutes."""
        return self._signed(self._links, holder, self._now() + LINK_MS)

    def redeem(self, ticket: str) -> Holder | None:
        """Who a ticket is for; None: forged, over, or used before."""
        session = self._opened(self._links, ticket)
        if session is None or session.nonce in self._used:
            return None
        now = self._now()
        self._used = {nonce: until for nonce, until in self._used.items() if until > now}
        self._used[session.nonce] = session.until
        return session.holder

    def _signed(self, mac: Mac, holder: Holder, until: int) -> str:
        principal, key_id = holder
        body = orjson.dumps([str(principal), key_id, secrets.token_hex(12), until])
        return f"{_text(body)}.{_text(mac.digest(body))}"

    def _opened(self, mac: Mac, text: str) -> Session | None:
        head, _, tail = text.partition(".")
        try:
            body, shown = _bytes(head), _bytes(tail)
        except ValueError:
            return None
        if not hmac.compare_digest(mac.digest(body), shown):
            return None
        principal, key_id, nonce, until = orjson.loads(body)
        if until <= self._now():
            return None
        return Session(Holder(Principal.parse(principal), key_id), nonce, until)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
