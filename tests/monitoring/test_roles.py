"""The sampler works as a role that can read figures and no person."""

from __future__ import annotations

import asyncpg
import pytest

from hub.kernel.settings import Settings
from hub.monitoring.alert_rules import in_force
from hub.monitoring.alerts import Seen, dead
from hub.runtime.alerting import judge
from hub.store import alert_notices, alerts
from hub.store.connections import close, connect
from hub.store.roles import statements
from tests.monitoring.test_samplers import _pictures, site

__all__ = ["site"]
ROLE = "hub_sampler_test"


async def test_the_sampler_needs_no_more_than_its_role_may(site: Settings) -> None:
    db = await connect(site.database)
    await db.execute(f"DROP ROLE IF EXISTS {ROLE}")
    await db.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'p'")
    try:
        for statement in (*statements(ROLE), *statements(ROLE)):
            await db.execute(statement)
        own = site.database.replace("postgres@", f"{ROLE}:p@")
        (picture, *_) = await _pictures(site.model_copy(update={"database": own}), 1)
        assert picture.failed == {}
        judging = await connect(own)
        await judge(judging, Seen([dead(1)], 1), in_force({}), lambda _f: ("死", "dead"))
        assert await alert_notices.take(judging, 1) == []
        for table in (alerts, alert_notices):
            await table.forget(judging, 1)
        await close(judging)
        limited = await asyncpg.connect(own)
        assert await limited.fetchval("SHOW statement_timeout") == "2s"
        for table in ("person", "household", "account", "audit"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await limited.fetch(f"SELECT * FROM {table}")  # noqa: S608 - names of this test
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await limited.fetch("SELECT body FROM delivery")
        await limited.close()
    finally:
        await db.execute(f"DROP OWNED BY {ROLE}")
        await db.execute(f"DROP ROLE {ROLE}")
        await close(db)


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="x; DROP"):
        list(statements("x; DROP TABLE person"))
