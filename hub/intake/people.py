"""People in a record: checked ID number, uid, group ``id``, members of a household."""

from __future__ import annotations

import re
from typing import Any

from hub.kernel import dates, texts
from hub.kernel.errors import DataError
from hub.kernel.person_keys import UidKey
from hub.kernel.resident_ids import checked
from hub.sdk.observations import Member

AGE_BANDS = (3, 6, 12, 15, 18, 60, 80)
"""First ages of the bands: ``0-2``, ``3-5``, ``6-11``, ``12-14``, ``15-17``, ``18-59``,
``60-79``, ``80+``."""

SEXES = dict(zip("0123456789", ("female", "male") * 5, strict=True))
IS_HAN = re.compile("[\u4e00-\u9fff]{2,8}").fullmatch
_days = dates.days


class People:
    """Turns ID numbers into uids.

    Args:
        key: ``K_uid``.
        synthetic: Whether invented people are accepted here.
    """

    def __init__(self, key: UidKey, *, synthetic: bool) -> None:
        self._uid = key.uid
        self._synthetic = synthetic

    def person(self, text: str, name: str | None, latest: str) -> tuple[bytes, dict[str, Any]]:
        """Uid and group ``id`` of a person.

        Args:
            text: ID number as the source wrote it.
            name: Name as the source wrote it.
            latest: Day of the record as ``YYYYMMDD``: nobody was born after it.

        Raises:
            DataError: ``E-ID-…``; 15 digits are ``E-ID-15``, as no state can tell whose.
        """
        number = checked(text, self._synthetic, latest)
        return self._uid(number), {
            "name": name if name is None or IS_HAN(name) else texts.name(name) or None,
            "id_type": "resident",
            "id_number": number,
            "birth_date": _days(number[6:14]),
            "sex": SEXES[number[16]],
        }

    def members(
        self, members: tuple[Member, ...], day: int, latest: str
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """Members in the hub's form, and their ID numbers.

        Raises:
            DataError: ``E-ID-…`` with the place of the member; ``E-FIELD-TYPE`` for a person
                who stands there twice.
        """
        found, numbers = [], []
        for place, member in enumerate(members):
            try:
                uid, identity = self.person(member.id_number, member.name, latest)
            except DataError as error:
                field = f"members[{place}].id_number"
                raise DataError(error.code, field, error.detail) from None
            numbers.append(identity["id_number"])
            found.append(
                {
                    "ref": uid.hex(),
                    "relation": member.relation,
                    "age_band": age_band(identity["birth_date"], day),
                    "valid_from": member.valid_from,
                    "valid_to": member.valid_to,
                    "name": identity["name"],
                    "id_number": identity["id_number"],
                }
            )
        if len({(one["ref"], one["valid_from"]) for one in found}) < len(found):
            raise DataError("E-FIELD-TYPE", "members", "one person twice")
        return found, numbers


def age_band(birth: int, day: int) -> str:
    """Band of the age on a day; both are days since 1970-01-01."""
    born, on = dates.date_of(birth), dates.date_of(day)
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    start = 0
    for bound in AGE_BANDS:
        if age < bound:
            return f"{start}-{bound - 1}"
        start = bound
    return f"{start}+"
