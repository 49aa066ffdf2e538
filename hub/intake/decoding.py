"""Bytes of a raw record into the structure its mapping takes, or the exact reason why not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from hub.kernel.errors import DataError

DELETED = "__deleted"
"""Mark of a row that vanished from a view without an annulment."""

_PLACE = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")
_NULL = re.compile(r"Expected .*, got `null`")
_INDEX = re.compile(r"\[(?:\.\.\.|[0-9]*)\]")

Decode = Callable[[bytes], Any]


def compile_decoder(raw: type[msgspec.Struct]) -> Decode:
    """A decoder of JSON into one structure.

    Fields the structure does not name are passed over, of a name that stands twice the last
    one counts, and no input makes it raise anything but ``DataError``: ``E-ENCODING``,
    ``E-JSON``, ``E-FIELD-MISSING``, ``E-FIELD-TYPE``.
    """
    decode = msgspec.json.Decoder(raw).decode

    def run(value: bytes) -> Any:
        try:
            return decode(value)
        except (msgspec.DecodeError, RecursionError, TypeError, ValueError) as error:
            raise _refusal(value, error) from None

    return run


def _refusal(value: bytes, error: Exception) -> DataError:
    try:
        str(value, "utf-8")
    except UnicodeDecodeError:
        # Other encodings also break the syntax, so this is asked first.
        return DataError("E-ENCODING")
    if isinstance(error, msgspec.ValidationError):
        return _explained(value, str(error))
    return DataError("E-JSON", "", type(error).__name__)


def _explained(value: bytes, message: str) -> DataError:
    if not _is_json(value):
        # A wrong field may come before the place where the text breaks.
        return DataError("E-JSON")
    if f'"{DELETED}"'.encode() in value:
        return DataError("E-FIELD-MISSING", DELETED, "row gone from the view: send an annulment")
    found = _PLACE.fullmatch(message)
    what = found["what"] if found else message
    path = _INDEX.sub("", (found and found["path"]) or "").removeprefix("$").strip(".")
    missing = _MISSING.fullmatch(what)
    if missing:
        return DataError("E-FIELD-MISSING", ".".join(filter(None, (path, missing["name"]))))
    if _NULL.fullmatch(what):
        return DataError("E-FIELD-MISSING", path)
    if "surrogate" in what or "utf-8" in what.lower():
        return DataError("E-ENCODING", path)
    # Only messages about types: they name types, never values.
    detail = what.replace("`", "") if what.startswith("Expected") else ""
    return DataError("E-FIELD-TYPE", path, detail)


def _is_json(value: bytes) -> bool:
    try:
        msgspec.json.decode(value, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
