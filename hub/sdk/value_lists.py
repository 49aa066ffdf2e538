"""Value lists: large sets of hashed ids that a subscription may be limited to.

A profile keeps them as ``lists/<name>.txt``: one uid a line, 32 hexadecimal digits. A uid is a
keyed hash, so without the key the file names nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from hub.contracts.declarations import refuse
from hub.kernel.id_sets import IdSet
from hub.sdk.subscriptions import Subscription

_LINES = 1 << 20
"""Characters read at a time."""


def load_value_list(path: Path) -> IdSet:
    """Read one file.

    Raises:
        ConfigurationError: unreadable, or a line is no uid; names the file and the line.
    """
    try:
        return IdSet(_pieces(path))
    except (OSError, UnicodeDecodeError) as error:
        refuse(path, "", f"cannot be read: {type(error).__name__}")


def _pieces(path: Path) -> Iterator[bytes]:
    number = 0
    with path.open(encoding="ascii") as file:
        while lines := file.readlines(_LINES):
            for number, line in enumerate(lines, number + 1):  # noqa: B020 - goes on counting
                if len(line.strip()) != 32:
                    refuse(path, f"line {number}", "is not 32 hexadecimal digits")
            try:
                yield bytes.fromhex("".join(lines))
            except ValueError:
                refuse(path, f"line {number}", "or one before it is not hexadecimal")


def load_value_lists(folder: Path, subscriptions: Iterable[Subscription]) -> dict[str, IdSet]:
    """The lists that entries are limited to, by name; each is read once.

    Args:
        folder: ``programs`` of a profile; the lists lie beside it in ``lists``.
        subscriptions: Whose entries are looked at.

    Raises:
        ConfigurationError: as :func:`load_value_list`.
    """
    names = {entry.among for one in subscriptions for entry in one.subscribes}
    place = folder.parent / "lists"
    return {name: load_value_list(place / f"{name}.txt") for name in sorted(filter(None, names))}
