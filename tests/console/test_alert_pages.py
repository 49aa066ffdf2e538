"""The alerts page: who may do what, the test button, mutes, rules and an end by hand."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from hub.console.apps import create_app
from hub.monitoring.alerts import Alert, Target
from hub.monitoring.channels import Channel
from hub.monitoring.findings import Finding
from hub.store import alert_notices, alerts
from hub.store.connections import close, connect
from tests.console.conftest import Rig, token
from tests.console.test_live_pages import take
from tests.monitoring.receivers import receiver

MAIL = {
    "name": "mail",
    "kind": "smtp",
    "least": "bad",
    "language": "zh",
    "host": "mail.example.org",
    "sender": "hub@example.org",
    "to": "duty@example.org",
}


async def channel(rig: Rig, url: str, **options: str) -> tuple[object, dict[str, str]]:
    await take(rig)
    browser = await rig.signed_in("admin")
    csrf = {"csrf": token(await browser.get("/alerts"))}
    form = {"name": "bot", "kind": "wecom", "least": "bad", "language": "zh", "url": url, **options}
    answer = await browser.post("/alerts/channels", data=csrf | form)
    assert answer.headers["location"] == "/alerts?show=channels"
    return browser, csrf


async def fired(rig: Rig) -> int:
    """An alert that fires, as the engine writes it."""
    connection = await connect(rig.database)
    now = rig.now()
    finding = Finding("program_down", "bad", who="electricity-relief", n=36, ms=57_600_000)
    alert = Alert("program-down", "electricity-relief", "bad", finding, now - 90_000, fired=now)
    await alerts.write(connection, alert)
    await close(connection)
    return alert.id


async def test_the_test_button_really_sends_and_shows_what_became_of_it(rig: Rig) -> None:
    good = JSONResponse({"errcode": 0})
    async with receiver(lambda _n: good) as (url, posts):
        browser, csrf = await channel(rig, f"{url}?key=not-for-pages")
        answer = await browser.post("/alerts/channels/bot/test", data=csrf)
        assert answer.headers["location"].endswith("result=sent")
        page = await browser.get(answer.headers["location"])
    assert "通道已接受测试消息" in page.text
    assert "【测试】救助枢纽告警通道可用" in posts[0].body["markdown"]["content"]
    listed = await browser.get("/alerts?show=channels")
    assert "not-for-pages" not in page.text + listed.text
    done = await rig.fetch(
        "SELECT kind, to_jsonb(audit) AS doc FROM audit WHERE kind LIKE 'alert_%'"
    )
    assert {row["kind"] for row in done} == {"alert_channel_kept", "alert_channel_tested"}
    assert not any("not-for-pages" in str(row["doc"]) for row in done)


async def test_a_test_that_fails_says_why_and_is_not_sent_later(rig: Rig) -> None:
    async with receiver(lambda _n: Response(status_code=404)) as (url, _posts):
        browser, csrf = await channel(rig, url)
        answer = await browser.post("/alerts/channels/bot/test", data=csrf)
        page = await browser.get(answer.headers["location"])
    assert "通道未接受测试消息" in page.text
    assert "HTTP 404" in page.text
    (row,) = await rig.fetch("SELECT sent_at, failed_at FROM alert_notice")
    assert row["sent_at"] is None
    assert row["failed_at"] is not None


async def test_only_administrators_touch_channels_and_rules_only_operators_mute(rig: Rig) -> None:
    await take(rig)
    number = await fired(rig)
    rule = {"severity": "warn", "lasting": "1", "per_hour": "1", "again": "0"}
    mute = {"hours": "1", "reason": "检修期间"}
    for role, refused in (
        (
            "operator",
            [
                ("/alerts/channels", MAIL),
                ("/alerts/rules/program-down", rule),
                ("/alerts/channels/mail/test", {}),
                ("/alerts/channels/mail/off", {}),
            ],
        ),
        (
            "admin",
            [
                ("/alerts/mutes", mute),
                ("/alerts/resolve", {"alert": str(number)}),
                ("/alerts/mutes/1/end", {}),
            ],
        ),
        ("viewer", [("/alerts/mutes", mute), ("/alerts/channels", MAIL)]),
    ):
        browser = await rig.signed_in(role)
        csrf = {"csrf": token(await browser.get("/alerts"))}
        for path, form in refused:
            assert (await browser.post(path, data=csrf | form)).status_code == 403, (role, path)
            assert (await browser.post(path, data=form)).status_code == 403, (role, path)


async def test_an_operator_mutes_and_resolves_and_both_are_on_record(rig: Rig) -> None:
    await take(rig)
    number = await fired(rig)
    browser = await rig.signed_in("operator")
    page = await browser.get("/alerts")
    assert "电费减免自 16 小时 前起未收到:36 份在等" in page.text
    csrf = {"csrf": token(page)}
    bad = await browser.post("/alerts/mutes", data=csrf | {"hours": "2", "reason": "x"})
    assert bad.headers["location"].endswith("result=reason")
    form = {
        "rule": "program-down",
        "who": "electricity-relief",
        "hours": "2",
        "reason": "对方停机检修",
    }
    await browser.post("/alerts/mutes", data=csrf | form)
    page = await browser.get("/alerts")
    assert "对方停机检修" in page.text
    (row,) = await rig.fetch("SELECT id FROM alert_mute")
    await browser.post(f"/alerts/mutes/{row['id']}/end", data=csrf)
    assert "没有静默" in (await browser.get("/alerts")).text
    await browser.post("/alerts/resolve", data=csrf | {"alert": str(number)})
    assert "当前没有告警" in (await browser.get("/alerts")).text
    history = (await browser.get("/alerts?show=history")).text
    assert "36 份在等" in history
    done = {row["kind"] for row in await rig.fetch("SELECT kind FROM audit")}
    assert {"alerts_muted", "alerts_unmuted", "alert_resolved"} <= done


async def test_an_administrator_changes_a_rule_and_what_is_not_possible_is_refused(
    rig: Rig,
) -> None:
    await take(rig)
    browser = await rig.signed_in("admin")
    csrf = {"csrf": token(await browser.get("/alerts?show=rules"))}
    form = {
        "severity": "worst",
        "lasting": "300",
        "per_hour": "5",
        "again": "600",
        "who": "medical-aid",
        "enabled": "1",
    }
    await browser.post("/alerts/rules/program-down", data=csrf | form)
    connection = await connect(rig.database)
    change = (await alerts.changes(connection))["program-down"]
    await close(connection)
    assert (change.severity, change.for_, change.who) == ("worst", 300, ("medical-aid",))
    assert (change.resolve, change.disabled) == (False, False)
    answer = await browser.post("/alerts/rules/program-down", data=csrf | form | {"lasting": "-1"})
    assert answer.headers["location"].endswith("result=rule")


async def test_a_channel_that_cannot_work_is_refused(rig: Rig) -> None:
    await take(rig)
    browser = await rig.signed_in("admin")
    csrf = {"csrf": token(await browser.get("/alerts"))}
    for change in ({"to": "a@example.org\nBcc: x@example.org"}, {"to": ""}, {"host": ""}, {"kind": "pigeon"}, {"name": "../x"}, {"kind": "webhook", "url": "ftp://example.org/"}, {"kind": "webhook", "url": ""}):  # fmt: skip
        answer = await browser.post("/alerts/channels", data=csrf | MAIL | change)
        assert answer.headers["location"].endswith("result=channel"), change
    assert await rig.fetch("SELECT id FROM alert_channel") == []


async def test_every_tab_opens_in_both_languages_for_every_reader(rig: Rig) -> None:
    await take(rig)
    await fired(rig)
    for role in ("viewer", "operator", "admin"):
        browser = await rig.signed_in(role)
        for tab in ("now", "history", "channels", "rules", "nothing"):
            for lang in ("zh", "en"):
                answer = await browser.get("/alerts", params={"show": tab, "lang": lang})
                assert answer.status_code == 200, answer.text[-500:]
                assert " style=" not in answer.text


async def test_what_is_typed_is_sealed_on_record_and_never_shown_again(rig: Rig) -> None:
    good = JSONResponse({"errcode": 0})
    async with receiver(lambda _n: good) as (url, posts):
        browser, csrf = await channel(
            rig, f"{url}?key=not-for-disks", kind="dingtalk", secret="SEC-not-for-disks"
        )
        await browser.post("/alerts/channels/bot/test", data=csrf)
        listed = await browser.get("/alerts?show=channels")
    assert posts[0].query["key"] == ["not-for-disks"]
    assert posts[0].query["sign"]
    (row,) = await rig.fetch("SELECT config::text FROM alert_channel")
    done = await rig.fetch("SELECT to_jsonb(audit)::text AS doc FROM audit")
    shown = [row["config"], listed.text, *(one["doc"] for one in done)]
    assert not [text for text in shown if "not-for-disks" in text or "sealed:" in listed.text]


async def test_a_reference_is_shown_and_one_that_leads_elsewhere_is_refused(rig: Rig) -> None:
    browser, csrf = await channel(rig, "env:HUB_ALERT_BOT")
    assert "env:HUB_ALERT_BOT" in (await browser.get("/alerts?show=channels")).text
    for reference in ("env:HUB_SECRET_K_UID", "file:/etc/passwd"):
        form = MAIL | {"password": reference}
        answer = await browser.post("/alerts/channels", data=csrf | form)
        assert answer.headers["location"].endswith("result=secret")
    page = await browser.get(answer.headers["location"])
    assert "密钥未保存" in page.text
    (row,) = await rig.fetch("SELECT id FROM alert_channel")
    assert row["id"] == "bot"


async def test_a_starting_console_seals_what_an_earlier_release_kept_in_clear(rig: Rig) -> None:
    connection = await connect(rig.database)
    one = Channel("old", "wecom", url="https://bot.example.org/?key=not-for-disks")
    await alert_notices.keep(connection, one, Target("old", "bad"), by="a", now=0)
    await close(connection)
    app = create_app(rig.settings, kafka=rig.settings.kafka, database=rig.database)
    for _ in range(2):
        async with app.router.lifespan_context(app):
            (row,) = await alert_notices.channels(rig.console.pool)
            assert "not-for-disks" not in row.channel.url
            assert rig.console.channel_secrets.open(row.channel) == one
