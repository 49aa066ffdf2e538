"""Filters: CEL expressions that choose among masked records; what is masked cannot be asked about.

``record`` holds the masked fields, ``headers`` texts by name, ``key`` the first characters of the
record key, ``offset`` and ``partition`` numbers. A record that lacks a field asked for does not
match.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec
from cel_expr_python import cel

from hub.kernel.errors import DataError

LONGEST = 400
"""Characters of an expression."""
_PERSONAL = re.compile(r"[0-9]{6}|[\u3400-\u9fff]{2}")
VARIABLES = ("record", "headers", "key", "offset", "partition")


@cache
def _environment() -> Any:
    return cel.NewEnv(
        variables={
            "record": cel.Type.DYN,
            "headers": cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
            "key": cel.Type.STRING,
            "offset": cel.Type.INT,
            "partition": cel.Type.INT,
        }
    )


def is_personal(text: str) -> bool:
    """Whether an expression may name a person: it must not stand in an address."""
    return bool(_PERSONAL.search(text))


class Filter:
    """One compiled expression.

    Args:
        text: CEL.

    Raises:
        DataError: ``E-FIELD-TYPE`` with what CEL says of it; it does not compile, is too long, or
            answers something else than yes or no.
    """

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise DataError("E-FIELD-TYPE", "filter", f"longer than {LONGEST} characters")
        try:
            self._expression = _environment().compile(text)
        except RuntimeError as error:
            raise DataError("E-FIELD-TYPE", "filter", _plain(error)) from None
        kind = self._expression.return_type()
        if cel.Type.BOOL != kind != cel.Type.DYN:
            raise DataError("E-FIELD-TYPE", "filter", "it does not answer yes or no")

    def __call__(self, values: dict[str, Any]) -> bool:
        """Whether a record matches.

        Args:
            values: Every one of :data:`VARIABLES`; ``record`` as JSON would hold it.
        """
        try:
            answer = self._expression.eval(data=values)
        except RuntimeError:
            # Too many steps: CEL gives up.
            return False
        return bool(answer.type() == cel.Type.BOOL and answer.value())


def _plain(error: RuntimeError) -> str:
    line = str(error).splitlines()[0]
    return line.partition("ERROR: ")[2] or line


def as_json(fields: Any) -> Any:
    """Masked fields as JSON holds them: no dates, no bytes."""
    return msgspec.json.decode(msgspec.json.encode(fields))
