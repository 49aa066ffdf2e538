"""Operators: who acts, and what a command of theirs works with."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import typer

from hub.cli.languages import both
from hub.kernel.errors import HubError

if TYPE_CHECKING:
    import asyncpg

    from hub.kernel.settings import Settings
    from hub.runtime.originals import Log
    from hub.runtime.wirings import Wiring

AS = both("操作人账号,记入审计", "account of the person who acts, for the audit")
REASON = both("理由,记入审计", "why, for the audit")
APPLY = both("真正执行;不加则只演示", "do it; without it, only show what would happen")
JSON = both("以 JSON 输出", "print JSON")
SINCE = both("起始时刻,如 2025-04-01 或 2025-04-01T08:00", "from then on, e.g. 2025-04-01T08:00")
UNTIL = both("截止时刻(不含)", "before then")
AsPerson = typer.Option("--as", help=AS)
_ACCOUNT = re.compile(r"[a-z][a-z0-9._-]{1,39}")
_LONG = re.compile(r"[0-9]{6}")


class Desk(NamedTuple):
    """What an operator's command works with."""

    connection: asyncpg.Connection
    log: Log
    settings: Settings
    now: int


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """Database, broker and settings of the hub in force.

    Raises:
        HubError: one of them cannot be reached.
    """
    from aiokafka.errors import KafkaError

    from hub.cli.addresses import addresses
    from hub.cli.stores import store
    from hub.kernel.settings import settings
    from hub.runtime.originals import log
    from hub.runtime.quiet_logs import install

    install()
    found = addresses(settings())
    chosen = settings().model_copy(update={"kafka": found.kafka, "database": found.database})
    async with store() as (connection, now):
        try:
            async with log(chosen.kafka) as reader:
                yield Desk(connection, reader, chosen, now)
        except KafkaError as error:
            raise HubError(
                f"Kafka cannot be reached or refused: {type(error).__name__}.",
                hint="Check HUB_KAFKA, then run 'hub doctor'.",
                message_zh="无法连接 Kafka 或被其拒绝;请检查 HUB_KAFKA,再运行 hub doctor。",
            ) from error


def wired(settings: Settings) -> Wiring:
    """The hub of the profile in force; needs its secrets, which must be there.

    Raises:
        HubError: a secret is missing.
    """
    from hub.kernel.secrets import NAMES, Secrets
    from hub.runtime.wiring import wire

    return wire(settings, Secrets.load(settings, NAMES))


def person(name: str | None, reason: str | None) -> tuple[str, str]:
    """Who acts and why; both are needed for whatever changes something.

    Raises:
        HubError: one is missing, or the account looks like a name or a number of a person.
    """
    if not name or not _ACCOUNT.fullmatch(name) or _LONG.search(name):
        raise HubError(
            "Say who acts: --as ACCOUNT, lower-case letters, digits, '.', '_' and '-'.",
            message_zh="须注明操作人:--as 账号(小写字母、数字及 . _ -)。",
        )
    if not reason or not reason.strip():
        raise HubError("Say why: --reason TEXT.", message_zh="须说明理由:--reason 文字。")
    if _LONG.search(reason):
        raise HubError(
            "A reason holds no long number: it is kept in the audit.",
            message_zh="理由中不要写长号码:它会留在审计记录里。",
        )
    return name, reason.strip()


def instant(text: str | None) -> int | None:
    """Ms since 1970 of a day or an instant, Asia/Shanghai unless a zone is given.

    Raises:
        HubError: neither.
    """
    from hub.kernel.clocks import SHANGHAI, epoch_ms

    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise HubError(
            f"{text} is no instant.",
            hint="Write 2025-04-01 or 2025-04-01T08:00.",
            message_zh=f"{text} 不是时刻;请写成 2025-04-01 或 2025-04-01T08:00。",
        ) from None
    return epoch_ms(found if found.tzinfo else found.replace(tzinfo=SHANGHAI))
