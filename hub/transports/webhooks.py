"""Webhooks: one signed POST of a structured CloudEvent, and what follows from the answer.

Nothing is dropped here: a copy is delivered, tried again for about a day, or parked, where its
receiver can still fetch it.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import NamedTuple, Self

import aiohttp
import certifi
from aiohttp.abc import AbstractStreamWriter

from hub.kernel.clocks import Clock
from hub.kernel.failpoints import passed
from hub.transports.host_names import HostNames
from hub.transports.signatures import SigningKey, signed
from hub.transports.webhook_targets import Resolver, TargetRefused, target_of

TIMEOUT = 10.0
"""Seconds of a whole request."""
TRIES = 8
"""The first try of a copy and seven more; the last is some 24 hours after the first."""

_FIRST, _MOST = 25, 52_000
_BODY_BYTES, _BODY_SECONDS = 4096, 0.5
_IDLE_SECONDS = 15.0
_FIELD_BYTES = 32_768
_REASON_CHARS = 100
_CONTENT = "application/cloudevents+json; charset=utf-8"


class Answer(NamedTuple):
    """What came of one try.

    Attributes:
        status: HTTP status; 0: no answer.
        error: Short text without personal data.
        after: Seconds that the receiver asks to wait; 0: not told.
        refused: The address may not be called at all.
    """

    status: int
    error: str = ""
    after: int = 0
    refused: bool = False


class Delivered(NamedTuple):
    """The receiver has it."""

    status: int


class Retry(NamedTuple):
    """Try again after so many seconds."""

    after: int
    reason: str


class Parked(NamedTuple):
    """Trying again is no use (``refused``), or was tried often enough; a person must look."""

    reason: str
    refused: bool = False


Outcome = Delivered | Retry | Parked


class WebhookSender:
    """Posts copies; use it as a context manager, one for all receivers.

    Args:
        clock: Tells the timestamp that is signed.
        private: ``Settings.webhook_private``.
        resolve: By default the system's resolver.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        private: bool,
        resolve: Resolver | None = None,
    ) -> None:
        self._clock = clock
        self._private = private
        self._names = HostNames()
        self._resolve = resolve or self._names.resolve
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
        self._names.close()

    async def post(
        self,
        address: str,
        copy_id: str,
        body: bytes,
        keys: Sequence[SigningKey],
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One try; raises nothing for what a receiver or the network does.

        Args:
            address: Of the subscription.
            copy_id: The same at every try, so the receiver can tell a repeated one.
            body: Structured CloudEvents JSON.
            keys: Sign the request.
            headers: Further ones, e.g. ``traceparent``.
        """
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._post(address, copy_id, body, keys, headers or {})
        except TargetRefused as error:
            return Answer(0, str(error), refused=True)
        except TimeoutError:
            return Answer(0, "no answer within 10 s")
        except aiohttp.ClientConnectorError:
            return Answer(0, "ConnectError")
        except (aiohttp.ClientError, OSError) as error:
            return Answer(0, type(error).__name__)

    async def _post(
        self,
        address: str,
        copy_id: str,
        body: bytes,
        keys: Sequence[SigningKey],
        headers: Mapping[str, str],
    ) -> Answer:
        target = await target_of(address, private=self._private, resolve=self._resolve)
        seconds = int(self._clock.now().timestamp())
        if self._session is None:
            self._session = _session()
        # The address stands in the URL, so nothing is looked up again; connections are kept for
        # each address together with its name, so no certificate counts for another name.
        response = await self._session.post(
            target.url,
            data=_Body(body, content_type=_CONTENT),
            headers={
                **headers,
                **signed(keys, copy_id, seconds, body),
                "host": target.host,
                "content-type": _CONTENT,
            },
            allow_redirects=False,
            server_hostname=target.name,
        )
        await _emptied(response)
        after = pause_asked(response.headers.get("retry-after", ""), seconds)
        return Answer(response.status, _readable(response.reason or ""), after)


class _Body(aiohttp.BytesPayload):
    """A body that tells when it is on its way."""

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        await super().write_with_length(writer, content_length)
        passed("hook.sent")


def _session() -> aiohttp.ClientSession:
    """Connections to receivers; a running event loop is needed.

    No proxy from the environment: it would resolve the name once more, unchecked. No common limit
    of connections either: the lanes bound them, and receivers that do not answer must not use up
    what the others need. No cookies: a copy looks the same at every try.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_IDLE_SECONDS,
            ssl=ssl.create_default_context(cafile=certifi.where()),
        ),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # ``post`` bounds the whole
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        max_field_size=_FIELD_BYTES,
    )


def _readable(reason: str) -> str:
    """The words of a status line, as far as a page and a database can show them."""
    return "".join(one for one in reason if one.isascii() and one.isprintable())[:_REASON_CHARS]


async def _emptied(response: aiohttp.ClientResponse) -> None:
    """Close an answer; a short body is read, so that the connection can serve the next copy.

    A receiver could send gigabytes, or nothing for hours: neither changes what its status says.
    """
    size = 0
    with suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(_BODY_SECONDS):
            async for part in response.content.iter_any():
                size += len(part)
                if size > _BODY_BYTES:
                    break
    # Read to its end, the answer has given the connection back; otherwise this cuts it.
    response.close()


def pause_asked(told: str, now: int) -> int:
    """Seconds a ``Retry-After`` header asks to wait, as a number or a date; at most 52 000.

    Args:
        told: The header; anything unreadable counts as not told.
        now: Seconds since 1970.
    """
    if told.isascii() and told.isdigit():
        return min(int(told[:9]), _MOST)
    try:
        until = parsedate_to_datetime(told).timestamp()
    except (ValueError, OverflowError):
        return 0
    return max(0, min(math.ceil(until - now), _MOST))


def outcome_of(answer: Answer, tries: int) -> Outcome:
    """What follows from an answer.

    Delivered on 2xx. Tried again on 408, 429, 5xx and network faults, until the seventh
    repetition.
    Parked on every other status, redirects included, and on addresses that may not be called.

    Args:
        answer: Of the last try.
        tries: Tries so far, the last one included.
    """
    if 200 <= answer.status < 300:
        return Delivered(answer.status)
    reason = f"{answer.status or ''} {answer.error}".strip()
    passing = answer.status in {0, 408, 429} or answer.status >= 500
    if answer.refused or not passing:
        return Parked(reason, refused=True)
    if tries >= TRIES:
        return Parked(reason)
    return Retry(max(pause_after(tries), answer.after), reason)


def pause_after(tries: int) -> int:
    """Seconds to wait after so many tries: 25 s × 4ⁿ, at most 52 000 s."""
    pause: int = _FIRST * 4 ** (tries - 1)
    return min(pause, _MOST)
