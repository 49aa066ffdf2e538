"""Sign-ins: accounts of a measured console, each with its session, as people have them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from hub.console import passwords
from hub.kernel.errors import HubError
from hub.runtime.bench_grounds import Ground
from hub.store import accounts

PASSWORD = "correct-horse-battery"
_START_SECONDS = 30.0
_CONNECTIONS = 40


def address(here: Ground) -> str:
    """Of the console, without a slash at the end."""
    return f"http://127.0.0.1:{here.settings.console_port}"


async def account(here: Ground, role: str, scope: str | None = None) -> str:
    """Make an account of a role; its name is the role's."""
    await accounts.add(
        here.db, role, shown=role, role=role, scope=scope,
        password=passwords.hashed(PASSWORD), by="bench", now=0,
    )  # fmt: skip
    return role


@asynccontextmanager
async def signed_in(
    here: Ground, role: str = "operator", scope: str | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the session of a new account; waits for a console that is starting.

    Raises:
        HubError: the console refuses the account.
    """
    form = {"account": await account(here, role, scope), "password": PASSWORD}
    limits = httpx.Limits(max_connections=_CONNECTIONS)
    async with httpx.AsyncClient(
        base_url=address(here), timeout=30, trust_env=False, limits=limits
    ) as client:
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                answer = await client.post("/sign-in", data=form)
                break
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.2)
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise HubError(f"Sign-in to the console answered {answer.status_code}.")
        yield client
