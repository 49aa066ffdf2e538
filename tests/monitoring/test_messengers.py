"""Alert words to a real mail server and to HTTP receivers on this machine."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session
from starlette.responses import JSONResponse, Response

from hub.monitoring.alert_rules import shipped
from hub.monitoring.alerts import FIRING, Alert, Notice
from hub.monitoring.channels import Channel
from hub.monitoring.findings import Finding
from hub.monitoring.messages import Message, message, trial
from hub.transports.messengers import NotSentError, ping, send
from tests.monitoring.receivers import receiver

AT = datetime(2026, 3, 2, 9, 5, 0, tzinfo=UTC)
NOW = 1_772_442_300_000


def words() -> Message:
    finding = Finding("program_down", "bad", who="electricity-relief", n=36, link="/programs/x")
    alert = Alert("program-down", "x", "bad", finding, 0, told=1)
    sentence = ("电费减免自 16 小时 前起未收到:36 份在等", "nothing received for 16 h: 36 wait")
    return message(Notice(alert, FIRING, 2), shipped()["program-down"], lambda _f: sentence, AT)


class Mailbox:
    """Keeps what a real SMTP server took."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse = ""

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        if self.refuse:
            return self.refuse
        assert isinstance(envelope.content, bytes)
        found = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.mails.append(found)
        return "250 OK"


class AnyPort(Controller):
    """A controller that may be given port 0."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, Controller]]:
    box = Mailbox()

    def allow(_server: Any, _s: Any, _e: Any, mechanism: str, data: Any) -> AuthResult:
        good = (data.login, data.password) == (b"hub", b"open sesame")
        return AuthResult(success=good, handled=good)

    controller = AnyPort(
        box, "127.0.0.1", 0, authenticator=allow, auth_require_tls=False, decode_data=False
    )
    controller.start()
    yield box, controller
    controller.stop()


def mail_channel(controller: Controller, **options: Any) -> Channel:
    fields = {
        "host": "127.0.0.1",
        "port": controller.port,
        "sender": "hub@example.org",
        "to": ("a@example.org", "b@example.org"),
        **options,
    }
    return Channel("mail", "smtp", **fields)


async def test_mail_arrives_with_both_languages_and_the_link(
    mailbox: tuple[Mailbox, Controller],
) -> None:
    box, controller = mailbox
    channel = mail_channel(controller, console="https://console.example.org/")
    await send(channel, words(), now=NOW)
    (mail,) = box.mails
    assert mail["To"] == "a@example.org, b@example.org"
    assert mail["Subject"].startswith("【告警·严重】电费减免自 16 小时 前起未收到")
    text = mail.get_content()
    assert "[ALERT serious] nothing received for 16 h: 36 wait" in text
    assert "先做:联系项目方" in text
    assert "另有 2 条" in text
    assert "https://console.example.org/programs/x" in text


async def test_mail_signs_in_where_the_server_asks(mailbox: tuple[Mailbox, Controller]) -> None:
    box, controller = mailbox
    await send(mail_channel(controller, user="hub", password="open sesame"), words(), now=NOW)
    assert len(box.mails) == 1
    with pytest.raises(NotSentError, match="SMTP 535"):
        await send(mail_channel(controller, user="hub", password="wrong"), words(), now=NOW)


async def test_a_mail_server_that_refuses_for_now_is_asked_again(
    mailbox: tuple[Mailbox, Controller],
) -> None:
    box, controller = mailbox
    box.refuse = "451 try again"
    later = asyncio.get_running_loop().call_later(0.1, setattr, box, "refuse", "")
    await send(mail_channel(controller), words(), now=NOW)
    assert len(box.mails) == 1
    later.cancel()


async def test_a_webhook_gets_json_that_it_can_verify() -> None:
    async with receiver(lambda _n: JSONResponse({})) as (url, posts):
        await send(Channel("w", "webhook", url=url, secret="s3"), words(), now=NOW)
    (post,) = posts
    assert post.body["kind"] == "program_down"
    assert post.body["who"] == "electricity-relief"
    assert post.body["what"] == "firing"
    assert post.body["zh"]["title"].startswith("【告警·严重】")
    digest = hmac.new(b"s3", post.raw, hashlib.sha256).hexdigest()
    assert post.headers["x-hub-signature-256"] == f"sha256={digest}"


async def test_wecom_gets_its_markdown_within_its_size() -> None:
    async with receiver(lambda _n: JSONResponse({"errcode": 0, "errmsg": "ok"})) as (url, posts):
        await send(Channel("w", "wecom", "zh", url=f"{url}?key=k"), words(), now=NOW)
    (post,) = posts
    assert post.query["key"] == ["k"]
    assert post.body["msgtype"] == "markdown"
    content = post.body["markdown"]["content"]
    assert content.startswith('**<font color="warning">【告警·严重】')
    assert "> 先做:" in content
    assert "ALERT" not in content
    assert len(content.encode()) <= 4096


async def test_dingtalk_gets_its_markdown_signed() -> None:
    answer = JSONResponse({"errcode": 0, "errmsg": "ok"})
    async with receiver(lambda _n: answer) as (url, posts):
        channel = Channel("d", "dingtalk", "en", url=f"{url}?access_token=t", secret="SECx")
        await send(channel, words(), now=NOW)
    (post,) = posts
    assert post.query["access_token"] == ["t"]
    assert post.query["timestamp"] == [str(NOW)]
    sign = hmac.new(b"SECx", f"{NOW}\nSECx".encode(), hashlib.sha256).digest()
    assert post.query["sign"] == [base64.b64encode(sign).decode()]
    assert post.body["markdown"]["title"].startswith("[ALERT serious]")
    assert "- First: call the program" in post.body["markdown"]["text"]


@pytest.mark.parametrize("kind", ["wecom", "dingtalk"])
async def test_a_bot_that_answers_200_with_an_error_code_has_not_taken_it(kind: str) -> None:
    answer = JSONResponse({"errcode": 93000, "errmsg": "invalid webhook url"})
    async with receiver(lambda _n: answer) as (url, posts):
        with pytest.raises(NotSentError, match="errcode 93000"):
            await send(Channel("b", kind, url=url), words(), now=NOW)
    assert len(posts) == 1


async def test_a_receiver_that_fails_twice_is_tried_a_third_time() -> None:
    async with receiver(lambda n: Response(status_code=503 if n < 3 else 200)) as (url, posts):
        await send(Channel("w", "webhook", url=url), trial("王管理", AT), now=NOW)
    assert len(posts) == 3


async def test_errors_never_show_the_address_that_holds_a_key() -> None:
    channel = Channel("b", "wecom", url="http://127.0.0.1:9/send?key=secret-key")
    with pytest.raises(NotSentError) as caught:
        await send(channel, words(), now=NOW)
    assert "secret-key" not in str(caught.value)
    assert "secret-key" not in repr(channel)


async def test_the_dead_mans_switch_is_told() -> None:
    async with receiver(lambda _n: Response()) as (url, posts):
        await ping(url, now=NOW, picture=9)
    assert posts[0].body == {"alive": True, "at": NOW, "picture": 9}
