"""Schema pages: versions, two side by side, who writes and reads, and a check before saving."""

from __future__ import annotations

import difflib
import json
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Form, Request, Response

from hub.console.contexts import Console, Here
from hub.console.languages import mark
from hub.console.permissions import Permission
from hub.console.screens import page
from hub.console.visitors import Checked, Signed, Visitor
from hub.contracts.catalogues import Catalogue, catalogue
from hub.contracts.compatibility import Finding, check
from hub.contracts.registries import text_of

router = APIRouter(include_in_schema=False)
MODE = "FULL_TRANSITIVE"
_LARGEST = 200_000
_CONTEXT = 3


class Cell(NamedTuple):
    """One line of one side: its number (0: none), text, and ``same``, ``gone`` or ``new``."""

    number: int
    text: str
    kind: str


class FieldLine(NamedTuple):
    """A field of a schema with what is declared of it.

    Attributes:
        path: Group and field.
        type: As Avro names it.
        doc: Chinese and English.
        klass: Class of protection; empty: none declared.
        owner: Department that answers for it.
        users: Programs granted it.
    """

    path: str
    type: str
    doc: str
    klass: str
    owner: str
    users: tuple[str, ...]


def side_by_side(old: str, new: str) -> list[tuple[Cell, Cell]]:
    """Two texts line by line; long equal stretches are left out."""
    left, right = old.splitlines(), new.splitlines()
    rows: list[tuple[Cell, Cell]] = []
    matcher = difflib.SequenceMatcher(a=left, b=right, autojunk=False)
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        if rows:
            rows.append((Cell(0, "…", "same"), Cell(0, "…", "same")))
        for tag, a, b, c, d in group:
            kinds = ("same", "same") if tag == "equal" else ("gone", "new")
            rows += [
                (_cell(left, a + step, b, kinds[0]), _cell(right, c + step, d, kinds[1]))
                for step in range(max(b - a, d - c))
            ]
    return rows


def _cell(lines: list[str], at: int, end: int, kind: str) -> Cell:
    return Cell(at + 1, lines[at], kind) if at < end else Cell(0, "", "same")


def fields_of(schema: Any, known: Catalogue) -> list[FieldLine]:
    """Every field of a schema, groups opened, the envelope last."""
    users: dict[str, list[str]] = {}
    for grant in known.grants.values():
        for one in grant.fields:
            users.setdefault(f"{one.group}.{one.field}", []).append(grant.program)
    found = []
    # What a record says first, its envelope, which all have in common, last.
    for group in sorted(schema["fields"], key=lambda one: one["name"] == "envelope"):
        inside = _record(group["type"])
        for field in inside["fields"] if inside else [group]:
            path = f"{group['name']}.{field['name']}" if inside else field["name"]
            found.append(
                FieldLine(
                    path,
                    type_name(field["type"]),
                    field.get("doc", ""),
                    field.get("class", ""),
                    field.get("owner", ""),
                    tuple(users.get(path, ())),
                )
            )
    return found


def _record(kind: Any) -> Any:
    branches = kind if isinstance(kind, list) else [kind]
    return next((b for b in branches if isinstance(b, dict) and b["type"] == "record"), None)


def type_name(kind: Any) -> str:
    """A type in a few words: ``date?`` may be absent."""
    if isinstance(kind, list):
        rest = " | ".join(type_name(one) for one in kind if one != "null")
        return f"{rest}?" if "null" in kind else rest
    if isinstance(kind, dict):
        if kind["type"] == "array":
            return f"[{type_name(kind['items'])}]"
        return str(kind.get("logicalType") or kind.get("name") or kind["type"])
    return str(kind)


@router.get("/schemas")
async def schemas(request: Request, console: Here, visitor: Signed) -> Response:
    """The register, or one file with ``?file=``, two versions with ``&old=&new=``."""
    visitor.need(Permission.VIEW)
    file = request.query_params.get("file", "")
    if file:
        return _one(request, console, visitor, file)
    known = catalogue()
    files: dict[str, list[int]] = {}
    for number, name in known.files_by_id.items():
        files.setdefault(name, []).append(number)
    return page(
        request,
        "schemas.html",
        visitor=visitor,
        files=sorted(files.items()),
        topics={name: _topics(known, name) for name in files},
        names=console.names,
    )


def _topics(known: Catalogue, file: str) -> list[Any]:
    return [one for one in known.topics.values() if file in one.schemas]


@router.post("/schemas")
async def judge(
    request: Request,
    console: Here,
    visitor: Checked,
    file: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
) -> Response:
    """Whether a changed schema may follow all its versions, with the reasons; nothing is saved."""
    visitor.need(Permission.VIEW)
    return _one(request, console, visitor, file, text[:_LARGEST])


def _one(
    request: Request, console: Console, visitor: Visitor, file: str, text: str = ""
) -> Response:
    known = catalogue()
    ids = [number for number, name in known.files_by_id.items() if name == file]
    if not ids:
        missing = mark("No such schema is registered.")
        return page(request, "problem.html", visitor=visitor, status=404, text=missing)
    old, new = (_chosen(request, name, ids) for name in ("old", "new"))
    old, new = old or ids[max(0, len(ids) - 2)], new or ids[-1]
    problem, findings = _judged(text, [known.schemas_by_id[one] for one in ids])
    return page(
        request,
        "schema.html",
        visitor=visitor,
        file=file,
        ids=ids,
        old=old,
        new=new,
        diff=side_by_side(text_of(known.schemas_by_id[old]), text_of(known.schemas_by_id[new])),
        fields=fields_of(known.schemas_by_id[ids[-1]], known),
        topics=_topics(known, file),
        current=text_of(known.schemas_by_id[ids[-1]]),
        text=text,
        problem=problem,
        findings=findings,
        changes=side_by_side(text_of(known.schemas_by_id[ids[-1]]), text) if text else [],
        mode=MODE,
        names=console.names,
    )


def _chosen(request: Request, name: str, ids: list[int]) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() and int(text[:9]) in ids else 0


def _judged(text: str, versions: list[Any]) -> tuple[str, list[Finding] | None]:
    """What is wrong with the text itself, and the reasons against it; None: not judged."""
    if not text:
        return "", None
    try:
        schema = json.loads(text)
        if not isinstance(schema, dict) or schema.get("type") != "record":
            return mark("An Avro record schema is expected."), None
        return "", check(schema, versions, MODE)
    except (ValueError, RecursionError):
        return mark("This is no JSON."), None
    except (KeyError, TypeError, AttributeError):
        return mark(
            "This is JSON, but no Avro schema: a name, type or list of fields is missing."
        ), None
