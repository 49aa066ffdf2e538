"""Bodies: read under a limit, digested when over it, split into rows when they are batches."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple

import msgspec
from fastapi import Request

from hub.gateway.problems import ProblemError

JSON = "application/json"
LINES = "application/x-ndjson"
BATCH_FACTOR = 10
"""A batch may be so many times larger than its largest row."""
BATCH_ROWS = 1000
_DRAINED = 64 << 20
_ARRAY = re.compile(rb"\s*\[")
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])


class TooLargeError(Exception):
    """The body is over the limit; it was digested, not kept.

    Args:
        digest: SHA-256 of what was read, hexadecimal.
        size: Bytes read.
    """

    def __init__(self, digest: str, size: int) -> None:
        super().__init__(digest, size)
        self.digest, self.size = digest, size


class Body(NamedTuple):
    """Rows of a request, each as the department wrote it."""

    rows: list[bytes]
    is_batch: bool


def media_type(request: Request) -> str:
    """The request's media type.

    Raises:
        ProblemError: 415, neither JSON nor lines of JSON.
    """
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found not in {JSON, LINES}:
        raise ProblemError(415)
    return found


async def read(request: Request, limit: int) -> Body:
    """The rows of a request.

    Args:
        request: With one JSON object, a JSON array of objects, or a line per object.
        limit: Bytes of the largest row.

    Raises:
        ProblemError: 400 for an empty or unreadable batch, 413 for too many rows, 415.
        TooLargeError: over the limit.
    """
    kind = media_type(request)
    data, digest, size = bytearray(), sha256(), 0
    allowed = limit * BATCH_FACTOR if kind == LINES else limit
    async for chunk in request.stream():
        if not data and kind == JSON and _ARRAY.match(chunk):
            allowed = limit * BATCH_FACTOR
        digest.update(chunk)
        size += len(chunk)
        if size <= allowed:
            data += chunk
        if size > _DRAINED:
            break
    if size > allowed:
        raise TooLargeError(digest.hexdigest(), size)
    return _split(bytes(data), kind)


def _split(data: bytes, kind: str) -> Body:
    if not data.strip():
        raise ProblemError(400, "请求没有内容", "The request is empty", code="E-JSON")
    if kind == LINES:
        rows = [line for line in data.splitlines() if line.strip()]
    elif _ARRAY.match(data):
        try:
            rows = [bytes(row) for row in _ROWS.decode(data)]
        except msgspec.DecodeError:
            raise ProblemError(
                400, "不是有效的 JSON 数组", "Not a valid JSON array", code="E-JSON"
            ) from None
    else:
        return Body([data], is_batch=False)
    if len(rows) > BATCH_ROWS:
        raise ProblemError(
            413, f"一批最多 {BATCH_ROWS} 行", f"A batch has {BATCH_ROWS} rows at most"
        )
    return Body(rows, is_batch=True)
