"""Errors the hub tells a person about, and data errors that become dead letters."""

from __future__ import annotations

from enum import StrEnum


class HubError(Exception):
    """Something a person must mend; the text says what to do.

    Args:
        message: What went wrong, English.
        hint: What to do about it, English.
        message_zh: The same message in Chinese; the screen shows it first.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", message_zh: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.message_zh = message_zh or message

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ConfigurationError(HubError):
    """A setting, profile, manifest or contract is wrong; nothing was started."""

    exit_code = 2


class ErrorCategory(StrEnum):
    """Families of dead letters; each has one owner who can act."""

    TRANSIENT = "transient"
    POISON = "poison"
    SCHEMA = "schema"
    REFERENCE = "reference"
    IDENTITY = "identity"
    POLICY = "policy"
    DOWNSTREAM = "downstream"
    AUTH = "auth"
    BUG = "bug"


class DataError(Exception):
    """One record cannot be used; it becomes a dead letter and the stream goes on.

    Args:
        code: Stable code, e.g. ``E-ID-CHECK``; declared in :data:`hub.kernel.reasons.CODES`.
        field: Path of the field that is wrong, never its value.
        detail: Short text without personal data.
    """

    def __init__(self, code: str, field: str = "", detail: str = "") -> None:
        super().__init__(code, field, detail)
        self.code = code
        self.field = field
        self.detail = detail

    def __str__(self) -> str:
        return " ".join(part for part in (self.code, self.field, self.detail) if part)
