"""App: faust as the shell of a worker.

``producer_only``: no consumer group, no leader topic, no agents. Faust supervises the service,
turns signals into an orderly stop and runs the periodic jobs; no fact passes through it.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AsyncExitStack
from typing import Any

import faust
from mode import Service

from hub.kernel.clocks import clock_from, epoch_ms
from hub.kernel.secrets import Secrets
from hub.kernel.settings import Settings
from hub.runtime.channel_secrets import ChannelSecrets
from hub.runtime.dead_men import watched
from hub.runtime.housekeeping import keep_house
from hub.runtime.services import STAGES, Worker
from hub.runtime.webhook_posts import sender_for
from hub.runtime.wiring import agreements, wire
from hub.store.subscriptions import WEBHOOK
from hub.transports.webhooks import WebhookSender

_HOUSEKEEPING_SECONDS = 3600.0


def build_app(
    settings: Settings,
    *,
    stages: Collection[str] = STAGES,
    health: tuple[str, int] | None = None,
) -> Any:
    """The faust app of one worker process.

    Args:
        settings: Name the broker and the database.
        stages: Which stages run here.
        health: Host and port of the health pages.
    """
    app = faust.App(
        settings.wire("hub"),
        broker=f"kafka://{settings.kafka.replace(',', ';')}",
        store="memory://",
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        table_standby_replicas=0,
        stream_wait_empty=False,
        datadir=str(settings.data_dir / "faust"),
    )
    # Without it faust wants a topic to subscribe to, and there is none.
    app.producer_only = True

    class HotPath(Service):  # type: ignore[misc]
        """The worker's own loops, supervised by faust."""

        async def on_start(self) -> None:
            """Start the stages."""
            self._open = AsyncExitStack()
            await self._open.enter_async_context(
                hub_worker(settings, self._open, stages=stages, health=health)
            )
            clock = clock_from(settings.clock, synthetic_people=settings.synthetic_people)
            await self._open.enter_async_context(
                watched(settings.database, lambda: epoch_ms(clock.now()), ChannelSecrets(settings))
            )

        async def on_stop(self) -> None:
            """Let transactions under way end."""
            await self._open.aclose()

    app.service(HotPath)

    @app.timer(_HOUSEKEEPING_SECONDS)  # type: ignore[untyped-decorator]
    async def housekeeping() -> None:
        await keep_house(settings)

    return app


def hub_worker(
    settings: Settings,
    stack: AsyncExitStack,
    *,
    stages: Collection[str] = STAGES,
    health: tuple[str, int] | None = None,
    **options: Any,
) -> Worker:
    """The worker with the hub's own wiring, not yet started.

    Args:
        settings: Name the broker, the database, profile and keys.
        stack: Closes what the worker uses, after the worker itself.
        stages: Which stages run here.
        health: Host and port of the health pages.
        options: Further arguments of :class:`hub.runtime.services.Worker`.
    """
    secrets = Secrets.load(settings)
    clock = clock_from(settings.clock, synthetic_people=settings.synthetic_people)
    addresses = {
        name: one.delivery.url
        for name, one in agreements(settings).items()
        if one.delivery.way == WEBHOOK and one.delivery.url
    }
    http = WebhookSender(clock, private=settings.webhook_private)
    stack.push_async_exit(http)
    send = sender_for(http, addresses, secrets.k_program)
    wiring = wire(settings, secrets)
    return Worker(settings, wiring, stages=stages, health=health, send=send, **options)
