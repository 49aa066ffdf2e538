"""``hub schemas``: derive the Avro schemas, look at them, check them against the last release."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.output import json_document, line, say, table
from hub.contracts.compatibility import MODES, check
from hub.contracts.registries import build, read_ids, stale
from hub.kernel.errors import ConfigurationError
from hub.kernel.places import shipped

DIFFERS = 3
"""Exit code where files are stale or schemas are not compatible."""
RELEASED = "released"
BUILT = ("events", "programs")

app = typer.Typer(
    help="消息模式:生成、列出、检查兼容 · Schemas: derive, list, check compatibility",
    no_args_is_help=True,
    add_completion=False,
)
Json = Annotated[bool, typer.Option("--json", help="输出 JSON · JSON output")]


@app.command("build")
def derive(
    check_only: Annotated[
        bool, typer.Option("--check", help="只检查,不写文件;过期时退出码为 3 · Only check (exit 3)")
    ] = False,
) -> None:
    """由词表与授权表生成全部模式 · Derive all schemas from vocabulary and grants."""
    folder = shipped("schemas")
    if check_only:
        wrong = stale(folder)
        for name in wrong:
            line(name)
        if wrong:
            say("请运行 hub schemas build。", "Run 'hub schemas build'.")
            raise typer.Exit(DIFFERS)
        say("模式文件均为最新。", "All schemas are up to date.")
        return
    written = build(folder)
    for name in written:
        line(name)
    say(f"已写入 {len(written)} 个文件。", f"{len(written)} files written.")


@app.command("list")
def list_schemas(*, as_json: Json = False) -> None:
    """列出模式编号与文件 · List schema ids and files."""
    rows = read_ids(shipped("schemas"))
    latest = {row.file: row.id for row in rows}
    if as_json:
        json_document(
            [
                {"id": row.id, "file": row.file, "current": latest[row.file] == row.id}
                for row in rows
            ]
        )
        return
    columns = [("编号", "id"), ("文件", "file"), ("当前", "current")]
    table(
        columns,
        [(row.id, row.file, "✓" if latest[row.file] == row.id else "") for row in rows],
        right=(0,),
    )


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="事件类型、项目或编号 · Event type, program or id")],
    *,
    as_json: Json = False,
) -> None:
    """查看一个模式的字段,或其 Avro 文本 · Fields of one schema, or its Avro text."""
    from hub.contracts.registries import Registry

    registry = Registry(shipped("schemas"))
    files = (name, f"events/{name}.avsc", f"programs/{name}.avsc")
    found = next((registry.latest[file] for file in files if file in registry.latest), None)
    schema_id = int(name) if name.isdigit() else found
    if schema_id not in registry.schemas:
        raise ConfigurationError(
            f"There is no schema '{name}'.",
            hint="'hub schemas list' lists them.",
            message_zh=f"没有模式 {name}。",
        )
    schema = registry.schemas[schema_id]
    if as_json:
        json_document(schema)
        return
    columns = [("字段", "field"), ("类型", "type"), ("类别", "class"), ("说明", "meaning")]
    say(f"编号 {schema_id}", f"id {schema_id}")
    table(columns, _fields(schema, ""))


def _fields(schema: Any, path: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for field in schema["fields"]:
        kind = field["type"][1] if isinstance(field["type"], list) else field["type"]
        place = f"{path}{field['name']}"
        rows.append((place, _type(kind), field.get("class", ""), field.get("doc", "")))
        if isinstance(kind, dict) and kind["type"] == "array":
            kind = kind["items"]
        if isinstance(kind, dict) and kind["type"] == "record":
            rows += _fields(kind, f"{place}.")
    return rows


def _type(kind: Any) -> str:
    if isinstance(kind, dict):
        return str(kind.get("logicalType") or kind.get("name") or kind["type"])
    return str(kind)


@app.command("check")
def compare(
    mode: Annotated[str, typer.Option(help="兼容方式 · Mode")] = "FULL_TRANSITIVE",
    *,
    as_json: Json = False,
) -> None:
    """与上一次发布比对兼容性;不兼容时退出码为 3 · Compare with the last release (exit 3)."""
    if mode not in MODES:
        raise ConfigurationError(
            f"The mode {mode} is not known.",
            hint=f"Use one of {', '.join(MODES)}.",
            message_zh=f"没有兼容方式 {mode}。",
        )
    folder = shipped("schemas")
    found = []
    for old in sorted((folder / RELEASED).rglob("*.avsc")):
        name = str(old.relative_to(folder / RELEASED))
        new = folder / name
        if not new.exists():
            found.append({"file": name, "path": "/", "zh": "模式被删除", "en": "removed"})
            continue
        findings = check(_schema(new), [_schema(old)], mode)
        found += [{"file": name, "path": f.path, "zh": f.zh, "en": f.en} for f in findings]
    if as_json:
        json_document(found)
    elif found:
        columns = [("文件", "file"), ("位置", "place"), ("原因", "reason")]
        table(columns, [(f["file"], f["path"], f"{f['zh']} · {f['en']}") for f in found])
    else:
        say("与上一次发布兼容。", "Compatible with the last release.")
    if found:
        raise typer.Exit(DIFFERS)


@app.command("release")
def release() -> None:
    """把当前模式记为已发布 · Record the current schemas as released."""
    folder = shipped("schemas")
    target = folder / RELEASED
    if target.exists():
        shutil.rmtree(target)
    for part in BUILT:
        shutil.copytree(folder / part, target / part)
    say("已记录。", "Recorded.")


def _schema(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
