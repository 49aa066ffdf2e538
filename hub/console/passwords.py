"""Passwords and second factors: argon2id (RFC 9106) and time-based codes (RFC 6238)."""

from __future__ import annotations

import asyncio
import hmac
from functools import cache

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST = 12
"""Characters of a password."""
_STEP_SECONDS = 30
_DRIFT = 1
"""Steps before and after now that are accepted: phones' clocks differ."""


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


def is_strong(password: str) -> bool:
    """Whether a password is long enough and not one character repeated."""
    return len(password) >= LEAST and len(set(password)) > 4


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _hasher().hash(password)


@cache
def _nobodys() -> str:
    return hashed("nobody has this password")


async def is_right(password: str, kept: str | None) -> bool:
    """Whether a password is the one kept; takes as long for an account that does not exist."""
    return await asyncio.to_thread(_verified, password, kept)


def _verified(password: str, kept: str | None) -> bool:
    try:
        found = _hasher().verify(kept or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return found and kept is not None


def new_secret() -> str:
    """A fresh secret of a second factor, base32."""
    return pyotp.random_base32()


def enrolment(secret: str, account: str, issuer: str) -> str:
    """The address that authenticator apps read."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def step_of(secret: str, code: str, *, now_ms: int) -> int:
    """The time step a code belongs to; 0: it is wrong."""
    generator = pyotp.TOTP(secret)
    present = now_ms // 1000 // _STEP_SECONDS
    for step in range(present - _DRIFT, present + _DRIFT + 1):
        if hmac.compare_digest(generator.at(step * _STEP_SECONDS), code.strip()):
            return step
    return 0
