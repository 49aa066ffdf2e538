"""Helpers of mapping functions, and the loader that finds a manifest's functions.

A mapping function takes one ``msgspec.Struct`` and returns one observation or several; it is
pure. The helpers name the field in every error, never its value.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import blake2b
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar, get_type_hints

import msgspec

from hub.kernel import amounts, dates
from hub.kernel.errors import ConfigurationError, DataError
from hub.kernel.texts import aliases
from hub.sdk import instants
from hub.sdk.manifests import FILE, Item, Manifest, shipped_folder
from hub.sdk.observations import Observation

Result = Observation | tuple[Observation, ...]
MapFunction = Callable[[Any], Result]
T = TypeVar("T")


def text(value: str | None, field: str) -> str:
    """A text that must be there.

    Raises:
        DataError: ``E-FIELD-MISSING``.
    """
    if value is None or not (stripped := value.strip()):
        raise DataError("E-FIELD-MISSING", field)
    return stripped


def optional(value: str | None) -> str | None:
    """A text, None where it is empty or blank."""
    return (value.strip() or None) if value else None


def day(value: str | None, field: str) -> int:
    """A date that must be there, in days since 1970-01-01.

    Raises:
        DataError: ``E-FIELD-MISSING`` or ``E-DATE``.
    """
    try:
        return dates.KNOWN[value]  # type: ignore[index]
    except KeyError:
        pass
    if not value:
        raise DataError("E-FIELD-MISSING", field)
    try:
        return dates.days(value)
    except DataError as error:
        raise DataError(error.code, field) from None


def optional_day(value: str | None, field: str) -> int | None:
    """A date in days since 1970-01-01, None where the field is empty.

    Raises:
        DataError: ``E-DATE``.
    """
    return day(value, field) if value and value.strip() else None


def instant(value: str | None, field: str) -> int:
    """An instant that must be there, ms since 1970; a date alone is its midnight.

    Raises:
        DataError: ``E-FIELD-MISSING`` or ``E-DATE``.
    """
    try:
        return instants.instant_ms(text(value, field))
    except DataError as error:
        raise DataError(error.code, field) from None


def money(value: str | None, field: str, unit: str | None = None) -> int:
    """An amount that must be there, in fen.

    Raises:
        DataError: ``E-FIELD-MISSING`` or ``E-AMOUNT``.
    """
    try:
        return amounts.fen(text(value, field), unit)
    except DataError as error:
        raise DataError(error.code, field, error.detail) from None


def whole(value: str | int | None, field: str) -> int:
    """A whole number that must be there; files give it as text.

    Raises:
        DataError: ``E-FIELD-MISSING`` or ``E-FIELD-TYPE``.
    """
    if isinstance(value, int):
        return value
    digits = text(value, field).removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise DataError("E-FIELD-TYPE", field, "not a whole number")
    return int(digits)


def code(value: str | None, table: Mapping[str, T], field: str) -> T:
    """A department's code in the hub's terms.

    Raises:
        DataError: ``E-FIELD-MISSING`` or ``E-CODE-UNKNOWN``.
    """
    try:
        return table[value]  # type: ignore[index]
    except KeyError:
        pass
    try:
        return table[text(value, field)]
    except KeyError:
        raise DataError("E-CODE-UNKNOWN", field) from None


def category(value: str | None, field: str) -> str:
    """A category of assistance by code or any of its names (``五保`` is ``TEKUN``).

    Raises:
        DataError: ``E-FIELD-MISSING`` or ``E-CODE-UNKNOWN``.
    """
    written = text(value, field)
    found = aliases().find("category", written)
    if found is None and written.isascii() and written.isupper():
        found = written if written in CATEGORIES else None
    if found is None:
        raise DataError("E-CODE-UNKNOWN", field)
    return found


CATEGORIES = frozenset(("MONITORED", "RELATIVE", "LOW_INCOME", "EDGE", "EXPEND", "DIBAO", "TEKUN"))
"""Codes of the main categories that a department may grant."""


def counted(number: str | int | None, field: str) -> str:
    """A counted version as text whose order is that of the numbers (20 digits).

    Raises:
        DataError: ``E-FIELD-MISSING`` or ``E-FIELD-TYPE``.
    """
    try:
        return _COUNTED[number]
    except KeyError:
        pass
    found = f"{whole(number, field):020}"
    if len(_COUNTED) < _COUNTED_KEPT:
        _COUNTED[number] = found
    return found


_COUNTED: dict[str | int | None, str] = {}
_COUNTED_KEPT = 1024

FIRST = f"{1:020}"
"""The first counted version of a record."""


def content_hash(raw: msgspec.Struct) -> str:
    """Version of a record whose source counts none: a digest of its declared fields."""
    return blake2b(msgspec.json.encode(raw), digest_size=8).hexdigest()


class Mapper(NamedTuple):
    """A mapping function and the structure it takes."""

    raw: type[msgspec.Struct]
    function: MapFunction


def load_mapper(manifest: Manifest, item: Item) -> Mapper:
    """The mapping function that an item names.

    Raises:
        ConfigurationError: the module cannot be imported, has no such function, or the
            function does not take one ``msgspec.Struct``.
    """
    place = manifest.folder / "mappings.py"
    function = getattr(_module(manifest.folder), item.mapping, None)
    if not callable(function):
        raise _refusal(place, item, f"has no function {item.mapping}", "没有此函数")
    hints = get_type_hints(function)
    names = list(inspect.signature(function).parameters)
    raw = hints.get(names[0]) if len(names) == 1 else None
    if not (isinstance(raw, type) and issubclass(raw, msgspec.Struct)):
        raise _refusal(place, item, "takes no msgspec.Struct", "参数应为一个 msgspec.Struct")
    return Mapper(raw, function)


def raw_schema(manifest: Manifest, item: Item) -> dict[str, Any]:
    """JSON Schema of the item's raw record, for departments that write to the gateway."""
    schema = msgspec.json.schema(load_mapper(manifest, item).raw)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:gov:hub:raw:{item.topic}",
        "title": f"{item.zh} / {item.en}",
        **schema,
    }


@cache
def _module(folder: Path) -> ModuleType:
    place = folder / "mappings.py"
    try:
        if folder.parent == shipped_folder():
            return import_module(f"connectors.{folder.name}.mappings")
        return _import_outside(folder)
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(
            f"{place} cannot be imported: {type(error).__name__}: {error}.",
            hint="Correct the connector, then run 'hub connectors check'.",
            message_zh=f"{place} 无法导入:{error}。请更正后运行 hub connectors check。",
        ) from error


def _import_outside(folder: Path) -> ModuleType:
    # A name of its own per folder: it can shadow no other module and sys.path stays as it is.
    mark = blake2b(str(folder).encode(), digest_size=6).hexdigest()
    name = f"hub_connector_{mark}"
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    package.__spec__ = ModuleSpec(name, None, is_package=True)
    sys.modules[name] = package
    spec = spec_from_file_location(f"{name}.mappings", folder / "mappings.py")
    if spec is None or spec.loader is None:
        raise ImportError("no module mappings")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return module


def _refusal(place: Path, item: Item, english: str, chinese: str) -> ConfigurationError:
    key = f"items[{item.id}].mapping"
    return ConfigurationError(
        f"{place.with_name(FILE)}: {key}: {place.name} {english}.",
        hint="Correct the connector, then run 'hub connectors check'.",
        message_zh=f"{place.with_name(FILE)}:{key}:{item.mapping} {chinese}。",
    )
