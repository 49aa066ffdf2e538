"""Accounts: people of the console, and their sessions. No password and no token in clear."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

Executor = asyncpg.Connection | asyncpg.Pool


class Account(msgspec.Struct, frozen=True):
    """One person's account.

    Attributes:
        id: What the person signs in with.
        name: Shown on screen.
        role: See the console's table of roles.
        scope: Connector or program of a scoped role.
        extra: Further permissions.
        password: argon2 hash; None: signs in elsewhere (OIDC).
        totp: Secret of the second factor; None: none.
        totp_step: The last time step used, so that a code works once.
        subject: ``issuer|subject`` of the sign-in service.
        failures: Wrong passwords since the last right one.
        locked_until: ms since 1970.
        disabled_at: ms since 1970.
        created_at: ms since 1970.
        last_seen_at: ms since 1970.
    """

    id: str
    name: str
    role: str
    scope: str | None
    extra: tuple[str, ...]
    password: str | None
    totp: bytes | None
    totp_step: int
    subject: str | None
    failures: int
    locked_until: int
    disabled_at: int | None
    created_at: int
    last_seen_at: int | None


class Visit(msgspec.Struct, frozen=True):
    """An open session with its account."""

    account: Account
    csrf: str
    opened_at: int
    seen_at: int


_COLUMNS = (
    "id, name, role, scope, extra, password, totp, totp_step, subject, failures, locked_until,"
    " disabled_at, created_at, last_seen_at"
)


def _account(row: Any) -> Account:
    values = dict(row)
    return Account(**{**values, "extra": tuple(values["extra"])})


async def add(
    executor: Executor,
    name: str,
    *,
    shown: str,
    role: str,
    scope: str | None = None,
    extra: tuple[str, ...] = (),
    password: str | None = None,
    subject: str | None = None,
    by: str,
    now: int,
) -> bool:
    """Make an account.

    Returns:
        Whether it is new; False: the name or the outside subject is taken.
    """
    tag = await executor.execute(
        "INSERT INTO account (id, name, role, scope, extra, password, subject, created_at,"
        " created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        name, shown, role, scope, list(extra), password, subject, now, by,
    )  # fmt: skip
    return str(tag).endswith("1")


async def one(executor: Executor, name: str) -> Account | None:
    """An account by what its person signs in with."""
    row = await executor.fetchrow(
        f"SELECT {_COLUMNS} FROM account WHERE id = $1",  # noqa: S608 - column names only
        name,
    )
    return _account(row) if row else None


async def by_subject(executor: Executor, subject: str) -> Account | None:
    """An account by ``issuer|subject``."""
    row = await executor.fetchrow(
        f"SELECT {_COLUMNS} FROM account WHERE subject = $1",  # noqa: S608 - as above
        subject,
    )
    return _account(row) if row else None


async def every(executor: Executor) -> list[Account]:
    """All accounts by id."""
    rows = await executor.fetch(
        f"SELECT {_COLUMNS} FROM account ORDER BY id"  # noqa: S608 - as above
    )
    return [_account(row) for row in rows]


async def change(executor: Executor, name: str, **values: Any) -> bool:
    """Set columns of an account; closes its sessions where its rights or password changed.

    Returns:
        Whether there is such an account.
    """
    known = {"name", "role", "scope", "extra", "password", "totp", "disabled_at", "locked_until"}
    if not values.keys() <= known:
        raise KeyError(*sorted(values.keys() - known))
    sets = ", ".join(f"{column} = ${at}" for at, column in enumerate(values, 2))
    row = await executor.fetchval(
        "WITH changed AS (UPDATE account SET "  # noqa: S608 - names of the list above
        + sets
        + ", failures = 0 WHERE id = $1 RETURNING id),"
        " ended AS (DELETE FROM console_session WHERE account IN (SELECT id FROM changed)"
        " RETURNING 1) SELECT (SELECT id FROM changed)",
        name,
        *values.values(),
    )
    return row is not None


async def failed(executor: Executor, name: str, *, most: int, locked_until: int) -> None:
    """Count a wrong password; lock the account when there were too many in a row."""
    await executor.execute(
        "UPDATE account SET failures = failures + 1,"
        " locked_until = CASE WHEN failures + 1 >= $2 THEN $3 ELSE locked_until END WHERE id = $1",
        name,
        most,
        locked_until,
    )


async def passed(executor: Executor, name: str, *, step: int, now: int) -> bool:
    """Note a right sign-in.

    Args:
        executor: Pool or connection.
        name: The account.
        step: Time step of the code used; 0: no code. A step works once.
        now: ms since 1970.

    Returns:
        Whether the step was still unused.
    """
    tag = await executor.execute(
        "UPDATE account SET failures = 0, locked_until = 0, last_seen_at = $3,"
        " totp_step = greatest(totp_step, $2) WHERE id = $1 AND ($2 = 0 OR totp_step < $2)",
        name,
        step,
        now,
    )
    return str(tag).endswith("1")


async def open_session(
    executor: Executor, digest: bytes, account: str, csrf: str, *, now: int, until: int
) -> None:
    """Put a session on record; the token itself is kept by the browser only."""
    await executor.execute(
        "INSERT INTO console_session (digest, account, csrf, opened_at, seen_at, until)"
        " VALUES ($1, $2, $3, $4, $4, $5)",
        digest,
        account,
        csrf,
        now,
        until,
    )


async def visit(executor: Executor, digest: bytes, *, now: int, idle: int) -> Visit | None:
    """The open session of a token; one that idled too long or belongs to nobody is none."""
    row = await executor.fetchrow(
        f"SELECT {_COLUMNS}, s.csrf, s.opened_at, s.seen_at FROM console_session s"  # noqa: S608
        " JOIN account a ON a.id = s.account"
        " WHERE s.digest = $1 AND s.until > $2 AND s.seen_at > $2 - $3 AND a.disabled_at IS NULL",
        digest,
        now,
        idle,
    )
    if row is None:
        return None
    values = dict(row)
    csrf, opened_at, seen_at = (values.pop(name) for name in ("csrf", "opened_at", "seen_at"))
    return Visit(_account(values), csrf, opened_at, seen_at)


async def seen(executor: Executor, digest: bytes, *, now: int) -> None:
    """Note that a session is in use; called at most once a minute."""
    await executor.execute("UPDATE console_session SET seen_at = $2 WHERE digest = $1", digest, now)


async def close_session(executor: Executor, digest: bytes) -> None:
    """End a session."""
    await executor.execute("DELETE FROM console_session WHERE digest = $1", digest)


async def forget_sessions(executor: Executor, *, now: int) -> None:
    """Remove sessions that are over."""
    await executor.execute("DELETE FROM console_session WHERE until <= $1", now)
