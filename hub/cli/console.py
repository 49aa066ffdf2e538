"""``hub console``: the operators' console, and the accounts of its people."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.languages import both
from hub.cli.loops import run, serve
from hub.cli.output import line, moment, say, table
from hub.kernel.errors import ConfigurationError, HubError

if TYPE_CHECKING:
    from hub.store.accounts import Account

app = typer.Typer(
    no_args_is_help=True, help=both("运维控制台与账号", "operators' console and its accounts")
)
user = typer.Typer(no_args_is_help=True, help=both("账号:新增、列出", "accounts: add, list"))
app.add_typer(user, name="user")

PORT = both("端口,0 为任意空闲端口", "port; 0: any free one")
ROLE = both(
    "viewer、operator、department、program、auditor、admin",
    "viewer, operator, department, program, auditor or admin",
)
SCOPE = both("部门或项目(仅用于这两种角色)", "which department or program (those roles only)")
REVEAL = both("允许逐次填写理由后查看脱敏字段", "may reveal masked fields, with a reason each time")
SUBJECT = both(
    "统一登录身份 issuer|subject(登录被拒时页面会显示);不设密码",
    "issuer|subject at the sign-in service, as its refused sign-in shows it; no password then",
)


@app.command("serve", help=both("启动控制台,直到 Ctrl-C", "serve until Ctrl-C"))
def start(port: Annotated[int | None, typer.Option(help=PORT)] = None) -> None:
    """Serve until Ctrl-C."""
    serve(_serve(port))


async def _serve(port: int | None) -> None:
    import asyncio

    from hub.cli.addresses import addresses
    from hub.console.servers import serving
    from hub.kernel.settings import settings

    chosen = settings()
    if port is not None:
        chosen = chosen.model_copy(update={"console_port": port})
    found = addresses(chosen)
    async with serving(chosen, kafka=found.kafka, database=found.database) as url:
        line(f"{both('控制台', 'console')}: {url}/")
        await asyncio.Event().wait()


@user.command(
    "add", help=both("新增账号并显示首个密码", "make an account, show its first password")
)
def add(
    account: Annotated[str, typer.Argument(help=both("登录名", "sign-in name"))],
    name: Annotated[str, typer.Option(help=both("姓名", "the person's name"))] = "",
    role: Annotated[str, typer.Option(help=ROLE)] = "viewer",
    scope: Annotated[str, typer.Option(help=SCOPE)] = "",
    reveal: Annotated[bool, typer.Option("--reveal", help=REVEAL)] = False,
    subject: Annotated[str, typer.Option(help=SUBJECT)] = "",
) -> None:
    """Make an account."""
    password = "" if subject else secrets.token_urlsafe(12)
    run(_add(account, name or account, role, scope, reveal, password, subject))
    if subject:
        say(f"账号 {account} 已建立,由统一登录服务登录", f"made {account}; it signs in outside")
        return
    say(f"账号 {account} 已建立,首个密码:{password}", f"made {account}; first password: {password}")
    say("请登录后尽快修改。", "change it after signing in.")


async def _add(
    account: str, name: str, role: str, scope: str, reveal: bool, password: str, subject: str
) -> None:
    from hub.cli.stores import store
    from hub.console import acts, passwords
    from hub.console.permissions import ROLES, SCOPED
    from hub.store import accounts

    if role not in ROLES or (role in SCOPED) != bool(scope):
        raise ConfigurationError(
            f"The role '{role}' does not fit.",
            hint="Roles department and program need --scope; the others have none.",
            message_zh=f"角色 {role} 不可用;department 与 program 需要 --scope,其余不带。",
        )
    extra = ("reveal",) if reveal else ()
    async with store() as (connection, now), connection.transaction():
        new = await accounts.add(
            connection, account, shown=name, role=role, scope=scope or None, extra=extra,
            password=passwords.hashed(password) if password else None,
            subject=subject or None, by="cli", now=now,
        )  # fmt: skip
        if not new:
            raise HubError(
                f"There is an account {account} or one of that subject.",
                message_zh=f"账号 {account} 或该统一登录身份已存在。",
            )
        await acts.note(
            connection, "cli", "account_added", now=now, target=account, role=role, extra=extra
        )


@user.command("list", help=both("列出账号", "list accounts"))
def listing() -> None:
    """List accounts."""
    rows = run(_list())
    table(
        [
            ("账号", "account"),
            ("姓名", "name"),
            ("角色", "role"),
            ("范围", "scope"),
            ("最近", "seen"),
        ],
        [(r.id, r.name, r.role, r.scope or "", moment(r.last_seen_at)) for r in rows],
    )


async def _list() -> list[Account]:
    from hub.cli.stores import store
    from hub.store import accounts

    async with store() as (connection, _):
        return await accounts.every(connection)
