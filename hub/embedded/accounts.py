"""Accounts: PostgreSQL refuses to run as root, so root lends it an account of its own.

The account gets no more than it needs: the data folder is its own, and on the folders above it
and above the programs it may pass through, not list.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

from hub.kernel.errors import HubError

NAME = "pgserver"


class Account(NamedTuple):
    """A system account: user number and group number."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """The account to run PostgreSQL as, made when missing; None unless this process is root.

    Raises:
        HubError: there is none and none can be made.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        entry = _made()
    return Account(entry.pw_uid, entry.pw_gid)


def _made() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--shell", "/usr/sbin/nologin", NAME]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed text
        return pwd.getpwnam(NAME)
    except (OSError, KeyError, subprocess.CalledProcessError) as error:
        raise HubError(
            f"PostgreSQL does not run as root, and the account {NAME} cannot be made.",
            hint="Run the hub as an ordinary user, or name a server in HUB_DATABASE.",
            message_zh=f"PostgreSQL 不能以 root 运行,且无法创建账户 {NAME}。"
            "请以普通用户运行,或用 HUB_DATABASE 指定数据库。",
        ) from error


def let_pass(path: Path, account: Account) -> None:
    """Let the account pass through every folder above a path; folders stay unlisted.

    Raises:
        HubError: a folder is closed to it and cannot be opened.
    """
    for folder in path.absolute().parents:
        if _may(folder.stat(), account, stat.S_IXOTH):
            continue
        try:
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)
        except OSError as error:
            raise HubError(
                f"PostgreSQL runs as {NAME}, which cannot pass through {folder}.",
                hint="Set HUB_DATA_DIR to a folder such as /var/lib/assistance-hub,"
                " or run the hub as an ordinary user.",
                message_zh=f"PostgreSQL 以 {NAME} 账户运行,无法进入 {folder}。"
                "请把 HUB_DATA_DIR 设为 /var/lib/assistance-hub 之类的目录,或以普通用户运行。",
            ) from error


def let_run(programs: Path, account: Account) -> None:
    """Let the account read and run an installed tree, where the installer's umask closed it."""
    let_pass(programs / "bin", account)
    probe = programs / "bin" / "postgres"
    wanted = stat.S_IROTH | stat.S_IXOTH
    if all(_may(p.stat(), account, wanted) for p in (programs, probe.parent, probe)):
        return
    for path in (programs, *programs.rglob("*")):
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            run = stat.S_IXOTH if path.is_dir() or mode & stat.S_IXUSR else 0
            path.chmod(mode | stat.S_IROTH | run)


def _may(found: os.stat_result, account: Account, others: int) -> bool:
    if found.st_uid == account.uid:
        shift = 6
    elif found.st_gid == account.gid:
        shift = 3
    else:
        shift = 0
    return (found.st_mode >> shift) & others == others
