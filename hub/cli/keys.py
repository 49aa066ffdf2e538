"""``hub keys``: access keys of departments, programs and operators."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.languages import both
from hub.cli.loops import run
from hub.cli.output import json_document, line, moment, say, table
from hub.kernel.errors import HubError

app = typer.Typer(
    no_args_is_help=True,
    help=both("部门、项目、运维人员的访问密钥", "Access keys of departments, programs, operators"),
)
_DAY = 86_400_000
WHO = both("如 department:health、program:medical-aid、operator:zhang", "who will hold it")
DAYS = both("有效天数;不填则直到吊销", "days it is valid; default: until revoked")
JSON = both("以 JSON 输出", "print JSON")


@app.command(
    "init",
    help=both(
        "在密钥目录中生成缺少的密钥(每个枢纽一次)",
        "Make the hub's missing secrets in its secrets folder, once for a hub",
    ),
)
def init() -> None:
    """Make missing secrets; those that are there stay."""
    from hub.gateway.contexts import SESSION_SECRET
    from hub.kernel.secrets import NAMES, Secrets
    from hub.kernel.settings import settings
    from hub.runtime.channel_secrets import KEY as CHANNEL_SECRET

    folder = settings().secrets
    Secrets.load(settings(), (*NAMES, SESSION_SECRET, CHANNEL_SECRET), make=True)
    say(
        f"密钥在 {folder};请备份,并在本枢纽的每台机器上放置同样的文件。",
        f"the secrets are in {folder}: back them up, put the same files on every machine of it.",
    )


@app.command("new", help=both("生成密钥,只显示一次", "Make a key; it is shown once"))
def new(
    principal: Annotated[str, typer.Argument(help=WHO)],
    days: Annotated[int | None, typer.Option(help=DAYS, min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False,
) -> None:
    """Make a key."""
    key_id, token = run(_new(principal, days))
    if as_json:
        json_document({"id": key_id, "principal": principal, "key": token})
        return
    say(
        f"{principal} 的密钥(编号 {key_id}),只显示这一次,枢纽只保存其摘要:",
        f"key of {principal} (id {key_id}), shown this once; the hub keeps its digest only:",
    )
    line(token)


@app.command("list", help=both("列出密钥(不含密钥本身)", "List keys, not the tokens"))
def listing(as_json: Annotated[bool, typer.Option("--json", help=JSON)] = False) -> None:
    """List keys."""
    rows = run(_list())
    if as_json:
        json_document(rows)
        return
    table(
        [
            ("编号", "id"),
            ("持有者", "holder"),
            ("生成", "made"),
            ("到期", "expires"),
            ("吊销", "revoked"),
            ("最近使用", "last used"),
        ],
        [
            (
                row["id"],
                row["principal"],
                moment(row["created_at"]),
                moment(row["expires_at"]),
                moment(row["revoked_at"]),
                moment(row["last_used_at"]),
            )
            for row in rows
        ],
    )


@app.command("revoke", help=both("吊销密钥及其会话", "End a key and its sessions"))
def revoke(
    key_id: Annotated[str, typer.Argument(help=both("密钥编号", "id of the key"))],
) -> None:
    """End a key."""
    if not run(_revoke(key_id)):
        raise HubError(
            f"There is no key {key_id} in force.",
            hint="'hub keys list' shows them.",
            message_zh=f"没有有效的密钥 {key_id};用 hub keys list 查看。",
        )
    say(f"已吊销 {key_id}", f"revoked {key_id}")


async def _new(text: str, days: int | None) -> tuple[str, str]:
    from hub.cli.stores import store
    from hub.gateway.keys import Principal, issue

    principal = Principal.parse(text)
    _check(principal.kind, principal.name)
    async with store() as (connection, now):
        return await issue(
            connection, principal, now=now, expires_at=now + days * _DAY if days else None
        )


def _check(kind: str, name: str) -> None:
    from hub.contracts.catalogues import catalogue
    from hub.sdk.manifests import load_manifests

    if kind == "operator":
        return
    known = set(load_manifests()) if kind == "department" else set(catalogue().grants)
    if name not in known:
        raise HubError(
            f"There is no {kind} {name}.",
            hint="Known: " + ", ".join(sorted(known)) + ".",
            message_zh=f"没有 {kind}:{name}。",
        )


async def _list() -> list[dict[str, Any]]:
    from hub.cli.stores import store
    from hub.store.api_keys import listed

    async with store() as (connection, _):
        return [
            {
                "id": key.id,
                "principal": key.principal,
                "created_at": key.created_at,
                "expires_at": key.expires_at,
                "revoked_at": key.revoked_at,
                "last_used_at": key.last_used_at,
            }
            for key in await listed(connection)
        ]


async def _revoke(key_id: str) -> bool:
    from hub.cli.stores import store
    from hub.store import api_keys

    async with store() as (connection, now):
        return await api_keys.revoke(connection, key_id, now=now)
