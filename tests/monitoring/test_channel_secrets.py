"""Secrets of alert channels: sealed on record, opened when posting, referred to where they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.kernel.errors import ConfigurationError
from hub.kernel.settings import Settings
from hub.monitoring.channels import Channel
from hub.runtime.channel_secrets import ChannelSecrets, in_clear
from hub.transports.messengers import NotSentError

MAIL = Channel("mail", "smtp", host="mail.example.org", password="not-for-disks")
BOT = Channel("bot", "dingtalk", url="https://bot.example.org/?key=k1", secret="SEC-1")


def secrets(folder: Path, *, production: bool = False, **environ: str) -> ChannelSecrets:
    database = "postgresql://db/hub" if production else ""
    settings = Settings(data_dir=folder, database=database)  # type: ignore[call-arg]
    return ChannelSecrets(settings, environ)


def test_what_was_sealed_is_opened_by_whoever_has_the_key_and_shows_nothing(tmp_path):
    sealed = secrets(tmp_path).seal(BOT)
    assert in_clear(BOT)
    assert not in_clear(sealed)
    assert not [text for text in ("k1", "SEC-1", "example") if text in sealed.url + sealed.secret]
    assert secrets(tmp_path).open(sealed) == BOT
    assert secrets(tmp_path).open(secrets(tmp_path).seal(MAIL)) == MAIL


def test_another_key_or_none_opens_nothing_and_the_error_holds_no_value(tmp_path):
    sealed = secrets(tmp_path / "one").seal(MAIL)
    for other in (secrets(tmp_path / "two"), secrets(tmp_path / "three", production=True)):
        with pytest.raises(NotSentError) as caught:
            other.open(sealed)
        assert "k_channel" in str(caught.value)
        assert "not-for-disks" not in str(caught.value)


def test_without_a_key_nothing_typed_is_kept(tmp_path):
    with pytest.raises(ConfigurationError):
        secrets(tmp_path, production=True).seal(MAIL)


def test_text_that_looks_sealed_is_sealed_like_any_other(tmp_path):
    odd = Channel("odd", "smtp", password="sealed:by-nobody")
    own = secrets(tmp_path)
    assert own.open(own.seal(odd)) == odd


def test_a_reference_is_kept_as_it_is_and_looked_up_when_it_is_used(tmp_path):
    (tmp_path / "secrets" / "alerts").mkdir(parents=True)
    file = tmp_path / "secrets" / "alerts" / "bot"
    one = Channel("bot", "wecom", url="file:bot", secret="env:HUB_ALERT_BOT")
    own = secrets(tmp_path, production=True, HUB_ALERT_BOT="from the environment")
    assert own.seal(one) == one
    with pytest.raises(NotSentError, match="nothing stands at file:"):
        own.open(one)
    file.write_text("https://bot.example.org/?key=k2\n")
    found = own.open(one)
    assert (found.url, found.secret) == ("https://bot.example.org/?key=k2", "from the environment")
    assert own.open(Channel("bot", "wecom", url=f"file:{file}")).url == found.url


@pytest.mark.parametrize(
    "reference",
    [
        "env:HUB_SECRET_K_UID", "env:PATH", "env:", "file:", "file:..", "file:../k_uid",
        "file:/etc/passwd", "file:a/b", "file:/", "file:link",
    ],
)  # fmt: skip
def test_no_reference_leads_out_of_what_was_put_there_for_alerts(tmp_path, reference):
    folder = tmp_path / "secrets" / "alerts"
    folder.mkdir(parents=True)
    (folder.parent / "k_uid").write_text("not for mail servers")
    (folder / "link").symlink_to(folder.parent / "k_uid")
    own = secrets(tmp_path, HUB_SECRET_K_UID="not for mail servers", PATH="/bin")
    given = Channel("mail", "smtp", password=reference)
    with pytest.raises(NotSentError):
        own.open(given)
    if reference != "file:link":
        with pytest.raises(ConfigurationError):
            own.seal(given)
