"""Webhook lanes: a lane for each webhook subscription this worker owns.

Lanes share nothing a receiver could hold on to: each has its own requests under way and borrows
a connection to the database only for a statement. So a receiver that is slow, or fails, costs
the others nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

import asyncpg

from hub.runtime.receivers import Receiver, Sender
from hub.runtime.stages import Stage
from hub.store import subscriptions
from hub.store.connections import lanes_pool
from hub.store.subscriptions import Subscription

_STOP_SECONDS = 4.0

_Key = tuple[str, int]


class WebhookLanes:
    """The webhook subscriptions of one worker.

    Args:
        stage: The worker's surroundings.
        send: Does the HTTP request; None: this worker carries no webhooks.
    """

    def __init__(self, stage: Stage, send: Sender | None) -> None:
        self._stage = stage
        self._send = send
        self._pool: asyncpg.Pool | None = None
        self._lanes: dict[_Key, Receiver] = {}
        self._tasks: dict[_Key, asyncio.Task[None]] = {}

    async def follow(self, held: Mapping[str, Subscription]) -> None:
        """Start lanes for subscriptions that were taken, end those of lost ones."""
        send = self._send
        if send is None:
            return
        wanted = {
            (one.id, one.epoch): one for one in held.values() if one.mode == subscriptions.WEBHOOK
        }
        for key in self._tasks.keys() - wanted.keys():
            self._tasks.pop(key).cancel()
            del self._lanes[key]
        for key in wanted.keys() - self._tasks.keys():
            if self._pool is None:
                self._pool = await lanes_pool(self._stage.settings.database)
            lane = self._lanes[key] = Receiver(self._stage, wanted[key], send, self._pool)
            self._tasks[key] = asyncio.create_task(lane.run())

    def wake(self, names: Collection[str]) -> None:
        """New copies of these subscriptions were numbered."""
        for (name, _), lane in self._lanes.items():
            if name in names:
                lane.wake()

    async def stop(self) -> None:
        """Let requests under way end, then stop."""
        for lane in self._lanes.values():
            lane.wake()
        if self._tasks:
            _done, late = await asyncio.wait(self._tasks.values(), timeout=_STOP_SECONDS)
            for task in late:
                task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._pool is not None:
            self._pool.terminate()
