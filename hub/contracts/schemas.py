"""Avro schemas derived from the vocabulary and the grants; each one stands on its own.

A copy's schema holds the granted fields and no others, so the schema itself proves the mask.
"""

from __future__ import annotations

from typing import Any

from hub.contracts.grants import Grant
from hub.contracts.vocabularies import EventType, Field, Group, Vocabulary

Schema = Any
"""A parsed Avro schema: dict, list or name."""

INSTANT = {"type": "long", "logicalType": "timestamp-millis"}
DATE = {"type": "int", "logicalType": "date"}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}
UID = {"type": "fixed", "name": "Uid", "namespace": "gov.hub", "size": 16}
CODE = {"type": "string", "code": True}
"""Text that repeats from record to record; the mark tells codecs that keeping it pays."""
LIFECYCLE = "Lifecycle"
SEALED = "_sealed"
"""Ending of the sibling field that will hold a group's ciphertext."""

_PLAIN: dict[str, Schema] = {
    "string": "string",
    "code": CODE,
    "bool": "boolean",
    "int": "long",
    "date": DATE,
    "instant": INSTANT,
    "money": MONEY,
    "strings": {"type": "array", "items": "string"},
}

ENVELOPE: tuple[tuple[str, Schema, bool, str], ...] = (
    ("event_id", "string", False, "事件编号 / Event id, UUIDv5"),
    ("source", CODE, False, "来源连接器 / Connector"),
    ("source_record_key", "string", False, "来源记录键(不含证件号码) / Key at the source"),
    ("source_version", "string", False, "来源版本 / Version at the source"),
    ("lifecycle", LIFECYCLE, False, "生命周期 / Lifecycle"),
    ("replaces", "string", True, "所更正、撤销或终止的事件 / Event this one replaces"),
    ("uid", UID, True, "人员标识 / Keyed hash of the resident ID"),
    ("household", "string", True, "家庭编号 / Household"),
    ("jurisdiction", CODE, False, "辖区代码 / Division code"),
    ("occurred_at", INSTANT, False, "发生时间 / When it happened"),
    ("effective_from", DATE, False, "生效日期 / From when it counts"),
    ("observed_at", INSTANT, True, "来源发现时间 / When the source noticed"),
    ("recorded", INSTANT, False, "登记时间 / When the connector made the record"),
    ("correlation_id", "string", False, "事项编号 / One matter"),
    ("causation_id", "string", True, "起因事件 / Causing event"),
    ("decision_id", "string", True, "决定编号 / Decision of a named person"),
    ("authorization_ref", "string", True, "授权书编号 / Signed authorisation"),
    ("evidence_ref", "string", True, "证据摘要 / Hash of the evidence"),
    ("profile_version", CODE, True, "辖区配置版本 / Version of the profile"),
    ("catalog_id", CODE, False, "共享目录编号 / Sharing catalogue item"),
    ("digest", "bytes", False, "内容摘要 / Digest over the content"),
)
"""Attributes of the canonical event except type and groups: name, type, nullable, doc."""

COPY_ENVELOPE: tuple[tuple[str, Schema, bool, str], ...] = (
    ("copy_id", "string", False, "副本编号 / Copy id, UUIDv5"),
    ("type", CODE, False, "类型 / Type shown to this receiver"),
    ("subscription", CODE, False, "订阅编号 / Subscription"),
    ("occurred_at", INSTANT, False, "发生时间 / When it happened"),
    ("lifecycle", LIFECYCLE, False, "生命周期 / Lifecycle"),
    ("replaces", "string", True, "所替代的副本 / Copy this one replaces"),
    ("correlation_id", "string", False, "事项假名编号 / One matter, pairwise pseudonym"),
    ("causation_id", "string", True, "起因假名编号 / Cause, pairwise pseudonym"),
    ("jurisdiction", CODE, False, "辖区代码 / Division code"),
    ("rule_id", CODE, False, "规则 / Rule"),
    ("rule_version", CODE, False, "规则版本 / Version of the rule"),
    ("reason_zh", CODE, False, "中文理由 / Reason, Chinese"),
    ("reason_en", CODE, False, "英文理由 / Reason, English"),
    ("mask_version", CODE, False, "字段授权版本 / Version of the field mask"),
    ("masked", {"type": "array", "items": "string"}, False, "被隐去的字段组 / Groups held back"),
    ("referral_id", "string", True, "转介编号 / Referral"),
    ("due_at", INSTANT, True, "答复期限 / Answer due"),
    ("decision_id", "string", True, "决定编号 / Decision"),
    ("profile_version", CODE, True, "辖区配置版本 / Version of the profile"),
    ("legal_basis", CODE, False, "法律依据 / Legal basis"),
    ("purpose", CODE, False, "用途 / Purpose"),
    ("catalog_id", CODE, False, "共享目录编号 / Sharing catalogue item"),
)
"""The envelope of copies: name, type, nullable, doc."""


