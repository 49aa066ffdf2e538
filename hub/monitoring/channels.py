"""Channels: where the words of alerts go."""

from __future__ import annotations

import msgspec

SMTP, WEBHOOK, WECOM, DINGTALK = "smtp", "webhook", "wecom", "dingtalk"
KINDS = (SMTP, WEBHOOK, WECOM, DINGTALK)


class Channel(msgspec.Struct, frozen=True):
    """Where words go.

    Attributes:
        language: ``zh``, ``en`` or ``both``.
        url: Of a webhook or bot.
        secret: DingTalk's signing secret, or what a webhook verifies with; empty: unsigned.
        host: Of the mail server.
        tls: ``none``, ``starttls`` or ``tls``.
        to: Mail addresses.
        console: Address of the console, for links; empty: none.
    """

    id: str
    kind: str
    language: str = "both"
    url: str = ""
    secret: str = ""
    host: str = ""
    port: int = 25
    tls: str = "none"
    user: str = ""
    password: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    console: str = ""

    def __repr__(self) -> str:
        return f"Channel({self.id}, {self.kind})"
