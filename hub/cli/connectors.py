"""``hub connectors``: begin one, check all, list, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.output import json_document, line, say, table
from hub.contracts.declarations import read
from hub.intake.rehearsals import Fixtures, rehearse
from hub.kernel.errors import ConfigurationError
from hub.kernel.settings import settings
from hub.sdk.manifests import Item, Manifest, connector_folders, load_manifest, load_manifests
from hub.sdk.mappings import load_mapper, raw_schema
from hub.sdk.scaffolds import scaffold

app = typer.Typer(
    help="部门连接器:新建、检查、列出、查看 · Connectors: begin, check, list, show",
    no_args_is_help=True,
    add_completion=False,
)
Json = Annotated[bool, typer.Option("--json", help="输出 JSON · JSON output")]
Id = Annotated[str, typer.Argument(help="连接器编号 · Connector id", metavar="ID")]


@app.command("new")
def new(
    connector: Id,
    folder: Annotated[Path, typer.Option("--folder", help="上级文件夹 · Folder above it")] = Path(
        "connectors"
    ),
) -> None:
    """新建连接器:清单、映射、样例与测试 · Begin a connector with examples and a test."""
    for path in scaffold(connector, folder):
        line(str(path))
    say(
        f"已建立。请把部门的列和代码写入 mappings.py,再设 HUB_CONNECTORS={folder} 并运行 "
        "hub connectors check。",
        f"Done. Put the department's columns and codes into mappings.py, then set "
        f"HUB_CONNECTORS={folder} and run 'hub connectors check'.",
    )


@app.command("check")
def check(*, as_json: Json = False) -> None:
    """检查全部清单、映射与样例;有问题时退出码为 1 · Check all; exit 1 with findings."""
    findings: list[dict[str, str]] = []
    manifests = []
    for folder in connector_folders(settings()):
        try:
            manifests.append(load_manifest(folder))
        except ConfigurationError as error:
            findings.append(_finding(folder.name, error.message_zh, str(error)))
    for manifest in manifests:
        for item in manifest.items:
            findings += _item_findings(manifest, item)
    if not findings:
        try:
            load_manifests()
        except ConfigurationError as error:
            findings.append(_finding("", error.message_zh, str(error)))
    if as_json:
        json_document({"connectors": len(manifests), "findings": findings})
    else:
        for found in findings:
            line(f"{found['place']}: {found['zh']} · {found['en']}")
        say(
            f"{len(manifests)} 个连接器,{len(findings)} 个问题。",
            f"{len(manifests)} connectors, {len(findings)} findings.",
        )
    if findings:
        raise typer.Exit(1)


def _item_findings(manifest: Manifest, item: Item) -> list[dict[str, str]]:
    place = f"{manifest.id}/{item.id}"
    path = manifest.folder / "fixtures" / f"{item.id}.yaml"
    try:
        load_mapper(manifest, item)
        if not path.is_file():
            return []
        found = rehearse(manifest, item, read(path, Fixtures))
    except ConfigurationError as error:
        return [_finding(place, error.message_zh, str(error))]
    return [_finding(f"{place} {one.title}", one.zh, one.en) for one in found]


def _finding(place: str, zh: str, en: str) -> dict[str, str]:
    return {"place": place, "zh": zh, "en": en}


@app.command("list")
def list_connectors(*, as_json: Json = False) -> None:
    """列出连接器与数据项 · List connectors and their items."""
    items = [(manifest, item) for manifest in load_manifests().values() for item in manifest.items]
    if as_json:
        json_document([_summary(manifest, item) for manifest, item in items])
        return
    table(
        (
            ("连接器", "Connector"),
            ("部门", "Department"),
            ("数据项", "Item"),
            ("方式", "Way"),
            ("主题", "Topic"),
            ("更新", "Refresh"),
            ("事件", "Events"),
        ),
        [
            (
                manifest.id,
                manifest.zh,
                item.zh,
                "、".join(item.ways),
                item.topic,
                item.refresh.every,
                len(item.events),
            )
            for manifest, item in items
        ],
        right=(6,),
    )


def _summary(manifest: Manifest, item: Item) -> dict[str, Any]:
    return {
        "connector": manifest.id,
        "zh": manifest.zh,
        "en": manifest.en,
        "item": item.id,
        "ways": [way.value for way in item.ways],
        "topic": item.topic,
        "refresh": item.refresh.every,
        "events": item.events,
    }


@app.command("show")
def show(connector: Id, *, as_json: Json = False) -> None:
    """查看连接器:方式、字段、法律依据 · Show a connector: ways, fields, legal basis."""
    manifests = load_manifests()
    manifest = manifests.get(connector)
    if manifest is None:
        raise ConfigurationError(
            f"There is no connector {connector}.",
            hint=f"Known: {', '.join(manifests)}.",
            message_zh=f"没有连接器 {connector}。",
        )
    if as_json:
        json_document(_document(manifest))
        return
    say(f"{manifest.zh}({manifest.id})", f"{manifest.en} {manifest.source}")
    line(str(manifest.folder))
    for item in manifest.items:
        _show_item(manifest, item)


def _document(manifest: Manifest) -> dict[str, Any]:
    shown = manifest.model_dump(mode="json", exclude_none=True)
    shown |= {"source": manifest.source, "folder": str(manifest.folder)}
    for item, entry in zip(manifest.items, shown["items"], strict=True):
        entry["raw_schema"] = raw_schema(manifest, item)
    return shown


def _show_item(manifest: Manifest, item: Item) -> None:
    definitions = raw_schema(manifest, item)["$defs"]
    fields = definitions[load_mapper(manifest, item).raw.__name__]["properties"]
    table(
        (("项目", "Item"), ("内容", "Content")),
        (
            ("方式 Way", "、".join(item.ways)),
            ("主题 Topic", item.topic),
            ("事件 Events", "、".join(item.events)),
            ("键 Key", "、".join(item.key)),
            ("证件号码 ID number", item.person),
            ("版本 Version", item.version),
            ("更新 Refresh", item.refresh.every),
            ("来源级别 Rank", item.rank),
            ("依据 Legal basis", item.legal_basis),
            ("用途 Purpose", item.purpose),
            ("目录 Catalogue", item.catalog_id),
            ("字段 Fields", "、".join(fields)),
        ),
        title=(item.zh, item.en),
    )
