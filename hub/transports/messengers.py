"""Messengers: an alert's words to mail, a webhook, WeCom or DingTalk.

A bot answers 200 also when it refuses; its ``errcode`` decides. Errors carry a status or a code,
never an address: the addresses of bots hold their key.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import msgspec
import stamina

from hub.monitoring.channels import DINGTALK, SMTP, WEBHOOK, WECOM, Channel
from hub.monitoring.messages import Message, Words

TIMEOUT = 8.0
_WECOM_BYTES, _DINGTALK_BYTES = 4096, 18_000
_COLOURS = {"warn": "comment", "bad": "warning", "worst": "warning"}


class NotSentError(Exception):
    """A channel did not take a message; the text is fit for a page."""


class PassingError(NotSentError):
    """It may take it in a moment."""


async def send(channel: Channel, message: Message, *, now: int) -> None:
    """Send, trying three times what may pass.

    Args:
        channel: Where to.
        message: The words.
        now: ms since 1970; signed for DingTalk.

    Raises:
        NotSentError: it was not taken.
    """
    async for attempt in stamina.retry_context(
        on=PassingError, attempts=3, timeout=20.0, wait_initial=0.3, wait_max=3.0
    ):
        with attempt:
            if channel.kind == SMTP:
                await asyncio.to_thread(_mail, channel, message)
            else:
                await _post(channel, message, now)


def body_of(channel: Channel, message: Message) -> dict[str, Any]:
    """The JSON that a webhook or bot is sent."""
    words = message.words(channel.language)
    link = f"{channel.console.rstrip('/')}{message.link}" if channel.console else ""
    tail = [f"[{link}]({link})"] if link else []
    if channel.kind == WECOM:
        parts = [_wecom(one, message.severity) for one in words] + tail
        return {"msgtype": "markdown", "markdown": {"content": _cut(parts, _WECOM_BYTES)}}
    if channel.kind == DINGTALK:
        parts = [_dingtalk(one) for one in words] + tail
        text = _cut(parts, _DINGTALK_BYTES)
        return {"msgtype": "markdown", "markdown": {"title": words[0].title, "text": text}}
    fields: dict[str, Any] = msgspec.to_builtins(message)
    return {**fields, "link": link or message.link}


def _wecom(words: Words, severity: str) -> str:
    head = f'**<font color="{_COLOURS[severity]}">{words.title}</font>**'
    return "\n".join([head, *(f"> {line}" for line in words.lines)])


def _dingtalk(words: Words) -> str:
    # A single line feed is a blank to DingTalk; list items keep their lines.
    return "\n".join([f"### {words.title}", "", *(f"- {line}" for line in words.lines)])


def _cut(parts: list[str], most: int) -> str:
    return "\n\n".join(parts).encode()[:most].decode(errors="ignore")


def signed_url(url: str, secret: str, now: int) -> str:
    """DingTalk's signature: HMAC-SHA-256 of time, line feed and secret, under the secret."""
    if not secret:
        return url
    text = f"{now}\n{secret}".encode()
    sign = base64.b64encode(hmac.digest(secret.encode(), text, "sha256")).decode()
    joint = "&" if urlsplit(url).query else "?"
    return f"{url}{joint}timestamp={now}&sign={quote(sign, safe='')}"


async def _post(channel: Channel, message: Message, now: int) -> None:
    body = msgspec.json.encode(body_of(channel, message))
    headers = {"content-type": "application/json; charset=utf-8"}
    url = channel.url
    if channel.kind == DINGTALK:
        url = signed_url(url, channel.secret, now)
    elif channel.kind == WEBHOOK and channel.secret:
        digest = hmac.digest(channel.secret.encode(), body, "sha256").hex()
        headers["x-hub-signature-256"] = f"sha256={digest}"
    try:
        # No proxy from the environment, no redirects: words go where an administrator said.
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
            answer = await client.post(url, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PassingError(type(error).__name__) from None
    if answer.status_code >= 500 or answer.status_code in {408, 429}:
        raise PassingError(f"HTTP {answer.status_code}")
    if not answer.is_success:
        raise NotSentError(f"HTTP {answer.status_code}")
    if channel.kind in {WECOM, DINGTALK}:
        _bot_answer(answer)


def _bot_answer(answer: httpx.Response) -> None:
    try:
        found: Any = answer.json()
    except ValueError:
        found = None
    code = found.get("errcode") if isinstance(found, Mapping) else None
    if code != 0:
        raise NotSentError(f"errcode {code}" if isinstance(code, int) else "no errcode")


def _mail(channel: Channel, message: Message) -> None:
    words = message.words(channel.language)
    mail = EmailMessage()
    mail["Subject"] = " / ".join(" ".join(one.title.split()) for one in words)[:200]
    mail["From"], mail["To"] = channel.sender, ", ".join(channel.to)
    link = f"\n\n{channel.console.rstrip('/')}{message.link}" if channel.console else ""
    text = "\n\n".join("\n".join([one.title, *one.lines]) for one in words)
    mail.set_content(text + link)
    try:
        with _server(channel) as server:
            if channel.user:
                server.login(channel.user, channel.password)
            server.send_message(mail)
    except smtplib.SMTPRecipientsRefused:
        raise NotSentError("SMTP: recipients refused") from None
    except smtplib.SMTPResponseException as error:
        kind = PassingError if error.smtp_code < 500 else NotSentError
        raise kind(f"SMTP {error.smtp_code}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise PassingError(type(error).__name__) from None


def _server(channel: Channel) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if channel.tls == "tls":
        return smtplib.SMTP_SSL(channel.host, channel.port, timeout=TIMEOUT, context=context)
    server = smtplib.SMTP(channel.host, channel.port, timeout=TIMEOUT)
    if channel.tls == "starttls":
        server.starttls(context=context)
    return server


async def ping(url: str, *, now: int, picture: int) -> None:
    """Tell a dead-man's switch that alerting works.

    Args:
        url: Of the switch, such as a healthchecks address.
        now: ms since 1970.
        picture: Number of the newest picture.

    Raises:
        NotSentError: it did not take it.
    """
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
            answer = await client.post(url, json={"alive": True, "at": now, "picture": picture})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PassingError(type(error).__name__) from None
    if not answer.is_success:
        raise NotSentError(f"HTTP {answer.status_code}")
