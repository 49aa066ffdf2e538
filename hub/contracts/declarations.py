"""Reading the declarations: YAML files into typed structures, errors that name file and key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec
import yaml

from hub.kernel.errors import ConfigurationError

T = TypeVar("T")

_AT = re.compile(r"(?P<what>.*?) - at `(?P<key>[^`]*)`", re.DOTALL)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML without repeated keys: the second would silently win."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """A mapping, refused if one of its own keys stands there twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value} stands there twice",
                    problem_mark=key.start_mark,
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def parse(text: str) -> Any:
    """A YAML text as it stands, by the fast parser where there is one.

    Raises:
        yaml.YAMLError: not YAML, or a key stands there twice.
    """
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from the safe loader


def read(path: Path, kind: type[T]) -> T:
    """A YAML file as a structure.

    Args:
        path: The file.
        kind: A msgspec structure that forbids unknown keys.

    Raises:
        ConfigurationError: unreadable, not YAML, an unknown, repeated, missing or mistyped key.
    """
    try:
        tree = parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        refuse(path, "", " ".join(str(error).split()))
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        found = _AT.fullmatch(str(error))
        refuse(path, found["key"].removeprefix("$") if found else "", str(error))


def refuse(path: Path | str, key: str, what: str, zh: str = "") -> NoReturn:
    """Refuse a declaration.

    Args:
        path: The file.
        key: The key in it.
        what: What is wrong, English.
        zh: The same, Chinese.

    Raises:
        ConfigurationError: always; it names file and key.
    """
    place = f"{path}: {key}" if key else str(path)
    raise ConfigurationError(
        f"{place}: {what}.",
        hint="Correct this file; nothing was started.",
        message_zh=f"{place}:{zh or what}。请更正该文件。",
    )
