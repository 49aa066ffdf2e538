"""Heartbeats: a running connector tells the gateway how it is and does what operators ask.

A gateway that cannot be reached changes nothing: records go on being published.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

import httpx
import structlog

from hub.transports.switches import Switch

EVERY = 5.0
_TIMEOUT = 4.0
_log = structlog.get_logger(__name__)


class Heart:
    """Beats every five seconds until the connector stops.

    Args:
        gateway: Address of the gateway.
        key: The department's key.
        connector: Its id.
        switch: What commands act on, and what it counted.
        every: Seconds between beats.
    """

    def __init__(
        self, gateway: str, key: str, connector: str, switch: Switch, *, every: float = EVERY
    ) -> None:
        self._place = f"/connectors/{connector}/heartbeat"
        self._gateway, self._key = gateway.rstrip("/"), key
        self._switch, self._every = switch, every
        self._instance = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:6]}"
        self._obeyed: list[int] = []
        self._quiet_until = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Beat until told to stop."""
        headers = {"Authorization": f"Bearer {self._key}"}
        async with httpx.AsyncClient(
            base_url=self._gateway, headers=headers, timeout=_TIMEOUT, trust_env=False
        ) as client:
            while not stop.is_set():
                await self._beat(client)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._every)

    async def _beat(self, client: httpx.AsyncClient) -> None:
        body: dict[str, Any] = {
            "instance": self._instance,
            "paused": self._switch.paused,
            "items": self._switch.items(),
            "obeyed": self._obeyed,
        }
        try:
            answer = await client.post(self._place, json=body)
            answer.raise_for_status()
            waiting = answer.json()["commands"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            self._tell(error)
            return
        done = set(self._obeyed)
        for number, command in waiting:
            if number not in done:
                self._switch.obey(command)
        self._obeyed = [number for number, _ in waiting]

    def _tell(self, error: Exception) -> None:
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + 60
            _log.warning("heartbeat_failed", error=type(error).__name__)
