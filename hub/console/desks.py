"""Desks: what an operator's act works with, for the length of one request or one run."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg

from hub.console.contexts import Console
from hub.console.languages import mark
from hub.kernel.secrets import NAMES, Secrets
from hub.kernel.settings import Settings
from hub.runtime.originals import Log, log
from hub.runtime.wiring import wire
from hub.runtime.wirings import Wiring
from hub.store.connections import close, connect

_LONG = re.compile(r"[0-9]{6}")
LEAST = 4
"""Characters of a reason."""


class Desk(NamedTuple):
    """Database, broker and settings."""

    connection: asyncpg.Connection
    log: Log
    settings: Settings


@asynccontextmanager
async def desk(console: Console) -> AsyncIterator[Desk]:
    """A connection of one's own and a reader of the log.

    Raises:
        KafkaError: the broker cannot be reached.
    """
    chosen = console.settings.model_copy(
        update={"kafka": console.kafka, "database": console.database}
    )
    connection = await connect(console.database, enable_seqscan="on")
    try:
        async with log(console.kafka) as reader:
            yield Desk(connection, reader, chosen)
    finally:
        await close(connection)


def wired(settings: Settings) -> Wiring:
    """The hub of the profile in force; needs its secrets.

    Raises:
        ConfigurationError: a secret is missing.
    """
    return wire(settings, Secrets.load(settings, NAMES))


def reason_problem(reason: str) -> str:
    """What is wrong with a reason; empty: nothing. It is kept in the audit."""
    if len(reason.strip()) < LEAST:
        return mark("Say why: the reason is kept on record.")
    if _LONG.search(reason):
        return mark("Write no long number into a reason: it is kept on record.")
    return ""
