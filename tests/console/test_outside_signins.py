"""Signing in by an OpenID Connect service, a real provider of one test."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from hub.console.identities import Attempt, IdentityError, Issuer
from hub.kernel.errors import ConfigurationError
from hub.store import accounts
from hub.store.connections import close, connect
from tests.console.conftest import Rig

SUB = "zhang@city.example"


class Provider(NamedTuple):
    """The console with a sign-in service."""

    rig: Rig
    issuer: str

    async def agreed(self, place: str) -> str:
        """Where the service sends the browser after its person agreed there."""
        async with httpx.AsyncClient() as browser:
            answer = await browser.post(place, data={"sub": SUB})
            assert answer.status_code in {302, 303}, answer.text[:400]
            return answer.headers["location"]

    async def account(self) -> None:
        """An account of the service's person."""
        connection = await connect(self.rig.database)
        await accounts.add(
            connection, "zhang", shown="张", role="viewer", subject=f"{self.issuer}|{SUB}",
            by="test", now=0,
        )  # fmt: skip
        await close(connection)


@pytest.fixture
async def provider(rig: Rig, tmp_path: Path) -> AsyncIterator[Provider]:
    """A service that demands a nonce and the client's secret."""
    secret = tmp_path / "oidc"
    secret.write_text("a-secret\n")
    with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
        issuer = f"http://localhost:{server.server_port}"
        rig.console.settings = rig.settings.model_copy(
            update={
                "console_oidc_issuer": issuer,
                "console_oidc_client": "hub-console",
                "console_oidc_secret": secret,
            }
        )
        yield Provider(rig, issuer)


async def test_a_person_of_the_service_signs_in_and_reaches_the_page_wanted(
    provider: Provider,
) -> None:
    await provider.account()
    browser = provider.rig.client()
    assert "/sign-in/outside?next=" in (await browser.get("/sign-in")).text
    left = await browser.get("/sign-in/outside", params={"next": "/me"})
    asked = parse_qs(urlsplit(left.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["nonce"][0]) > 40
    back = await browser.get(await provider.agreed(left.headers["location"]))
    assert back.headers["location"] == "/me"
    assert "张" in (await browser.get("/me")).text
    rows = await provider.rig.fetch("SELECT kind, actor FROM audit")
    assert [tuple(row) for row in rows] == [("sign_in", "zhang")]


async def test_somebody_without_an_account_is_told_what_to_tell_an_administrator(
    provider: Provider,
) -> None:
    browser = provider.rig.client()
    left = await browser.get("/sign-in/outside")
    answer = await browser.get(await provider.agreed(left.headers["location"]))
    assert answer.status_code == 403
    assert f"{provider.issuer}|{SUB}" in answer.text
    assert "hub_console" not in browser.cookies
    await provider.account()
    connection = await connect(provider.rig.database)
    await accounts.change(connection, "zhang", disabled_at=1)
    await close(connection)
    left = await browser.get("/sign-in/outside")
    answer = await browser.get(await provider.agreed(left.headers["location"]))
    assert answer.status_code == 403


async def test_an_answer_meant_for_another_browser_or_used_twice_opens_nothing(
    provider: Provider,
) -> None:
    await provider.account()
    browser, other = provider.rig.client(), provider.rig.client()
    left = await browser.get("/sign-in/outside")
    back = await provider.agreed(left.headers["location"])
    assert (await other.get(back)).status_code == 401
    await other.get("/sign-in/outside")
    assert (await other.get(back)).status_code == 401
    forged = re.sub(r"code=[^&]+", "code=forged", back)
    assert (await browser.get(forged)).status_code == 401
    assert (await browser.get(back)).status_code == 401
    assert "hub_console" not in browser.cookies


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "other"}, {"aud": "somebody-else"}, {"iss": "https://other.example"},
        {"exp": 1}, {"sub": None}, {"nonce": None},
    ],
)  # fmt: skip
def test_an_id_token_that_is_not_for_this_attempt_proves_nothing(
    rig: Rig, change: dict[str, object]
) -> None:
    issuer, key = _issuer(rig), RSAKey.generate_key(2048, {"kid": "1"})
    right = {
        "iss": issuer.name, "aud": "hub-console", "sub": "x", "nonce": "n", "iat": 1,
        "exp": 4_102_444_800,
    }  # fmt: skip
    keys = KeySet([key]).as_dict(private=False)
    assert _proven(issuer, jwt.encode({"alg": "RS256", "kid": "1"}, right, key), keys) == "x"
    wrong = {k: v for k, v in (right | change).items() if v is not None}
    token = jwt.encode({"alg": "RS256", "kid": "1"}, wrong, key)
    with pytest.raises(IdentityError):
        _proven(issuer, token, keys)


def test_a_token_of_another_key_of_a_shared_secret_or_without_signature_proves_nothing(
    rig: Rig,
) -> None:
    issuer, key = _issuer(rig), RSAKey.generate_key(2048, {"kid": "1"})
    claims = {
        "iss": issuer.name, "aud": "hub-console", "sub": "x", "nonce": "n", "iat": 1,
        "exp": 4_102_444_800,
    }  # fmt: skip
    keys = KeySet([key]).as_dict(private=False)
    other = RSAKey.generate_key(2048, {"kid": "1"})
    shared = OctKey.generate_key(256, {"kid": "1"})
    none = "eyJhbGciOiJub25lIn0.e30."
    for token in (
        jwt.encode({"alg": "RS256", "kid": "1"}, claims, other),
        jwt.encode({"alg": "HS256", "kid": "1"}, claims, shared),
        none,
        "",
    ):
        with pytest.raises(IdentityError):
            _proven(issuer, token, keys)


def test_a_service_in_clear_text_elsewhere_is_refused(rig: Rig) -> None:
    settings = rig.settings.model_copy(update={"console_oidc_issuer": "http://sso.example"})
    with pytest.raises(ConfigurationError):
        Issuer(settings)


def _issuer(rig: Rig) -> Issuer:
    return Issuer(
        rig.settings.model_copy(
            update={
                "console_oidc_issuer": "https://sso.example",
                "console_oidc_client": "hub-console",
            }
        )
    )


def _proven(issuer: Issuer, token: str, keys: object) -> str:
    return issuer.verified(token, keys, Attempt("s", "n", "v", "/").nonce)
