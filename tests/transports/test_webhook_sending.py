"""Webhooks: signed, never into the own network, retried for a day, never dropped."""

import asyncio
import socket
import threading
from types import SimpleNamespace

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from hub.kernel.clocks import SystemClock
from hub.kernel.failpoints import arm
from hub.transports import webhooks
from hub.transports.breakers import MOST_MS, PROBE_MS, THRESHOLD, Breaker
from hub.transports.host_names import HostNames
from hub.transports.signatures import PrivateKey, PublicKey, SharedKey, signed, verified
from hub.transports.webhook_targets import TargetRefused, is_public, target_of
from hub.transports.webhooks import Answer, Delivered, Parked, Retry, WebhookSender, outcome_of

BODY = '{"specversion":"1.0","data":{"reason_zh":"住院"}}'.encode()
SHARED = SharedKey(bytes(range(32)))
PRIVATE = PrivateKey(bytes(range(32)))


@pytest.fixture
async def receiver():
    """A receiver whose answer a test chooses; keeps what it got."""
    state = SimpleNamespace(status=200, headers={}, seen=[], wait=0, url="")
    state.body, state.peers = b"x" * 100_000, set()

    async def take(request):
        state.peers.add(request.transport.get_extra_info("peername"))
        state.seen.append((dict(request.headers), await request.read(), request.host))
        await asyncio.sleep(state.wait)
        return web.Response(status=state.status, headers=state.headers, body=state.body)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    state.url = f"http://receiver.example:{site._server.sockets[0].getsockname()[1]}/hook"
    yield state
    await runner.cleanup()


async def local(_host, _port):
    return ["127.0.0.1"]


async def test_a_copy_arrives_unchanged_under_the_receivers_name_with_both_signatures(
    sender, receiver
):
    answer = await sender.post(receiver.url, "c-1", BODY, [SHARED, PRIVATE], {"traceparent": "00"})
    assert outcome_of(answer, 1) == Delivered(200)
    ((headers, body, host),) = receiver.seen
    lower = {name.lower(): value for name, value in headers.items()}
    now = int(SystemClock().now().timestamp())
    assert body == BODY
    assert host.startswith("receiver.example:")
    assert lower["content-type"].startswith("application/cloudevents+json")
    assert lower["traceparent"] == "00"
    assert verified(SHARED, lower, body, now)
    assert verified(PublicKey(PRIVATE.public), lower, body, now)


async def test_a_request_that_got_no_answer_had_left_and_is_tried_again(sender, receiver):
    arm("hook.sent:1:cut")
    try:
        answer = await sender.post(receiver.url, "c-1", BODY, [SHARED])
    finally:
        arm("")
    assert isinstance(outcome_of(answer, 1), Retry)
    await sender.post(receiver.url, "c-1", BODY, [SHARED])
    assert len(receiver.seen) == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, Delivered),
        (302, Parked),
        (400, Parked),
        (404, Parked),
        (408, Retry),
        (409, Parked),
        (410, Parked),
        (429, Retry),
        (500, Retry),
        (503, Retry),
    ],
)
async def test_an_answer_decides_what_follows(sender, receiver, status, kind):
    receiver.status, receiver.headers = status, {"Location": "http://169.254.169.254/"}
    answer = await sender.post(receiver.url, "c-1", BODY, [SHARED])
    assert isinstance(outcome_of(answer, 1), kind)
    assert len(receiver.seen) == 1


async def test_a_receiver_may_ask_for_a_longer_pause(sender, receiver):
    receiver.status, receiver.headers = 429, {"Retry-After": "90"}
    answer = await sender.post(receiver.url, "c-1", BODY, [SHARED])
    assert outcome_of(answer, 1) == Retry(90, "429 Too Many Requests")


async def test_a_receiver_that_does_not_answer_is_tried_again(sender, receiver, monkeypatch):
    monkeypatch.setattr(webhooks, "TIMEOUT", 0.05)
    receiver.wait = 1
    answer = await sender.post(receiver.url, "c-1", BODY, [SHARED])
    assert outcome_of(answer, 1) == Retry(25, "no answer within 10 s")


async def test_a_closed_port_is_tried_again(sender):
    answer = await sender.post("http://receiver.example:9/", "c-1", BODY, [SHARED])
    assert outcome_of(answer, 1) == Retry(25, "ConnectError")


async def test_private_addresses_are_refused_and_parked_without_any_connection(receiver):
    async with WebhookSender(SystemClock(), private=False, resolve=local) as sender:
        url = receiver.url.replace("http:", "https:")
        outcome = outcome_of(await sender.post(url, "c-1", BODY, [SHARED]), 1)
    assert isinstance(outcome, Parked)
    assert "private" in outcome.reason
    assert receiver.seen == []


async def test_the_address_that_was_checked_is_the_one_connected():
    async def resolve(host, port):
        asked.append(host)
        return ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]

    asked = []
    target = await target_of("https://hook.example:8443/a?t=1", private=False, resolve=resolve)
    assert str(target.url) == "https://93.184.215.14:8443/a?t=1"
    assert (target.host, target.name) == ("hook.example:8443", "hook.example")
    assert asked == ["hook.example"]