class _Writer:
    """Writes one schema; a named type is spelled out once and named afterwards."""

    def __init__(self, vocabulary: Vocabulary, namespace: str) -> None:
        self.vocabulary = vocabulary
        self.namespace = namespace
        self.named: set[str] = set()

    def once(self, full_name: str, schema: Schema) -> Schema:
        if full_name in self.named:
            return full_name
        self.named.add(full_name)
        return schema

    def enum(self, name: str) -> Schema:
        return self.once(
            f"gov.enum.{name}",
            {
                "type": "enum",
                "name": name,
                "namespace": "gov.enum",
                "symbols": list(self.vocabulary.enums[name]),
                "default": "UNKNOWN",
            },
        )

    def type(self, declared: str, *, copies: bool) -> Schema:
        kind, _, name = declared.partition(":")
        if kind == "enum":
            return self.enum(name)
        if kind == "list":
            record = self.vocabulary.records[name]
            unwanted = "internal" if copies else "derived"
            fields = [field for field in record.fields.values() if not getattr(field, unwanted)]
            return {"type": "array", "items": self.record(record, name, fields, copies=copies)}
        return _PLAIN[kind]

    def record(self, group: Group, name: str, fields: list[Field], *, copies: bool) -> Schema:
        full_name = f"{self.namespace}.{name}"
        if full_name in self.named:
            return full_name
        self.named.add(full_name)
        return {
            "type": "record",
            "name": name,
            "namespace": self.namespace,
            "doc": f"{group.zh} / {group.en}",
            "fields": [self.field(group, field, copies=copies) for field in fields],
        }

    def field(self, group: Group, field: Field, *, copies: bool) -> Schema:
        return {
            "name": field.name,
            "type": ["null", self.type(field.type, copies=copies)],
            "default": None,
            "doc": f"{field.zh} / {field.en}",
            "class": field.klass,
            "owner": group.owner,
        }

    def envelope(self, name: str, declared: tuple[tuple[str, Schema, bool, str], ...]) -> Schema:
        fields = []
        for field, kind, nullable, doc in declared:
            schema = kind
            if kind == LIFECYCLE:
                schema = self.enum(LIFECYCLE)
            elif kind == UID:
                schema = self.once("gov.hub.Uid", UID)
            entry = {"name": field, "type": ["null", schema] if nullable else schema}
            if nullable:
                entry["default"] = None
            fields.append(entry | {"doc": doc, "class": _class(field), "owner": "hub"})
        return {"type": "record", "name": name, "namespace": "gov.hub", "fields": fields}


def _class(field: str) -> str:
    return "pseudonym" if field in {"uid", "household"} else "none"


def type_name(group: str) -> str:
    """Avro name of a group's record: ``medcost`` → ``Medcost``."""
    return "".join(part.capitalize() for part in group.split("_"))


def _nullable(name: str, schema: Schema, doc: str, klass: str, owner: str) -> Schema:
    return {
        "name": name,
        "type": ["null", schema],
        "default": None,
        "doc": doc,
        "class": klass,
        "owner": owner,
    }


def event_schema(event: EventType, vocabulary: Vocabulary) -> Schema:
    """The Avro schema of one event type."""
    writer = _Writer(vocabulary, "gov.group")
    fields = [
        {
            "name": "envelope",
            "type": writer.envelope("Envelope", ENVELOPE),
            "doc": "信封 / Envelope",
            "class": "pseudonym",
            "owner": "hub",
        }
    ]
    for name in event.groups:
        group = vocabulary.groups[name]
        kept = [field for field in group.fields.values() if not field.derived]
        schema = writer.record(group, type_name(name), kept, copies=False)
        doc = f"{group.zh} / {group.en}"
        fields.append(_nullable(name, schema, doc, group.klass, group.owner))
        sealed = f"{doc},密文 / sealed"
        fields.append(_nullable(f"{name}{SEALED}", "bytes", sealed, group.klass, group.owner))
    namespace, _, name = event.record_name.rpartition(".")
    return {
        "type": "record",
        "name": name,
        "namespace": namespace,
        "doc": f"{event.zh} / {event.en}",
        "fields": fields,
    }


def copy_schema(grant: Grant, vocabulary: Vocabulary) -> Schema:
    """The Avro schema of every copy that one receiver gets."""
    namespace = f"gov.program.{grant.program.replace('-', '_')}"
    writer = _Writer(vocabulary, namespace)
    pseudonyms = (
        ("person_ref", "本方人员假名 / Pseudonym of the person for this receiver"),
        ("household_ref", "本方家庭假名 / Pseudonym of the household for this receiver"),
    )
    fields = [
        {
            "name": "envelope",
            "type": writer.envelope("CopyEnvelope", COPY_ENVELOPE),
            "doc": "信封 / Envelope",
            "class": "none",
            "owner": "hub",
        },
        *(_nullable(name, "string", doc, "pseudonym", "hub") for name, doc in pseudonyms),
        *_granted(writer, grant),
    ]
    for name in grant.bodies:
        body = vocabulary.bodies[name]
        schema = writer.record(body, type_name(name), list(body.fields.values()), copies=True)
        fields.append(_nullable(name, schema, f"{body.zh} / {body.en}", body.klass, body.owner))
    if "roster" in grant.bodies:
        rows = {"type": "array", "items": _row(writer, grant)}
        fields.append(_nullable("rows", rows, "名册各行 / Rows of the roster", "personal", "hub"))
    return {
        "type": "record",
        "name": "Copy",
        "namespace": namespace,
        "doc": f"发往{grant.zh}的副本 / Copy for: {grant.en}",
        "fields": fields,
    }


def _granted(writer: _Writer, grant: Grant) -> list[Schema]:
    fields = []
    for name, granted in grant.groups.items():
        group = writer.vocabulary.groups[name]
        kept = [group.fields[field] for field in granted]
        schema = writer.record(group, type_name(name), kept, copies=True)
        doc = f"{group.zh} / {group.en}"
        fields.append(_nullable(name, schema, doc, group.klass, group.owner))
    return fields


def _row(writer: _Writer, grant: Grant) -> Schema:
    key = {"name": "row_key", "type": "string", "doc": "行键 / Row key"}
    person = _nullable("person_ref", "string", "本方人员假名 / Pseudonym", "pseudonym", "hub")
    return {
        "type": "record",
        "name": "Row",
        "namespace": writer.namespace,
        "doc": "名册的一行 / One row of the roster",
        "fields": [
            key | {"class": "pseudonym", "owner": "hub"},
            person,
            *_granted(writer, grant),
        ],
    }
