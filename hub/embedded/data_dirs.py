"""Data folders: one hub at a time in each, and a note where its services are."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.embedded.processes import pid_in
from hub.kernel.errors import HubError


@contextmanager
def sole_use(data_dir: Path) -> Iterator[None]:
    """Hold a data folder. The system lets go when this process ends, however it ends.

    Raises:
        HubError: another hub holds it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with _lock_file(data_dir).open("a+") as lock:
        if not _locked(lock.fileno()):
            holder = pid_in(_lock_file(data_dir))
            raise HubError(
                f"Another hub (process {holder}) uses {data_dir}.",
                hint="Stop that one, or set HUB_DATA_DIR to another folder.",
                message_zh=f"另一个枢纽(进程 {holder})正在使用 {data_dir}。"
                "请先停止它,或用 HUB_DATA_DIR 指定其他目录。",
            )
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        try:
            yield
        finally:
            _note_file(data_dir).unlink(missing_ok=True)
            lock.truncate(0)


def note_addresses(data_dir: Path, kafka: str, database: str) -> None:
    """Note the addresses for commands in other terminals; readable by this user alone."""
    note = _note_file(data_dir)
    draft = note.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps({"kafka": kafka, "database": database}), encoding="utf-8")
    draft.replace(note)


def noted_addresses(data_dir: Path) -> tuple[str, str] | None:
    """Kafka bootstrap and DSN of the hub that runs on this data folder now, or None."""
    if is_abandoned(data_dir) or not _lock_file(data_dir).exists():
        return None
    try:
        noted = json.loads(_note_file(data_dir).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return noted["kafka"], noted["database"]


def is_abandoned(data_dir: Path) -> bool:
    """Whether a hub once held this data folder and none does now."""
    try:
        with _lock_file(data_dir).open("r") as lock:
            return _locked(lock.fileno())
    except FileNotFoundError:
        return False


def _lock_file(data_dir: Path) -> Path:
    return data_dir / "hub.lock"


def _note_file(data_dir: Path) -> Path:
    return data_dir / "services.json"


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
