"""Pull: a receiver fetches its copies over HTTP, acknowledges and answers there."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
import orjson
import structlog

from hub.contracts.catalogues import catalogue
from hub.contracts.events import CanonicalEvent
from hub.kernel.amounts import text_of
from hub.kernel.dates import date_of
from hub.kernel.errors import HubError
from hub.sdk.programs.copies import Copy, from_event
from hub.sdk.programs.sequences import Sequences

_WAIT_SECONDS = 5
_AT_ONCE = 200
_GONE = 410
_PASSING_FAULTS = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)
_PASSING = frozenset({502, 503, 504})
"""What a gateway under load, in a restart or behind a proxy answers for a while."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two tries."""

log = structlog.get_logger(__name__)
_TEXTS: dict[str, Callable[[int], str]] = {
    "date": lambda day: date_of(day).isoformat(),
    "money": text_of,
}


Number = tuple[int, int]
"""Generation and sequence number."""


class PullInbox:
    """The transport of an inbox at the gateway.

    While the gateway does not answer each request is repeated, with growing pauses: what it asks
    for may be asked for twice. Only an address where nobody ever answered is an error at once.

    Args:
        program: The receiver.
        gateway: Address of the gateway.
        key: The receiver's API key.
        client: An HTTP client of one's own, e.g. with certificates; its base URL and
            authorization are not touched.
    """

    def __init__(
        self, program: str, gateway: str, key: str, *, client: httpx.AsyncClient | None = None
    ) -> None:
        self._program = program
        self._client = client or httpx.AsyncClient(
            base_url=gateway,
            headers={"authorization": f"Bearer {key}"},
            timeout=_WAIT_SECONDS + 10,
        )
        self._cursor: Number | None = None
        self._acked: Number | None = None
        self._answered = False
        self.sequences = Sequences()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def fetch(self) -> list[tuple[Copy, Any]]:
        """Copies after the last one fetched; the first time, after the last one acknowledged."""
        asked: dict[str, int] = {"limit": _AT_ONCE, "wait": _WAIT_SECONDS}
        if self._cursor is not None:
            asked["generation"], asked["after"] = self._cursor
        page = await self._get("inbox", asked)
        if self._cursor is None:
            self._cursor = page["acknowledged_generation"], page["acknowledged"]
            self.sequences = Sequences(*self._cursor)
        copies = [from_event(self._program, orjson.dumps(one)) for one in page["copies"]]
        found = [(copy, (copy.generation, copy.sequence)) for copy in copies]
        if found:
            self._cursor = found[-1][1]
        return found

    async def one(self, sequence: int, generation: int | None = None) -> Copy | None:
        """The copy with one number; how a gap is closed, whichever way copies come.

        Returns:
            None: that number is void, as its generation ended before it.

        Raises:
            HubError: there is none.
        """
        asked = {} if generation is None else {"generation": generation}
        response = await self._answer("GET", f"copies/{sequence}", params=asked)
        if response.status_code == _GONE:
            return None
        return from_event(self._program, _checked(response).content)

    async def keep(self) -> None:
        """Nothing: the gateway keeps the cursor, and gaps are told anew by the numbers."""

    async def ack(self, mark: Any, *, flush: bool) -> None:
        """A copy was handled; the gateway is told at the end of a batch."""
        if mark is not None:
            self._acked = mark
        if flush and self._acked is not None:
            generation, sequence = self._acked
            await self._post("ack", {"sequence": sequence, "generation": generation})
            self._acked = None

    async def send(self, event: CanonicalEvent, said: dict[str, Any]) -> None:
        """Send a reply; its number is the copy's id, so a repetition is harmless."""
        declared = {
            name: field.type
            for group in catalogue().event(event.type).groups
            for name, field in catalogue().groups[group].fields.items()
        }
        body = {
            name: _TEXTS[declared[name]](value) if declared[name] in _TEXTS else value
            for name, value in said.items()
        }
        await self._post(
            "replies", {"type": event.type, "reply_id": event.source_record_key, **body}
        )

    async def _get(self, path: str, asked: Mapping[str, int]) -> dict[str, Any]:
        response = await self._answer("GET", path, params=asked)
        found: dict[str, Any] = orjson.loads(_checked(response).content)
        return found

    async def _post(self, path: str, said: dict[str, Any]) -> None:
        _checked(await self._answer("POST", path, json=said))

    async def _answer(self, method: str, path: str, **content: Any) -> httpx.Response:
        pause = _FIRST_PAUSE
        while True:
            try:
                response = await self._client.request(
                    method, f"/programs/{self._program}/{path}", **content
                )
            except _PASSING_FAULTS as error:
                if isinstance(error, httpx.ConnectError) and not self._answered:
                    raise
                why = type(error).__name__
            else:
                self._answered = True
                if response.status_code not in _PASSING:
                    return response
                why = str(response.status_code)
            log.warning("gateway not reached", program=self._program, why=why, again_in=pause)
            # Receivers that were cut off together do not come back in one moment.
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
            pause = min(2 * pause, _LONGEST_PAUSE)


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    raise HubError(
        f"The gateway answered {response.status_code}: {response.text[:300]}",
        hint="401 and 403: check the key. 409: fetch again from the last acknowledged number.",
        message_zh=f"网关返回 {response.status_code}:{response.text[:300]}",
    )
