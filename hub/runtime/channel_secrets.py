"""Channel secrets: addresses, passwords and signing secrets of alert channels, out of plain sight.

What is typed lies in the database encrypted under ``k_channel``, a key of the hub's folder of
secrets. A value may also be a reference, ``env:HUB_ALERT_NAME`` or ``file:NAME``, which is looked
up where and when a message is posted. References reach nothing but what was put there for alerts,
or an administrator of the console could have any file of the machine posted to any address.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from hub.kernel.errors import ConfigurationError
from hub.kernel.secrets import Secrets
from hub.kernel.settings import Settings
from hub.monitoring.channels import Channel
from hub.transports.messengers import NotSentError

KEY = "k_channel"
FIELDS = ("url", "secret", "password")
"""Fields of a channel that are secret; addresses of bots hold their key."""
_SEALED, _ENV, _FILE = "sealed:", "env:", "file:"
VARIABLE = re.compile(r"HUB_ALERT_[A-Z0-9_]{1,60}")
"""Variables of the environment that a channel may refer to."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_PURPOSE = b"hub/alert-channels"


def is_reference(value: str) -> bool:
    """Whether a value says where the secret stands instead of being it."""
    return value.startswith((_ENV, _FILE))


def in_clear(channel: Channel) -> bool:
    """Whether a secret of a channel on record is the secret itself."""
    values = (getattr(channel, name) for name in FIELDS)
    return any(one and not is_reference(one) and not one.startswith(_SEALED) for one in values)


class ChannelSecrets:
    """Seals and opens the secret fields of channels.

    Args:
        settings: Tell the folder of secrets; the key is read whenever it is needed, so that a
            file put there later works without a new start.
        environ: Environment variables.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        self._settings, self._environ = settings, environ

    def seal(self, channel: Channel) -> Channel:
        """The channel as it is put on record: nothing in it is a secret in clear.

        Raises:
            ConfigurationError: a reference leads elsewhere than to what is there for alerts, or a
                secret was typed and this process has no key.
        """
        return _changed(channel, self._sealed)

    def open(self, channel: Channel) -> Channel:
        """The channel as it is posted to.

        Raises:
            NotSentError: a secret cannot be had here; it says which kind, never a value.
        """
        return _changed(channel, self._opened)

    def _sealed(self, value: str) -> str:
        if not value:
            return value
        if is_reference(value):
            if not self._leads_to_alerts(value):
                raise ConfigurationError(
                    "A reference of a channel is env:HUB_ALERT_… or file:NAME.",
                    hint="Files lie in the folder 'alerts' of the secrets.",
                    message_zh="通道密钥的引用应为 env:HUB_ALERT_… 或 file:文件名"
                    "(位于密钥目录的 alerts 中)。",
                )
            return value
        return _SEALED + self._key().encrypt(value.encode()).decode()

    def _leads_to_alerts(self, value: str) -> bool:
        if value.startswith(_ENV):
            return bool(VARIABLE.fullmatch(value.removeprefix(_ENV)))
        return self._file(value) is not None

    def _opened(self, value: str) -> str:
        if value.startswith(_SEALED):
            return self._unsealed(value.removeprefix(_SEALED))
        if not is_reference(value):
            return value
        if not self._leads_to_alerts(value):
            raise NotSentError("reference outside the places of alerts")
        if value.startswith(_ENV):
            found = self._environ.get(value.removeprefix(_ENV), "")
        else:
            found = self._read(value)
        if not found:
            raise NotSentError(f"nothing stands at {value.partition(':')[0]}:")
        return found

    def _unsealed(self, token: str) -> str:
        try:
            return self._key().decrypt(token.encode()).decode()
        except ConfigurationError:
            raise NotSentError(f"no key {KEY}") from None
        except InvalidToken:
            raise NotSentError(f"sealed under another {KEY}") from None

    def _key(self) -> Fernet:
        secret = Secrets.load(self._settings, (KEY,), self._environ)[KEY].reveal()
        return Fernet(base64.urlsafe_b64encode(hmac.digest(secret, _PURPOSE, "sha256")))

    def _file(self, value: str) -> Path | None:
        folder, name = self._settings.secrets / "alerts", value.removeprefix(_FILE)
        path = Path(name)
        if path.is_absolute() and path.parent != folder.absolute():
            return None
        return folder / path.name if _NAME.fullmatch(path.name) and _one(path) else None

    def _read(self, value: str) -> str:
        path = self._file(value)
        try:
            # A link could lead out of the folder.
            if path is None or path.is_symlink():
                return ""
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""


def _one(path: Path) -> bool:
    return path.is_absolute() or len(path.parts) == 1


def _changed(channel: Channel, change: Callable[[str], str]) -> Channel:
    values = {name: change(getattr(channel, name)) for name in FIELDS}
    return msgspec.structs.replace(channel, **values)
