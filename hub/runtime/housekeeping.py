"""Housekeeping: periodic jobs, each run by one worker at a time."""

from __future__ import annotations

from uuid import uuid4

import structlog

from hub.kernel.clocks import clock_from, epoch_ms
from hub.kernel.settings import Settings
from hub.runtime.stages import is_known_fault
from hub.store import attempts, leases, seen, worker_events
from hub.store.connections import close, connect

log = structlog.get_logger(__name__)
JOB = "job/housekeeping"


async def keep_house(settings: Settings) -> bool:
    """Make and drop months of seen events, forget leases that ran out and old worker events.

    Returns:
        Whether it was this process's turn.
    """
    clock = clock_from(settings.clock, synthetic_people=settings.synthetic_people)
    owner = leases.owner_name(uuid4().hex[:6])
    connection = None
    try:
        connection = await connect(settings.database)
        if not await leases.acquire(connection, JOB, owner, 600):
            return False
        await seen.keep_months(connection, clock.now())
        await leases.forget(connection)
        await attempts.forget(connection, now=epoch_ms(clock.now()))
        await worker_events.forget(connection, now=epoch_ms(clock.now()))
        await leases.release(connection, JOB, owner)
    except Exception as error:
        # The next turn does what this one could not.
        if not is_known_fault(error):
            raise
        return False
    finally:
        await close(connection)
    return True
