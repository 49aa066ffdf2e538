"""Compositions: the text of one generated writer, put together from the schema of its event.

The statements follow the checks of :mod:`hub.intake.normalisers`; the pieces follow the schema.
Names that begin with ``a_`` are Avro bytes, with ``d_`` packed bytes for the content digest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.contracts.digests import list_head, map_head, pack
from hub.contracts.encoders import Source, compile_group, repeats_whole
from hub.contracts.interpreters import names_of, resolved
from hub.contracts.schemas import Schema
from hub.contracts.wires import NULL, SOME, zigzag
from hub.intake import tables
from hub.intake.areas import FIELDS, Areas

ID = "id"
"""The group that intake itself sets."""
_TEXT = 36
_DIGEST = 8

_COMMON = (
    "if found.members: stumble[0]",
    "occurred = found.occurred",
    "happened, a_occurred, d_occurred = instants[occurred]",
    "today, latest, a_recorded = recordings[recorded]",
    "effective = happened if found.effective is None else found.effective",
    "if happened > today: stumble[0]",
    # A table finds 1 for True and 1.0 as well.
    "if occurred.__class__ is not int or effective.__class__ is not int: stumble[0]",
    "a_effective, d_effective = days[effective]",
    "record_key = found.record_key",
    "matter = found.correlation",
    "version = found.version or version",
    "event_id = identify(record_key, version or occurred)",
    "replaces = original(*found.replaces) if found.replaces else None",
    "b_matter = matter.encode()",
    "a_matter = P[len(b_matter) + more] + begin + b_matter if b_matter else own + event_id",
    "d_household = nil if found.household is None else pack(found.household)",
    "a_place, headers = places[found.jurisdiction or division, effective]",
    "groups = found.groups",
)
_PERSON = (
    "number = checked(found.id_number, synthetic, latest)",
    "if number in record_key or number in matter: stumble[0]",
    "b_number = number.encode()",
    "uid = resident(b_number)",
    "a_birth, d_birth = births[number[6:14]]",
    "a_sex, d_sex = sexes[number[16]]",
    "name = found.name",
    "if name and not is_han(name): name = tidy(name)",
    "b_name = name.encode() if name else E",
    "a_name = PU[len(b_name)] if name else N",
    "d_name = Q[len(b_name)] if name else nil",
)
_VALUES = {
    "source_record_key": "record_key",
    "source_version": "version",
    "lifecycle": "found.lifecycle",
    "causation_id": "None",
    "decision_id": "found.decision_id",
    "authorization_ref": "found.authorization_ref",
    "evidence_ref": "found.evidence_ref",
    "profile_version": "None",
}
_OPTIONAL: dict[str, tuple[str | bytes, ...]] = {
    "replaces": ("(N if replaces is None else nullable(replaces))",),
    "household": ("(N if found.household is None else nullable(found.household))",),
    "observed_at": ("(N if found.observed is None else moment(found.observed))",),
}
"""Attributes that are rarely there: one piece each, as pieces cost even where they are empty."""
_IDENTITY: dict[str, tuple[str | bytes, ...]] = {
    "name": ("a_name", "b_name"),
    "id_type": (tables.nullable("resident"),),
    "id_number": (SOME + zigzag(18), "b_number"),
    "birth_date": ("a_birth",),
    "sex": ("a_sex",),
}
_DIGESTED: dict[str, tuple[str | bytes, ...]] = {
    "birth_date": ("d_birth",),
    "id_number": (pack("0" * 18)[:-18], "b_number"),
    "id_type": (pack("resident"),),
    "name": ("d_name", "b_name"),
    "sex": ("d_sex",),
}
_HELD = {
    "boolean": "v is None or v is True or v is False",
    "int": "v is None or v.__class__ is int",
}


class Composition:
    """A writer in the making.

    Args:
        schema: Of the event.
        present: Names of the groups, without ``id``.
        named: Whether a person is named.
        required: Groups without which only an annulment is written.
        areas: Division codes.
    """

    def __init__(
        self,
        schema: Schema,
        present: list[str],
        required: tuple[str, ...],
        areas: Areas,
        *,
        named: bool,
    ) -> None:
        self._names = names_of(schema)
        self._fields = {field["name"]: field["type"] for field in schema["fields"]}
        self._envelope = resolved(self._fields.pop("envelope"), self._names)[1]["fields"]
        groups = {*present, ID} if named else {*present}
        if not groups <= self._fields.keys():
            raise KeyError("a group that is not declared")
        self._present, self._groups, self._required = present, groups, required
        self._areas, self._named = areas, named
        self._source = Source(self._names)

    def made(
        self, head: bytes, connector: str, catalog_id: str, space: Mapping[str, Any]
    ) -> Callable[..., Any]:
        """The writer.

        Args:
            head: Bytes before the Avro body.
            connector: Connector id.
            catalog_id: Sharing catalogue item.
            space: What the statements name.
        """
        source = self._source
        begin = f"{connector}:".encode()
        symbols = self._symbols()
        source.space |= {
            "more": len(begin),
            "begin": begin,
            "own": zigzag(_TEXT),
            "nil": pack(None),
            "nullable": tables.nullable,
            "moment": tables.moment,
            "lives": {symbol: pack(symbol) for symbol in symbols},
            **space,
        }
        source.lines += [*_COMMON, *(_PERSON if self._named else ())]
        if not {*self._required} <= self._groups:
            source.lines.append("if found.lifecycle != 'annulled': stumble[0]")
        for name in self._present:
            self._group(name)
        self._digest()
        source.constant(head)
        source.envelope(self._envelope, _VALUES, self._attributes(connector, catalog_id))
        for name in self._fields:
            self._place(name)
        key = "uid" if self._named else "fallback(origin, record_key)"
        answer = f'topic, {key}, {{}}, [("ce_id", event_id), *headers]'
        return source.made("found, version, recorded", answer)

    def _symbols(self) -> list[str]:
        (kind,) = (field["type"] for field in self._envelope if field["name"] == "lifecycle")
        symbols: list[str] = resolved(kind, self._names)[1]["symbols"]
        return symbols

    def _attributes(self, connector: str, catalog_id: str) -> dict[str, tuple[str | bytes, ...]]:
        return {
            **_OPTIONAL,
            "event_id": (zigzag(_TEXT), "event_id"),
            "source": (tables.text(connector),),
            "uid": (SOME, "uid") if self._named else (NULL,),
            "jurisdiction": ("a_place",),
            "occurred_at": ("a_occurred",),
            "effective_from": ("a_effective",),
            "recorded": ("a_recorded",),
            "correlation_id": ("a_matter",),
            "catalog_id": (tables.text(catalog_id),),
            "digest": (zigzag(_DIGEST), "digest"),
        }

    def _group(self, name: str) -> None:
        """Statements that leave a group's bytes in ``a_group_<name>`` and ``d_group_<name>``."""
        source = self._source
        schema = resolved(self._fields[name][1], self._names)[1]
        group, encode = f"group_{name}", compile_group(schema, self._names)
        source.lines.append(f"{group} = groups[{name!r}]")
        if name in self._required:
            source.lines.append(f"if not {group}: stumble[0]")
        if name in FIELDS:
            table = source.bind(tables.Groups(tables.settled(self._areas, name, encode)), "table")
            key = f"(*{group}, *{group}.values(), effective)"
        elif repeats_whole(schema, self._names):
            table = source.bind(tables.Groups(tables.group(encode)), "table")
            key = f"(*{group}, *{group}.values())"
            self._typed(schema, group)
        else:
            call = source.bind(encode, "encode")
            source.lines.append(f"a_group_{name}, d_group_{name} = {call}({group}), pack({group})")
            return
        source.lines.append(f"a_group_{name}, d_group_{name} = {table}[{key}]")

    def _typed(self, schema: Schema, group: str) -> None:
        """Values a table could mistake for others are of their type or go the general way."""
        for field in schema["fields"]:
            kind = resolved(field["type"][1], self._names)[0]
            if kind in _HELD:
                self._source.lines += [
                    f"v = {group}.get({field['name']!r})",
                    f"if not ({_HELD[kind]}): stumble[0]",
                ]

    def _digest(self) -> None:
        parts = Source(self._names)
        parts.constant(list_head(7))
        if self._named:
            parts.constant(pack(bytes(16))[:-16])
            parts.add("uid")
        else:
            parts.constant(pack(None))
        parts.add("d_household", "d_occurred", "d_effective", "lives[found.lifecycle]")
        parts.add("Q[len(b_matter)]", "b_matter")
        parts.constant(map_head(self._groups))
        for name in sorted(self._groups):
            parts.constant(pack(name))
            if name != ID:
                parts.add(f"d_group_{name}")
                continue
            parts.constant(map_head(_DIGESTED))
            for field, pieces in sorted(_DIGESTED.items()):
                parts.constant(pack(field))
                parts.put(pieces)
        self._source.lines.append(f"digest = digested(join(({', '.join(parts.pieces)},)))")

    def _place(self, name: str) -> None:
        """Pieces of one group, there or not."""
        source = self._source
        if name not in self._groups:
            source.constant(NULL)
            return
        source.constant(SOME)
        if name != ID:
            source.add(f"a_group_{name}")
            return
        for field in resolved(self._fields[ID][1], self._names)[1]["fields"]:
            source.put(_IDENTITY.get(field["name"], (NULL,)))
