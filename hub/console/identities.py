"""Identities: what an OpenID Connect service says of somebody, verified before it is believed.

Authorization code with PKCE and a nonce; the service's answer counts only if its ID token carries
the service's signature, this console as audience, and the nonce of this browser.
"""

from __future__ import annotations

import secrets
import time
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hub.kernel.errors import ConfigurationError
from hub.kernel.settings import Settings

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
"""Signatures by a key pair; a shared secret or none at all is refused."""
_SECONDS = 10.0
_LEEWAY = 60


class IdentityError(Exception):
    """The service cannot be reached, or what it says is not proven."""


class Attempt(NamedTuple):
    """One sign-in under way, kept by the browser alone.

    Attributes:
        state: Ties the answer to this browser.
        nonce: Ties the ID token to this attempt.
        verifier: Proves that who redeems the code asked for it.
        then: The page wanted.
    """

    state: str
    nonce: str
    verifier: str
    then: str

    @classmethod
    def new(cls, then: str) -> Attempt:
        """A fresh one."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, then)


class Issuer:
    """The service named in the settings.

    Args:
        settings: Name issuer, client and the file of its secret.

    Raises:
        ConfigurationError: its address is not HTTPS and not of this machine.
    """

    def __init__(self, settings: Settings) -> None:
        self.name = settings.console_oidc_issuer.rstrip("/")
        self._client = settings.console_oidc_client
        place = urlsplit(self.name)
        if place.scheme != "https" and place.hostname not in {"127.0.0.1", "::1", "localhost"}:
            raise ConfigurationError(
                "The sign-in service is not reached by HTTPS.",
                hint="Set HUB_CONSOLE_OIDC_ISSUER to an https address.",
                message_zh="统一登录服务未使用 HTTPS;"
                "请将 HUB_CONSOLE_OIDC_ISSUER 设为 https 地址。",
            )
        self._secret = ""
        if settings.console_oidc_secret:
            self._secret = settings.console_oidc_secret.read_text(encoding="utf-8").strip()

    async def address(self, attempt: Attempt, back: str) -> str:
        """Where the browser is sent.

        Raises:
            IdentityError: the service cannot be reached or is another one.
        """
        async with _client() as client:
            described = await self._described(client)
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._client,
                "redirect_uri": back,
                "scope": "openid profile",
                "state": attempt.state,
                "nonce": attempt.nonce,
                "code_challenge": create_s256_code_challenge(attempt.verifier),
                "code_challenge_method": "S256",
            }
        )
        return f"{described['authorization_endpoint']}?{query}"

    async def subject(self, attempt: Attempt, code: str, back: str) -> str:
        """``issuer|subject`` of who signed in there.

        Raises:
            IdentityError: the code is not redeemed, or the ID token proves nothing.
        """
        async with _client() as client:
            described = await self._described(client)
            token = await self._redeemed(client, described["token_endpoint"], attempt, code, back)
            keys = await _json(client.build_request("GET", described["jwks_uri"]), client)
        return f"{self.name}|{self.verified(token, keys, attempt.nonce)}"

    async def _described(self, client: httpx.AsyncClient) -> dict[str, Any]:
        address = f"{self.name}/.well-known/openid-configuration"
        found = await _json(client.build_request("GET", address), client)
        if str(found.get("issuer", "")).rstrip("/") != self.name:
            raise IdentityError("another issuer")
        return found

    async def _redeemed(
        self, client: httpx.AsyncClient, address: str, attempt: Attempt, code: str, back: str
    ) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": attempt.verifier,
            "client_id": self._client,
        }
        request = client.build_request("POST", address, data=form)
        if self._secret:
            auth = httpx.BasicAuth(self._client, self._secret)
            request = next(auth.auth_flow(request))
        return str((await _json(request, client)).get("id_token", ""))

    def verified(self, token: str, keys: Any, nonce: str) -> str:
        """The subject of an ID token.

        Raises:
            IdentityError: it proves nothing.
        """
        try:
            decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                options={
                    "iss": {"essential": True, "values": [self.name, f"{self.name}/"]},
                    "aud": {"essential": True, "value": self._client},
                    "sub": {"essential": True},
                },
                params={"nonce": nonce, "client_id": self._client},
            )
            # The service's clock is the world's, not the hub's.
            claims.validate(now=int(time.time()), leeway=_LEEWAY)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise IdentityError(type(error).__name__) from None
        return str(claims["sub"])


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=_SECONDS)


async def _json(request: httpx.Request, client: httpx.AsyncClient) -> dict[str, Any]:
    try:
        answer = await client.send(request)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise IdentityError(type(error).__name__) from None
    return found
