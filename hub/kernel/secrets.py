"""Secrets of the hub: from the environment, from files, or made once on a test system.

A value is looked for in ``HUB_SECRET_<NAME>`` (hexadecimal), then in the file ``<name>`` in the
folder of keys. It never stands in a log line: no ``repr`` shows it.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from hub.kernel.errors import ConfigurationError
from hub.kernel.settings import Settings

SIZE = 32
"""Bytes of a secret, at least."""
NAMES = ("k_uid", "k_route", "k_program", "k_copy")
"""``K_uid``, ``K_route``, the master of all ``K_program``, and the key of copies' ids."""


class Secret:
    """Bytes that show themselves only when asked to."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The bytes."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("A secret is not pickled; the other process loads its own.")


class Secrets:
    """The secrets one process holds; a part of the hub gets only those it needs."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Secret]) -> None:
        self._values = dict(values)

    @classmethod
    def load(
        cls,
        settings: Settings,
        names: Iterable[str] = NAMES,
        environ: Mapping[str, str] = os.environ,
        *,
        make: bool | None = None,
    ) -> Secrets:
        """Find every secret; make missing ones where the hub runs on its own.

        Args:
            settings: Tell the folder of keys. Missing secrets are made only with an embedded
                database or invented people: on several real machines each would make another
                ``K_uid`` and one person would become many.
            names: The secrets wanted.
            environ: Environment variables.
            make: Make missing ones; None: as said above.

        Raises:
            ConfigurationError: a secret is missing, short, weak or not hexadecimal.
        """
        if make is None:
            make = settings.synthetic_people or not settings.database
        return cls({name: _find(name, settings.secrets, environ, make=make) for name in names})

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self._values)})"

    def __getitem__(self, name: str) -> Secret:
        try:
            return self._values[name]
        except KeyError:
            raise ConfigurationError(
                f"This process does not hold the secret {name}.",
                hint="Name it when loading the secrets.",
                message_zh=f"本进程未加载密钥 {name}。",
            ) from None

    @property
    def k_uid(self) -> bytes:
        """``K_uid``, for :class:`hub.kernel.person_keys.UidKey`."""
        return self["k_uid"].reveal()

    @property
    def k_route(self) -> bytes:
        """``K_route``, for :class:`hub.kernel.person_keys.RouteKey`."""
        return self["k_route"].reveal()

    @property
    def k_program(self) -> bytes:
        """The master of program keys, for :func:`hub.kernel.person_keys.program_key`."""
        return self["k_program"].reveal()

    @property
    def k_copy(self) -> bytes:
        """The key of copies' ids, for :class:`hub.kernel.event_ids.CopyIds`."""
        return self["k_copy"].reveal()


def _find(name: str, folder: Path, environ: Mapping[str, str], *, make: bool) -> Secret:
    variable = f"HUB_SECRET_{name.upper()}"
    if environ.get(variable):
        return _parsed(environ[variable], variable)
    path = folder / name
    if make and not path.exists():
        _make(path)
    try:
        return _parsed(path.read_text(encoding="ascii"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The secret {name} cannot be read from {path}.",
            hint=f"Put the same file on every machine of this hub, or set {variable}.",
            message_zh=f"无法从 {path} 读取密钥 {name};请在每台机器上放置同一文件,"
            f"或设置 {variable}。",
        ) from error


def _parsed(text: str, place: str) -> Secret:
    try:
        value = bytes.fromhex(text.strip())
    except ValueError:
        # "from None": the text that failed must not reach a traceback.
        value = b""
    if len(value) < SIZE or len(set(value)) < SIZE // 4:
        raise ConfigurationError(
            f"The secret in {place} is not {SIZE} random bytes as hexadecimal text.",
            hint="Make one with: openssl rand -hex 32",
            message_zh=f"{place} 中的密钥不是 {SIZE} 字节随机数的十六进制文本。",
        )
    return Secret(value)


def _make(path: Path) -> None:
    # Linking never replaces a file, so of several processes one wins and all read its secret.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SIZE) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()


def loose(folder: Path) -> list[Path]:
    """Keys and folders that others on this machine may read; ``hub doctor`` reports them."""
    if not folder.is_dir():
        return []
    return [path for path in (folder, *sorted(folder.iterdir())) if path.stat().st_mode & 0o077]