async def test_one_private_address_among_public_ones_is_enough_to_refuse():
    async def resolve(_host, _port):
        return ["93.184.215.14", "10.0.0.1"]

    with pytest.raises(TargetRefused):
        await target_of("https://hook.example/", private=False, resolve=resolve)


@pytest.mark.parametrize(
    "url",
    ["http://hook.example/", "https://u:p@hook.example/", "ftp://hook.example/", "https:///x", "x"],
)
async def test_addresses_of_another_form_are_refused(url):
    with pytest.raises(TargetRefused):
        await target_of(url, private=False, resolve=local)


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://[::1]/", "https://2130706433/"])
async def test_addresses_written_as_numbers_are_checked_too(url):
    with pytest.raises(TargetRefused):
        await target_of(url, private=False, resolve=HostNames().resolve)


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "fd00:ec2::254",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "name",
    ],
)
def test_no_private_address_passes_in_any_form(text):
    assert not is_public(text)


@pytest.mark.parametrize("text", ["93.184.215.14", "2606:2800:21f::1", "::ffff:93.184.215.14"])
def test_public_addresses_pass(text):
    assert is_public(text)


@pytest.mark.parametrize(("key", "check"), [(SHARED, SHARED), (PRIVATE, PublicKey(PRIVATE.public))])
def test_a_signature_holds_for_its_id_time_and_body_only(key, check):
    headers = signed([key], "c-1", 1000, BODY)
    assert verified(check, headers, BODY, 1300)
    assert not verified(check, headers, BODY + b" ", 1000)
    assert not verified(check, headers, BODY, 1301)
    assert not verified(check, headers, BODY, 699)
    assert not verified(check, headers | {"webhook-id": "c-2"}, BODY, 1000)
    assert not verified(check, headers | {"webhook-timestamp": "1001"}, BODY, 1000)
    assert not verified(check, headers | {"webhook-signature": "v1,x v1a,x v1a,!"}, BODY, 1000)
    assert not verified(check, {}, BODY, 1000)


def test_the_signature_follows_the_public_rules():
    """The rules' published example: secret, id, time and body with their signature."""
    import base64

    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed(
        [SharedKey(secret)], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_seven_repetitions_take_about_a_day_and_then_the_copy_is_parked():
    network = Answer(0, "ConnectError")
    outcomes = [outcome_of(network, tries) for tries in range(1, 9)]
    pauses = [one.after for one in outcomes if isinstance(one, Retry)]
    assert pauses == [25, 100, 400, 1600, 6400, 25600, 52000]
    assert 23.9 < sum(pauses) / 3600 < 24
    assert isinstance(outcomes[-1], Parked)


@given(st.lists(st.booleans(), max_size=40))
def test_a_breaker_always_lets_one_try_through_again(answers):
    breaker, now = Breaker(), 0
    for reached in answers:
        breaker = breaker.after(now, reached=reached)
        assert breaker.allowed(now, 8) == (8 if breaker.failures < THRESHOLD else 0)
        now += MOST_MS
        assert breaker.allowed(now, 8) >= 1
        if reached:
            assert breaker.allowed(now, 8) == 8


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("90", 90),
        ("999999999999", 52_000),
        ("Tue, 01 Apr 2025 00:01:30 GMT", 90),
        ("Mon, 31 Mar 2025 00:00:00 GMT", 0),
        ("soon", 0),
        ("", 0),
        ("-5", 0),
    ],
)
def test_a_pause_is_asked_for_as_a_number_or_a_date(told, seconds):
    assert webhooks.pause_asked(told, 1_743_465_600) == seconds


def test_failures_that_were_under_way_when_a_breaker_opened_do_not_count():
    breaker = Breaker()
    for _ in range(16):
        breaker = breaker.after(1000, reached=False)
    assert breaker == Breaker(THRESHOLD, 1000 + PROBE_MS)
    assert breaker.paused(5).open_until == 1000 + PROBE_MS
    assert Breaker().paused(2000).allowed(1999, 8) == 0
    assert Breaker().paused(2000).allowed(2000, 8) == 8


async def test_a_short_answer_leaves_the_connection_for_the_next_copy(sender, receiver):
    receiver.body = b"ok"
    for _ in range(3):
        await sender.post(receiver.url, "c-1", BODY, [SHARED])
    assert len(receiver.peers) == 1


async def test_one_dead_name_holds_up_no_other_and_is_asked_for_once(monkeypatch):
    names, dead, asked = HostNames(), threading.Event(), []

    def lookup(host, port, **_):
        asked.append(host)
        if host == "dead.example":
            dead.wait(5)
        return [(0, 0, 0, "", ("93.184.215.14", port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    waiting = [asyncio.create_task(names.resolve("dead.example", 443)) for _ in range(50)]
    await asyncio.sleep(0)
    for _ in range(3):
        assert await names.resolve("well.example", 443) == ["93.184.215.14"]
    waiting.pop().cancel()
    dead.set()
    assert {tuple(found) for found in await asyncio.gather(*waiting)} == {("93.184.215.14",)}
    assert sorted(asked) == ["dead.example", "well.example"]
    names.close()
