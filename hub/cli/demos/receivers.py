"""The programs: each reads its inbox the way its subscription names, and answers some referrals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from hub.cli.demos.webhook_receivers import WebhookReceiver
from hub.gateway.keys import development_key
from hub.kernel.settings import Settings
from hub.runtime.webhook_posts import webhook_secret
from hub.sdk.programs import Copy, Inbox
from hub.sdk.subscriptions import Subscription

ACCEPTING = frozenset({"medical-aid", "education-aid", "housing-aid", "employment-aid"})
"""Programs that accept every referral at once; the others take their time."""
GROUP = "demo"

Note = Callable[[Copy], None]


class Receivers:
    """All programs and recipients of rosters.

    Args:
        settings: Of the demonstration.
        agreed: Subscription by id.
        gateway: Address of the gateway.
        master: ``k_program``.
        note: Told every copy, once.
    """

    def __init__(
        self,
        settings: Settings,
        agreed: Mapping[str, Subscription],
        gateway: str,
        master: bytes,
        note: Note,
    ) -> None:
        self._settings = settings
        self.agreed = agreed
        self._gateway = gateway
        self._master = master
        self._note = note
        self._inboxes: dict[str, Inbox] = {}
        self._hooks: dict[str, WebhookReceiver] = {}
        self._last: dict[str, int] = {}
        self._open = asyncio.Event()
        self._well: dict[str, asyncio.Event] = {}

    async def opened(self) -> None:
        """Wait until every inbox is connected."""
        await self._open.wait()

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """One coroutine per program; they run until cancelled."""
        ways = {name: one.delivery.way for name, one in self.agreed.items()}
        for name, one in self.agreed.items():
            if one.delivery.way == "webhook":
                secret = webhook_secret(self._master, name)
                url = str(one.delivery.url)
                self._hooks[name] = WebhookReceiver(name, url, secret, self._hooked)
        read = [self._read(name, way) for name, way in ways.items() if way != "webhook"]
        return [*read, *(hook.run() for hook in self._hooks.values())]

    def hang(self, program: str) -> None:
        """A program's system stands still: it takes no copies."""
        self._turns(program).clear()

    def break_down(self, program: str, status: int = 503) -> None:
        """A program's web server answers every request with an error.

        Args:
            program: Which.
            status: 5xx: it fails; 4xx: it refuses.

        Raises:
            KeyError: this program has none.
        """
        self._hooks[program].failing = status

    def heal(self, program: str) -> None:
        """A program works again."""
        self._turns(program).set()
        if program in self._hooks:
            self._hooks[program].failing = 0

    def _turns(self, program: str) -> asyncio.Event:
        if program in self._hooks:
            return self._hooks[program].well
        if program not in self._well:
            self._well[program] = asyncio.Event()
            self._well[program].set()
        return self._well[program]

    def last(self, program: str) -> int:
        """The highest number a program has; 0: none in this run."""
        inbox = self._inboxes.get(program)
        return inbox.sequence if inbox else self._last.get(program, 0)

    def gaps(self) -> list[str]:
        """Programs whose numbers are not complete."""
        return [name for name, inbox in self._inboxes.items() if inbox.gaps]

    @property
    def refused(self) -> int:
        """Webhook requests with a wrong signature."""
        return sum(hook.refused for hook in self._hooks.values())

    def _inbox(self, program: str, way: str) -> Inbox:
        if way == "kafka":
            return Inbox(program, kafka=self._settings.kafka, prefix="", group=GROUP)
        key = development_key(self._settings, f"program:{program}")
        return Inbox(program, gateway=self._gateway, key=key)

    async def _read(self, program: str, way: str) -> None:
        async with self._inbox(program, way) as inbox:
            self._inboxes[program] = inbox
            if len(self._inboxes) + len(self._hooks) == len(self.agreed):
                self._open.set()
            async for copy in inbox:
                await self._turns(program).wait()
                self._note(copy)
                if copy.type == "referral.created" and program in ACCEPTING:
                    await inbox.reply(copy, "referral.accepted", handler="DEMO-01")

    async def _hooked(self, copy: Copy) -> None:
        self._last[copy.program] = max(self._last.get(copy.program, 0), copy.sequence)
        self._note(copy)
