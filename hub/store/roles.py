"""Roles: accounts of the database with just the rights that a process needs.

The sampler's role reads counters, states and instants and writes pictures, their history and
alerts. It cannot read a person, a fact, a copy's content or an account's password, and no statement
of it runs for long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

SAMPLER = "hub_sampler"
_STATEMENT_MS = 2_000
_CONNECTIONS = 8

READ: Mapping[str, tuple[str, ...]] = {
    "partition_claim": (),
    "subscription": (),
    "lease": (),
    "alarm": (),
    "connector_heartbeat": (),
    "maintenance": (),
    "migration": (),
    "alert_rule": (),
    "alert_channel": (),
    "outbox": ("subscription", "created_at"),
    "delivery": (
        "subscription", "generation", "seq", "state", "created_at", "occurred_at", "moved_at",
        "done_at", "referral_id",
    ),
    "dead_letter": ("code", "source", "state", "first_failed_at", "failed_at"),
    "referral": ("state", "due_at", "opened_at", "history"),
    "task": ("closed_at", "due_at"),
    "case_file": ("closed_at",),
    "seen_event": ("event_id", "at"),
}  # fmt: skip
"""Table → columns that may be read; none named: all of them."""
WRITE = ("picture", "series", "alert", "alert_mute", "alert_notice")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def statements(name: str = SAMPLER) -> Iterator[str]:
    """The statements that give a role its rights; running them again changes nothing.

    Args:
        name: Of the role, which exists already with its own password.

    Raises:
        ValueError: no name of a role.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(name)
    yield f"ALTER ROLE {name} SET statement_timeout = {_STATEMENT_MS}"
    yield f"ALTER ROLE {name} CONNECTION LIMIT {_CONNECTIONS}"
    yield f"GRANT pg_read_all_stats TO {name}"
    yield f"GRANT USAGE ON SCHEMA public TO {name}"
    for table, columns in READ.items():
        named = f" ({', '.join(columns)})" if columns else ""
        yield f"GRANT SELECT{named} ON {table} TO {name}"
    for table in WRITE:
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {name}"
