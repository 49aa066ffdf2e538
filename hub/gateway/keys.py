"""Keys: who is calling. Tokens are 256 random bits; only their SHA-256 is kept."""

from __future__ import annotations

import hmac
import os
import re
import secrets
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from hub.kernel.errors import ConfigurationError
from hub.kernel.settings import Settings
from hub.store.api_keys import ApiKey, Executor, add, find, get, used

KINDS = ("department", "program", "operator")
DEVELOPMENT = "development"
"""Key id of keys that lie in the folder of secrets of a test system."""

_NOTED_MS = 60_000
_PREFIX = "hub_"
_PRINCIPAL = re.compile(r"(department|program|operator):([a-z0-9][a-z0-9._-]{0,62})")


class Principal(NamedTuple):
    """Somebody who holds a key."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> Principal:
        """Read ``department:health``.

        Raises:
            ConfigurationError: another form.
        """
        found = _PRINCIPAL.fullmatch(text)
        if not found:
            raise ConfigurationError(
                f"'{text}' names nobody who could hold a key.",
                hint="Write department:ID, program:ID or operator:NAME, in lower case.",
                message_zh=f"{text} 不是有效的密钥持有者;请写 department:部门、"
                "program:项目 或 operator:人员(小写)。",
            )
        return cls(found[1], found[2])


class Holder(NamedTuple):
    """A principal and the key it showed."""

    principal: Principal
    key_id: str


def new_token() -> str:
    """A new token, 256 random bits."""
    return _PREFIX + secrets.token_urlsafe(32)


def digest_of(token: str) -> bytes:
    """What is stored of a token. It is random, so a plain hash cannot be guessed back."""
    return sha256(token.encode()).digest()


async def issue(
    executor: Executor, principal: Principal, *, now: int, expires_at: int | None = None
) -> tuple[str, str]:
    """Make a key.

    Args:
        executor: Connection or pool.
        principal: Who will hold it.
        now: ms since 1970.
        expires_at: ms since 1970; None: until revoked.

    Returns:
        Its id and the token, which is shown once and never again.
    """
    token, key_id = new_token(), secrets.token_hex(4)
    await add(executor, ApiKey(key_id, str(principal), digest_of(token), now, expires_at))
    return key_id, token


def development_key(settings: Settings, principal: str) -> str:
    """The token of a principal on a test system: made once, kept in the folder of secrets (0600).

    Args:
        settings: Tell the folder; the hub must run embedded or hold invented people only.
        principal: E.g. ``program:medical-aid``.

    Raises:
        ConfigurationError: real people may be on record here, or a wrong principal.
    """
    if not allows_development(settings):
        raise ConfigurationError(
            "Development keys are refused where real people may be on record.",
            hint="Make a key with 'hub keys new'.",
            message_zh="可能存有真实人员信息的系统不使用开发密钥;请用 hub keys new 生成。",
        )
    holder = Principal.parse(principal)
    path = settings.secrets / f"key_{holder.kind}_{holder.name}"
    if not path.exists():
        _keep(path, new_token())
    return path.read_text(encoding="ascii").strip()


def allows_development(settings: Settings) -> bool:
    """Whether keys in the folder of secrets open the gateway."""
    return settings.synthetic_people or not settings.database


def _keep(path: Path, token: str) -> None:
    # Linking never replaces a file: of two processes one wins and both read its token.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(token + "\n")
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()


class KeyRing:
    """Finds who holds a token.

    Args:
        executor: Pool of the hub's database.
        settings: Tell whether development keys count, and their folder.
    """

    def __init__(self, executor: Executor, settings: Settings) -> None:
        self._executor = executor
        self._folder = settings.secrets if allows_development(settings) else None

    async def holder(self, token: str, *, now: int) -> Holder | None:
        """Who holds the token; None: nobody, or the key has ended.

        Args:
            token: As sent.
            now: ms since 1970.
        """
        wanted = digest_of(token)
        found = await find(self._executor, wanted)
        if found and hmac.compare_digest(found.digest, wanted) and found.live(now):
            if now - (found.last_used_at or 0) > _NOTED_MS:
                await used(self._executor, found.id, now=now)
            return Holder(Principal.parse(found.principal), found.id)
        return self._development(wanted)

    async def is_live(self, holder: Holder, *, now: int) -> bool:
        """Whether a key that opened a session still counts."""
        if holder.key_id == DEVELOPMENT:
            return self._folder is not None
        found = await get(self._executor, holder.key_id)
        return found is not None and found.live(now)

    def _development(self, wanted: bytes) -> Holder | None:
        if self._folder is None:
            return None
        for path in self._folder.glob("key_*_*"):
            kind, _, name = path.name.removeprefix("key_").partition("_")
            known = digest_of(path.read_text(encoding="ascii").strip())
            if hmac.compare_digest(known, wanted):
                return Holder(Principal(kind, name), DEVELOPMENT)
        return None
