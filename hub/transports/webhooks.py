"""Webhooks: one signed POST of a structured CloudEvent, and what follows from the answer.

Nothing is dropped here: a copy is delivered, tried again for about a day, or parked, where its
receiver can still fetch it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx

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
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=200, keepalive_expiry=15.0)
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
        # No proxy from the environment: it would resolve the name once more, unchecked.
        # No common limit of connections either: the lanes bound them, and receivers that do not
        # answer must not use up what the others need.
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT, follow_redirects=False, trust_env=False, limits=_LIMITS
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.__aexit__(kind, error, trace)
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
        except (TimeoutError, httpx.TimeoutException):
            return Answer(0, "no answer within 10 s")
        except (httpx.HTTPError, OSError) as error:
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
        request = self._client.build_request(
            "POST",
            target.url,
            content=body,
            headers={
                **headers,
                **signed(keys, copy_id, seconds, body),
                "host": target.host,
                "content-type": _CONTENT,
            },
            extensions={"sni_hostname": target.name, "trace": _trace},
        )
        response = await self._client.send(request, stream=True)
        await _emptied(response)
        after = pause_asked(response.headers.get("retry-after", ""), seconds)
        return Answer(response.status_code, response.reason_phrase, after)


async def _trace(what: str, _info: dict[str, Any]) -> None:
    if what == "http11.send_request_body.complete":
        passed("hook.sent")


async def _emptied(response: httpx.Response) -> None:
    """Close an answer; a short body is read, so that the connection can serve the next copy.

    A receiver could send gigabytes, or nothing for hours: neither changes what its status says.
    """
    size = 0
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(_BODY_SECONDS):
            async for part in response.aiter_raw():
                size += len(part)
                if size > _BODY_BYTES:
                    break
    with suppress(httpx.HTTPError):
        await response.aclose()


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
