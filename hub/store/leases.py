"""Leases: worker slots and periodic jobs, each held by one process at a time.

Leases run on the database's clock: a test clock that jumps a quarter ahead must not make every
worker lose its slot.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

import asyncpg

HELD_SECONDS = 10.0
SLOTS = 64


@cache
def _machine() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{socket.gethostname()}/{boot.read_text().strip()[:8] if boot.exists() else ''}"


def owner_name(extra: str = "") -> str:
    """Who holds a lease: machine, process and, for several in one process, a mark."""
    return f"{_machine()}:{os.getpid()}:{extra}"


def is_dead(owner: str) -> bool:
    """Whether the holder was a process of this machine and is gone."""
    machine, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    return machine == _machine() and pid.isdigit() and not Path(f"/proc/{pid}").exists()


async def acquire(
    connection: asyncpg.Connection, name: str, owner: str, seconds: float = HELD_SECONDS
) -> bool:
    """Take or renew a lease; a holder on this machine whose process is gone is passed over."""
    held = await connection.fetchval(
        "SELECT owner FROM lease WHERE name = $1 AND until > clock_timestamp()", name
    )
    gone = held if held is not None and is_dead(held) else owner
    got = await connection.fetchval(
        "INSERT INTO lease AS l (name, owner, epoch, until)"
        " VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))"
        " ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until,"
        " epoch = l.epoch + (l.owner <> excluded.owner)::int"
        " WHERE l.owner IN ($2, $4) OR l.until <= clock_timestamp() RETURNING epoch",
        name,
        owner,
        seconds,
        gone,
    )
    return got is not None


async def release(connection: asyncpg.Connection, name: str, owner: str) -> None:
    """Give a lease back."""
    await connection.execute("DELETE FROM lease WHERE name = $1 AND owner = $2", name, owner)


async def acquire_slot(connection: asyncpg.Connection, owner: str) -> int | None:
    """The lowest free worker slot, leased; None when all are taken."""
    for slot in range(SLOTS):
        if await acquire(connection, f"slot/{slot}", owner):
            return slot
    return None


async def living(connection: asyncpg.Connection) -> list[str]:
    """Owners of worker slots, as far as they are not known to be gone."""
    rows = await connection.fetch(
        "SELECT owner FROM lease WHERE starts_with(name, 'slot/') AND until > clock_timestamp()"
    )
    return [row[0] for row in rows if not is_dead(row[0])]


async def holders(connection: asyncpg.Connection, prefix: str) -> int:
    """How many live leases have a name with this beginning; dead processes do not count."""
    rows = await connection.fetch(
        "SELECT owner FROM lease WHERE starts_with(name, $1) AND until > clock_timestamp()",
        prefix,
    )
    return sum(not is_dead(row[0]) for row in rows)


async def forget(connection: asyncpg.Connection) -> None:
    """Drop leases that ran out a day ago."""
    await connection.execute("DELETE FROM lease WHERE until < clock_timestamp() - interval '1 day'")
