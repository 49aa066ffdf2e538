"""Points where a fault test may kill a connector; nothing happens at them otherwise."""

from __future__ import annotations

from collections.abc import Callable

READ = "src.read"
"""Rows were read, nothing is published."""
PUBLISHED = "src.published"
"""The broker has acknowledged, the cursor has not moved."""
CURSOR = "src.cursor"
"""The cursor has moved."""

Hit = Callable[[str], None]
"""Told the name of the point."""


def unarmed(_point: str) -> None:
    """Do nothing."""
