"""Division codes of a record as of its day, each looked up once."""

from __future__ import annotations

from typing import Any

from hub.kernel.dates import date_of
from hub.kernel.divisions import Divisions
from hub.kernel.errors import DataError

_KEPT = 65_536
FIELDS = {
    "area": (("residence_area", "area.residence_area"), ("hukou_area", "area.hukou_area")),
    "move": (("from_area", "move.from_area"), ("to_area", "move.to_area")),
}
"""Fields of a group that hold codes, with their paths."""


class Areas:
    """Resolves codes; a code and a day seen before cost one look-up.

    Args:
        divisions: The table of divisions.
    """

    def __init__(self, divisions: Divisions) -> None:
        self._divisions = divisions
        self._known: dict[tuple[str, int], str] = {}

    def resolve(self, code: str, day: int, field: str) -> str:
        """The code of the unit that is live on a day (days since 1970-01-01).

        Raises:
            DataError: ``E-AREA-UNKNOWN`` with the field.
        """
        try:
            return self._known[code, day]
        except KeyError:
            pass
        try:
            found = self._divisions.resolve(code, date_of(day))
        except DataError as error:
            raise DataError(error.code, field, error.detail) from None
        except (ValueError, OverflowError):
            raise DataError("E-DATE", "effective_from") from None
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[code, day] = found
        return found

    def settle(self, group: str, fields: dict[str, Any], day: int) -> None:
        """Replace the codes of a field group by those of the units live on a day.

        Raises:
            DataError: ``E-AREA-UNKNOWN`` with the field.
        """
        for name, path in FIELDS[group]:
            code = fields.get(name)
            if code:
                fields[name] = self.resolve(code, day, path)
