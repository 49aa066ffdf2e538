"""Alerts of a real hub: judged beside the sampler, sent to real receivers, kept in PostgreSQL."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from starlette.responses import JSONResponse, Response

from hub.console.names import sentences
from hub.kernel.clocks import from_epoch_ms
from hub.kernel.settings import Settings
from hub.monitoring.alert_rules import Change
from hub.monitoring.alerts import Mute, Target
from hub.monitoring.channels import Channel
from hub.monitoring.messages import trial
from hub.monitoring.pictures import Picture, encode
from hub.runtime.alert_posts import send_due
from hub.runtime.alerting import Alerting
from hub.runtime.channel_secrets import ChannelSecrets
from hub.runtime.dead_men import DeadMan
from hub.runtime.sampler_pages import DEAD_MS, Exposition
from hub.runtime.sampler_services import sampling
from hub.store import alert_notices, alerts, pictures
from hub.store.connections import close, connect, pool
from hub.store.migrations import migrate
from tests.conftest import FreshDatabase
from tests.console.pictured import troubled
from tests.monitoring.receivers import receiver

NOW = 1_772_442_300_000
SECRETS = ChannelSecrets(Settings())  # type: ignore[call-arg]
MINUTE = 60_000


@pytest.fixture
async def database(fresh_database: FreshDatabase) -> str:
    dsn = await fresh_database()
    db = await connect(dsn)
    await migrate(db)
    await close(db)
    return dsn


async def until(found: Callable[[], Awaitable[Any]], seconds: float = 20) -> Any:
    async with asyncio.timeout(seconds):
        while not (value := await found()):  # noqa: ASYNC110 - it waits for another process's row
            await asyncio.sleep(0.05)
    return value


async def add(db: asyncpg.Connection, url: str, name: str = "hook", least: str = "bad") -> None:
    await alert_notices.keep(
        db, Channel(name, "webhook", url=url), Target(name, least), by="test", now=0
    )


class Site:
    """The alerting of one process with a clock of the test's own."""

    def __init__(self, dsn: str, settings: Settings) -> None:
        self.now, self._number = NOW, 0
        self.exposition = Exposition(lambda: self.now)
        self.alerting = Alerting(
            dsn, sentences(settings), self.exposition, lambda: self.now, ChannelSecrets(settings)
        )

    async def see(self, picture: Picture) -> None:
        """Show a picture and wait until it was judged."""
        self._number += 1
        picture.number = self._number
        await self.alerting.seen(picture)

        async def judged() -> bool:
            found = self.alerting._judged
            return found is not None and found.number == self._number

        await until(judged)


async def test_a_program_that_does_not_receive_is_told_once_and_its_end_too(
    database: str, tmp_path: Path
) -> None:
    db = await connect(database)
    stop = asyncio.Event()
    site = Site(database, Settings(data_dir=tmp_path))  # type: ignore[call-arg]
    async with receiver(lambda _n: Response()) as (url, posts), asyncio.TaskGroup() as group:
        await add(db, url)
        group.create_task(site.alerting.run(stop))
        for _ in range(4):
            await site.see(troubled(site.now))
            site.now += MINUTE
        assert site.exposition.alerts[("program-down", "bad")] == 1
        for _ in range(3):
            await site.see(Picture(1, site.now, 1, workers=troubled(site.now).workers))
            site.now += MINUTE

        async def both() -> bool:
            found = [p.body for p in posts if p.body["rule"] == "program-down"]
            return len(found) == 2

        await until(both)
        stop.set()
    said = [p.body for p in posts if p.body["rule"] == "program-down"]
    assert [one["what"] for one in said] == ["firing", "resolved"]
    assert "电费减免" in said[0]["zh"]["title"]
    assert site.exposition.alerts == {}
    assert {row.error for row in await alert_notices.latest(db)} == {""}
    history = await alerts.history(db)
    assert ("program-down", "") in {(alert.rule, by) for alert, by in history}
    await close(db)


