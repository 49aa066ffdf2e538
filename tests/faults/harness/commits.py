"""Commits: PostgreSQL's COMMIT on its way to the server, cut before it or before its answer.

After such a cut the client cannot know whether its transaction counts.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Protocol

_SIMPLE, _PARSE, _EXECUTE = b"Q", b"P", b"E"
_FIXED = (
    b"\x04\xd2\x16\x2f",  # SSLRequest
    b"\x04\xd2\x16\x30",  # GSSENCRequest
)


class Messages:
    """The client's side of the protocol, cut into messages; finds COMMIT.

    A COMMIT comes as a simple query, or as Parse with an Execute after it; a prepared one that
    is executed again is recognised by the statement's name.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._started = False
        self._prepared: set[bytes] = set()
        self._bound = False

    def feed(self, chunk: bytes) -> int:
        """How many COMMITs the bytes so far complete, in this chunk."""
        self._rest += chunk
        found = 0
        while (size := self._size()) and len(self._rest) >= size:
            message, self._rest = self._rest[:size], self._rest[size:]
            if self._started:
                found += self._is_commit(message)
            else:
                self._started = message[4:8] not in _FIXED
        return found

    def _size(self) -> int:
        """Bytes of the message that begins now; 0: not known yet."""
        head = 1 if self._started else 0
        if len(self._rest) < head + 4:
            return 0
        return head + int(struct.unpack_from(">i", self._rest, head)[0])

    def _is_commit(self, message: bytes) -> bool:
        kind, body = message[:1], message[5:]
        if kind == _SIMPLE:
            return _commits(body.rstrip(b"\0"))
        if kind == _PARSE:
            name, text, _types = body.split(b"\0", 2)
            self._prepared.discard(name)
            if _commits(text):
                self._prepared.add(name)
        elif kind == b"B":
            self._bound = body.split(b"\0", 2)[1] in self._prepared
        elif kind == _EXECUTE:
            return self._bound
        return False


def _commits(text: bytes) -> bool:
    return text.strip().rstrip(b";").strip().upper() in {b"COMMIT", b"END"}


class _Line(Protocol):
    swallow: bool

    def reset(self) -> None: ...


class _Way(Protocol):
    def write(self, data: bytes) -> None: ...

    async def drain(self) -> None: ...


@dataclass
class CommitCut:
    """Cuts armed on one proxy.

    Attributes:
        left: How many COMMITs are still to be cut.
        executed: True: the server executes it and the answer is swallowed; False: it never
            gets there.
        every: Of so many COMMITs one is cut.
        done: How many were cut.
        seen: How many went by.
    """

    left: int
    executed: bool
    every: int = 1
    done: int = 0
    seen: int = 0

    @staticmethod
    def parser() -> Messages:
        """A parser for one connection."""
        return Messages()

    async def met(self, line: _Line, chunk: bytes, server: _Way) -> bool:
        """A chunk holds a COMMIT: cut it, or let it pass (False)."""
        self.seen += 1
        if self.left <= 0 or self.seen % self.every:
            return False
        self.left -= 1
        self.done += 1
        if self.executed:
            line.swallow = True
            server.write(chunk)
            await server.drain()
        else:
            line.reset()
        return True
