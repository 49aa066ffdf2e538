"""Scaffold of a connector: a folder that is valid from the start, with examples and a test."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template

from hub.contracts.catalogues import Catalogue, catalogue
from hub.contracts.vocabularies import EventType, Field
from hub.kernel.errors import ConfigurationError
from hub.kernel.resident_ids import check_character
from hub.sdk.manifests import FILE, load_manifest

_MANIFEST = Template("""\
id: $id
zh: $id
en: $id
division: "320682"
items:
  - id: records
    zh: $event_zh
    en: $event_en
    ways: view
    topic: in.$id.records
    events: [$event]
    mapping: record
    key: 记录编号
    person: 证件号码
    version: 版本号
    refresh: {every: P1D, working_days: true}
    rank: 50
    legal_basis: 政务数据共享条例(国务院令第809号)
    purpose: 社会救助
    catalog_id: 320682/$id/001
    view:
      table: 记录表
      key: [记录编号, 版本号]
      order: 更新时间
      order_kind: timestamp
      overlap: PT10M
""")

_MAPPINGS = Template('''\
"""记录表: one row per record; put the department's own columns and codes here."""

from __future__ import annotations

import msgspec
from msgspec import field

from hub.sdk import mappings as m
from hub.sdk.instants import midnight
from hub.sdk.observations import Observation, Original

LIFECYCLES = {"1": "created", "2": "corrected", "3": "annulled"}
"""记录状态: 1 有效, 2 更正, 3 撤销."""


class Record(msgspec.Struct, gc=False):
    """One row."""

    number: str = field(name="记录编号")
    on: str = field(name="发生日期")
    content: str = field(name="内容")
    state: str = field(name="记录状态")
    version: int | str = field(name="版本号")
    person: str | None = field(name="姓名", default=None)
    id_number: str | None = field(name="证件号码", default=None)


def record(raw: Record) -> Observation:
    """$event: $event_en."""
    on = m.day(raw.on, "发生日期")
    lifecycle = m.code(raw.state, LIFECYCLES, "记录状态")
    event = "$event"
    return Observation(
        type=event,
        record_key=raw.number,
        version=m.counted(raw.version, "版本号"),
        id_number=m.text(raw.id_number, "证件号码"),
        name=raw.person,
        occurred=midnight(on),
        lifecycle=lifecycle,
        replaces=None if lifecycle == "created" else Original(raw.number, event, m.FIRST),
        groups=$groups,
    )
''')

_FIXTURES = Template("""\
# Invented people (ID prefix 99 cannot exist): records and what they become.
good:
  - title: 新增
    raw:
      记录编号: JL0001
      发生日期: "2025-03-01"
      内容: $content
      记录状态: "1"
      版本号: 1
      姓名: 王建国
      证件号码: $person
    events:
      - {type: $event, effective_from: "2025-03-01", lifecycle: created}
  - title: 撤销
    change: {记录状态: "3", 版本号: 2}
    events:
      - {type: $event, lifecycle: annulled}
bad:
  - {title: 校验码错误, change: {证件号码: $wrong}, code: E-ID-CHECK}
  - {title: 日期无效, change: {发生日期: "2025-02-30"}, code: E-DATE, field: 发生日期}
  - {title: 未知状态, change: {记录状态: "9"}, code: E-CODE-UNKNOWN, field: 记录状态}
  - {title: 不是 JSON, text: "{", code: E-JSON}
""")

_TEST = '''\
"""The examples of this connector become what they say."""

from __future__ import annotations

from pathlib import Path

from hub.contracts.declarations import read
from hub.intake.rehearsals import Fixtures, rehearse
from hub.sdk.manifests import load_manifest

FOLDER = Path(__file__).parents[1]


def test_every_example_becomes_what_it_says():
    manifest = load_manifest(FOLDER)
    for item in manifest.items:
        fixtures = read(FOLDER / "fixtures" / f"{item.id}.yaml", Fixtures)
        assert rehearse(manifest, item, fixtures) == []
'''


def scaffold(connector: str, parent: Path, declared: Catalogue | None = None) -> list[Path]:
    """Write a new connector.

    Args:
        connector: Its id; some event type must name it as a publisher.
        parent: Folder above the new one.
        declared: Event types; ``None``: the shipped catalogue.

    Returns:
        The files written.

    Raises:
        ConfigurationError: the folder exists, or no event type may come from this connector.
    """
    place = declared or catalogue()
    folder = parent / connector.replace("-", "_")
    if folder.exists():
        raise ConfigurationError(
            f"{folder} exists already.",
            hint="Choose another id or folder.",
            message_zh=f"{folder} 已存在。",
        )
    event = _first_event(connector, place)
    files = {folder / name: text for name, text in _texts(connector, event, place).items()}
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    load_manifest(folder, place)
    return list(files)


def _first_event(connector: str, place: Catalogue) -> EventType:
    for event in place.events.values():
        if connector in event.publishers and "event" in event.carried:
            return event
    known = {who for event in place.events.values() for who in event.publishers}
    raise ConfigurationError(
        f"No event type names '{connector}' as a publisher.",
        hint=f"Add it in schemas/vocabulary.yaml, or use one of: "
        f"{', '.join(sorted(known - {'hub', 'program'}))}.",
        message_zh=f"没有事件类型允许 {connector} 发布,请先在 schemas/vocabulary.yaml 登记。",
    )


def _texts(connector: str, event: EventType, place: Catalogue) -> dict[str, str]:
    groups, content = {}, "示例"
    for name in event.required:
        field, expression = _example(place.groups[name].fields)
        groups[name] = f'{{"{field.name}": {expression}}}'
        if field.name.endswith("_area"):
            content = '"320682"'
    number = "99068219520101103"
    right = check_character(number)
    values = {
        "id": connector,
        "event": event.type,
        "event_zh": json.dumps(event.zh, ensure_ascii=False),
        "event_en": json.dumps(event.en),
        "content": content,
        "person": number + right,
        "wrong": f'"{number}{"0" if right != "0" else "1"}"',
        "groups": "{" + ", ".join(f'"{name}": {text}' for name, text in groups.items()) + "}",
    }
    return {
        "__init__.py": f'"""Connector {connector}."""\n',
        FILE: _MANIFEST.substitute(values),
        "mappings.py": _MAPPINGS.substitute(values | {"event_en": event.en}),
        "fixtures/records.yaml": _FIXTURES.substitute(values),
        f"tests/test_{connector.replace('-', '_')}.py": _TEST,
    }


def _example(fields: dict[str, Field]) -> tuple[Field, str]:
    """A field of a group and the expression that fills it."""
    for kind, expression in _FILLINGS:
        for field in fields.values():
            if field.type == kind and not field.derived:
                return field, expression
    raise ConfigurationError("A group without text or date cannot be scaffolded.")


_FILLINGS = (
    ("string", "raw.content"),
    ("code", "raw.content"),
    ("date", "on"),
    ("strings", "[raw.content]"),
)