async def test_a_channel_that_fails_delays_no_picture_and_no_other_channel_and_is_shown(
    database: str, tmp_path: Path
) -> None:
    db = await connect(database)
    stop = asyncio.Event()
    site = Site(database, Settings(data_dir=tmp_path))  # type: ignore[call-arg]
    async with (
        receiver(lambda n: Response(status_code=403 if n < 3 else 200)) as (broken, refused),
        receiver(lambda _n: Response()) as (url, posts),
        asyncio.TaskGroup() as group,
    ):
        await add(db, broken, "broken", "worst")
        await add(db, url, "good", "worst")
        group.create_task(site.alerting.run(stop))
        for _ in range(3):
            # No worker: worst.
            await site.see(Picture(1, site.now, 1))
            site.now += MINUTE

        async def arrived() -> bool:
            return bool(posts) and bool(refused)

        await until(arrived)

        async def noted() -> Any:
            return [row for row in await alert_notices.latest(db) if row.error == "HTTP 403"]

        (row,) = await until(noted)
        assert (row.channel, row.sent) == ("broken", None)

        async def sent() -> bool:
            site.now += 10_000
            return all(row.sent for row in await alert_notices.latest(db))

        await until(sent)
        stop.set()
    assert len(refused) == 3
    assert [post.body["kind"] for post in posts] == ["no_worker"]
    await close(db)


async def test_two_processes_send_a_notice_once(database: str) -> None:
    db = await connect(database)
    async with receiver(lambda _n: Response()) as (url, posts), await pool(database) as shared:
        await add(db, url)
        words = trial("王管理", from_epoch_ms(NOW))
        for _ in range(10):
            await alert_notices.post(db, None, words, ["hook"], now=NOW, due=NOW)
        await asyncio.gather(*(send_due(shared, lambda: NOW, SECRETS) for _ in range(4)))
    assert len(posts) == 10
    await close(db)


async def test_worker_and_gateway_tell_once_that_nobody_samples_and_that_somebody_does_again(
    database: str,
) -> None:
    db = await connect(database)
    now = [NOW]
    async with receiver(lambda _n: Response()) as (url, posts), await pool(database) as shared:
        await add(db, url)
        worker, gateway = (DeadMan(shared, lambda: now[0], SECRETS) for _ in range(2))
        assert not await worker.look()
        await pictures.write(db, 1, NOW, encode(Picture(1, NOW, 1)))
        now[0] += DEAD_MS
        await asyncio.gather(worker.look(), gateway.look())
        now[0] += 15_000
        assert await worker.look()
        (stands,) = await alerts.standing(db)
        assert stands.rule == "sampler-dead"
        await pictures.write(db, 2, now[0], encode(Picture(2, now[0], 1)))
        await asyncio.gather(worker.look(), gateway.look())
        assert await alerts.standing(db) == []
    assert [post.body["what"] for post in posts] == ["firing", "resolved"]
    assert "监控已停止 1 分" in posts[0].body["zh"]["title"]
    await close(db)


async def test_a_process_that_has_just_started_waits_for_the_sampler_to_start_too(
    database: str,
) -> None:
    db = await connect(database)
    await pictures.write(db, 1, NOW - 10 * DEAD_MS, encode(Picture(1, NOW, 1)))
    async with await pool(database) as shared:
        assert not await DeadMan(shared, lambda: NOW, SECRETS).look()
    assert await alerts.standing(db) == []
    await close(db)


async def test_the_watch_over_the_sampler_leaves_other_alerts_alone(
    database: str, tmp_path: Path
) -> None:
    db = await connect(database)
    stop = asyncio.Event()
    site = Site(database, Settings(data_dir=tmp_path))  # type: ignore[call-arg]
    async with asyncio.TaskGroup() as group:
        group.create_task(site.alerting.run(stop))
        await site.see(troubled(site.now))
        stop.set()
    before = {one.rule for one in await alerts.standing(db)}
    await pictures.write(db, 1, NOW, encode(Picture(1, NOW, 1)))
    async with await pool(database) as shared:
        man = DeadMan(shared, lambda: site.now, SECRETS)
        site.now += DEAD_MS
        assert await man.look()
    assert {one.rule for one in await alerts.standing(db)} == before | {"sampler-dead"}
    await close(db)


