"""Arrays: numbers and truth values as the text of a PostgreSQL array.

asyncpg looks at every element of an array that is no text, which costs ten times what writing it
down does. A statement takes such a parameter as ``$1::text::bigint[]``.
"""

from __future__ import annotations

from collections.abc import Iterable


def literal(values: Iterable[int | bool | None]) -> str:
    """``{1,NULL,2}``; truth values are spelt as PostgreSQL reads them."""
    return f"{{{','.join(['NULL' if value is None else str(value) for value in values])}}}"