async def test_changes_mutes_and_an_end_by_hand_are_on_record(database: str) -> None:
    db = await connect(database)
    await alerts.change(db, "program-down", Change(for_=300), by="admin", now=NOW)
    assert (await alerts.changes(db))["program-down"].for_ == 300
    number = await alerts.mute(
        db, Mute("", "health", NOW, NOW + MINUTE), reason="升级", by="op", now=NOW
    )
    assert [row["id"] for row in await alerts.mutes(db, NOW)] == [number]
    await alerts.unmute(db, number, NOW)
    assert await alerts.mutes(db, NOW) == []
    assert await alerts.resolve(db, 1, by="op", now=NOW) is None
    await close(db)


async def test_a_secret_that_is_left_empty_stays_as_it_was(database: str) -> None:
    db = await connect(database)
    first = Channel("d", "dingtalk", url="https://example.org/robot", secret="SECx")
    await alert_notices.keep(db, first, Target("d", "bad"), by="a", now=NOW)
    await alert_notices.keep(
        db, Channel("d", "dingtalk", "en"), Target("d", "warn"), by="a", now=NOW
    )
    (row,) = await alert_notices.channels(db)
    assert (row.channel.url, row.channel.secret) == (first.url, "SECx")
    assert (row.channel.language, row.target.least) == ("en", "warn")
    await close(db)


async def test_a_password_does_not_follow_to_another_mail_server(database: str) -> None:
    db = await connect(database)
    first = Channel("m", "smtp", host="mail.example.org", user="hub", password="pw")
    for host, kept in (("mail.example.org", "pw"), ("mail.example.com", "")):
        await alert_notices.keep(db, first, Target("m", "bad"), by="a", now=NOW)
        await alert_notices.keep(
            db, Channel("m", "smtp", host=host, user="hub"), Target("m", "bad"), by="a", now=NOW
        )
        (row,) = await alert_notices.channels(db)
        assert row.channel.password == kept
    await close(db)


async def test_a_secret_that_cannot_be_had_fails_that_channel_and_no_other_one(
    database: str, tmp_path: Path
) -> None:
    db = await connect(database)
    secrets = ChannelSecrets(Settings(data_dir=tmp_path))  # type: ignore[call-arg]
    async with receiver(lambda _n: Response()) as (url, posts), await pool(database) as shared:
        await add(db, "env:HUB_ALERT_NOBODY_SET_THIS", name="first")
        await add(db, url, name="second")
        words = trial("王管理", from_epoch_ms(NOW))
        await alert_notices.post(db, None, words, ["first", "second"], now=NOW, due=NOW)
        await send_due(shared, lambda: NOW, secrets)
    assert len(posts) == 1
    errors = {row.channel: row.error for row in await alert_notices.latest(db)}
    assert errors == {"first": "nothing stands at env:", "second": ""}
    await close(db)


async def test_the_sampler_shows_its_picture_to_scrapes_and_to_an_otlp_collector(
    kafka: str, database: str, tmp_path: Path
) -> None:
    async with receiver(lambda _n: JSONResponse({}), "/v1/metrics") as (url, posts):
        settings = Settings(  # type: ignore[call-arg]
            kafka=kafka, database=database, data_dir=tmp_path, synthetic_people=True,
            sampler_port=0, otlp_endpoint=url.removesuffix("/v1/metrics"), topic_prefix="alerting.",
        )  # fmt: skip
        words = sentences(settings)
        async with (
            sampling(settings, kafka, database, words, seconds=0.5) as place,
            httpx.AsyncClient(base_url=place) as client,
        ):

            async def shown() -> str:
                text = (await client.get("/metrics")).text
                return text if "hub_picture_age_seconds" in text else ""

            text = await until(shown)

            async def exported() -> bool:
                return bool(posts)

            await until(exported)
            assert (await client.get("/health")).json() == {"sampling": True}
    assert 'hub_findings{kind="no_worker",severity="worst",who=""} 1.0' in text
    assert re.search(r"^hub_workers 0.0$", text, re.MULTILINE)
    request = ExportMetricsServiceRequest()
    request.ParseFromString(posts[-1].raw)
    names = {m.name for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics}
    scraped = set(re.findall(r"^(hub_\w+?)(?:_total)?(?:\{| )", text, re.MULTILINE))
    assert {"hub_findings", "hub_workers", "hub_broker_up"} <= names <= scraped | {"hub_findings"}
